"""What visitors are shown of the static files of releases.

Each release has a folder of its own, which its collectstatic has filled and which its manifest is
read from. nginx shows one folder that all of them share: names of any kept release, and of a name
that several have the file of the one that serves. Both belong to the admin's user, and are on one
file system as a rule, so a file is there once and has a name in each.
"""

from __future__ import annotations

import errno
import filecmp
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

# At the top of either folder for a moment, and left there by a run that is killed: no site's names.
NEW, OLD = ".split-new", ".split-old"
# Another file system, one without links, too many of them, a file of root's in between.
NO_LINK = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP}
# A page may be open in a browser for as long, and ask for what its release had.
SHOWN_SECONDS = 24 * 60 * 60


class Differences(NamedTuple):
    """Names of a release's folder, by what the shared one has under them."""

    new: list[str]
    """Nothing."""
    other: list[str]
    """Something else: what an older release shows there."""
    alike: list[str]
    """The same content in a file of its own."""


@contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Work on files as their owner, so that a link which the site has put there leads root nowhere.

    Without root's rights the caller's own have to do. Raises KeyError for an unknown user.
    """
    if os.geteuid() != 0:
        yield
        return
    account, before = pwd.getpwnam(user), (os.getegid(), os.getgroups())
    os.setgroups(os.getgrouplist(user, account.pw_gid))
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(before[0])
        os.setgroups(before[1])


def names(folder: str, below: str = "") -> Iterator[str]:
    """Files and links in a folder and below it, by their path there."""
    with os.scandir(os.path.join(folder, below)) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        name = os.path.join(below, entry.name)
        if name in (NEW, OLD):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from names(folder, name)
        elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
            yield name


def writable(folder: str) -> list[str]:
    """Files and folders in it that the group, or everybody, may write.

    Main's user is in the group, and what is shown is shown with the admin's pages too: a script of
    the admin's that main could write would be main's way in.
    """
    found = []
    for place, _, files in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in files)):
            mode = os.lstat(path).st_mode
            if not stat.S_ISLNK(mode) and mode & (stat.S_IWGRP | stat.S_IWOTH):
                found.append(path)
    return found


def close(paths: list[str]) -> None:
    """Leave writing to the owner."""
    for path in paths:
        os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) & ~0o022)


def compare(release: str, shared: str) -> Differences:
    """What of a release's folder is not in the shared one, or not as a link to the same file."""
    found = Differences([], [], [])
    for name in names(release):
        ours, shown = os.path.join(release, name), os.path.join(shared, name)
        if _in_the_way(shared, name):
            found.other.append(name)
        elif not os.path.lexists(shown):
            found.new.append(name)
        elif os.path.samestat(os.lstat(ours), os.lstat(shown)):
            continue
        elif os.path.islink(ours) or os.path.islink(shown):
            if not _same_link(ours, shown):
                found.other.append(name)
        elif os.path.isfile(shown) and filecmp.cmp(ours, shown, shallow=False):
            found.alike.append(name)
        else:
            found.other.append(name)
    return found


def show(release: str, shared: str, wanted: list[str]) -> None:
    """Have the shared folder show the release's file under each name, at once and as a whole."""
    for name in wanted:
        _make_folder(shared, name)
        target = os.path.join(shared, name)
        if os.path.isdir(target) and not os.path.islink(target):
            _remove(os.path.join(shared, OLD))
            os.rename(target, os.path.join(shared, OLD))
        _stage(os.path.join(release, name), os.path.join(shared, NEW))
        os.rename(os.path.join(shared, NEW), target)
    _remove(os.path.join(shared, OLD))


def share(release: str, shared: str, alike: list[str]) -> int:
    """Have one file instead of two that are the same, where links can be; how many."""
    linked = 0
    staged = os.path.join(release, NEW)
    for name in alike:
        _remove(staged)
        try:
            os.link(os.path.join(shared, name), staged, follow_symlinks=False)
            os.rename(staged, os.path.join(release, name))
        except OSError as error:
            # It saves room and no more: two that are the same are as good.
            if error.errno not in NO_LINK | {errno.EACCES}:
                raise
        else:
            linked += 1
    return linked


def linkable(release: str, shared: str) -> bool:
    """Whether one file can be in both."""
    return os.stat(release).st_dev == os.stat(shared).st_dev


def forgotten(shared: str, releases: list[str], now: float) -> list[str]:
    """Names that none of the releases' folders has, for a day at least.

    A file's status changes when a name of it goes: the day begins when the last release that had it
    is removed. By name, and not by the number of links: a backup may not keep those.
    """
    had = {name for release in releases for name in names(release)}
    return [
        name
        for name in names(shared)
        if name not in had and os.lstat(os.path.join(shared, name)).st_ctime < now - SHOWN_SECONDS
    ]


def forget(shared: str, gone: list[str]) -> int:
    """Remove these names and every empty folder; how many."""
    for name in gone:
        os.unlink(os.path.join(shared, name))
    removed = len(gone)
    for folder, _, _ in os.walk(shared, topdown=False):
        if folder != shared and not os.listdir(folder):
            os.rmdir(folder)
            removed += 1
    return removed


def _same_link(ours: str, shown: str) -> bool:
    both = os.path.islink(ours) and os.path.islink(shown)
    return both and os.readlink(ours) == os.readlink(shown)


def _in_the_way(shared: str, name: str) -> str:
    """What is no folder where a folder of the name's is to be, "" where nothing is."""
    path = shared
    for part in os.path.dirname(name).split("/"):
        path = os.path.join(path, part)
        try:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                return path
        except FileNotFoundError:
            return ""
    return ""


def _make_folder(shared: str, name: str) -> None:
    if way := _in_the_way(shared, name):
        os.unlink(way)
    path = shared
    for part in os.path.dirname(name).split("/"):
        path = os.path.join(path, part)
        if not os.path.isdir(path):
            os.mkdir(path)
            # Whatever the umask: nginx looks into it, and its group is that of the folder above.
            os.chmod(path, 0o2755)  # noqa: S103


def _stage(source: str, staged: str) -> None:
    """A link to a file, or a copy where there can be none."""
    _remove(staged)
    if os.path.islink(source):
        os.symlink(os.readlink(source), staged)
        return
    try:
        os.link(source, staged, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        shutil.copy2(source, staged)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
