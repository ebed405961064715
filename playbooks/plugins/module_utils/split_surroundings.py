"""What a host has around a site: room, a clock, a locale, a name, what confines programs.

Each look gives what stands in the way (a problem: variable, what, mend) and what is worth a
warning (a remark). Nothing is changed.
"""

from __future__ import annotations

import locale
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

SYS = "/sys"
# A release is built in the one, and tried before that in the other.
PLACES = ("/srv", "/var/lib")
TIME_KEEPERS = ("systemd-timesyncd", "chrony", "chronyd", "ntpsec", "ntp", "openntpd")
# What our processes run: a profile for one of these holds for ours as for Debian's own.
PROGRAMS = ("nginx", "redis-server", "redis-check-rdb", "valkey-server", "memcached", "postgres")


@dataclass
class Seen:
    """What looking gave."""

    problems: list[dict[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def problem(self, what: str, mend: str) -> None:
        self.problems.append({"variable": "", "what": what, "mend": mend})


def room(seen: Seen, megabytes: int, inodes: int, serving: str) -> None:
    """Whether what is about to be built has room; 0 does not look.

    The operator's figures are for a site that nobody has measured. ``serving`` is a release that
    is there: the next is about as large, and stands beside it twice while it is tried.
    """
    size, files = measured(serving)
    by_device: dict[int, str] = {}
    for place in PLACES:
        place = place if os.path.isdir(place) else "/"
        by_device.setdefault(os.stat(place).st_dev, place)
    for place in by_device.values():
        space = os.statvfs(place)
        wanted = max(megabytes, 2 * size // 1000000)
        free = space.f_bavail * space.f_frsize // 1000000
        if megabytes and free < wanted:
            seen.problem(
                f"{place} has {free} MB free, and a release needs up to {wanted} MB",
                f"Look for what is large (du -xh {place} | sort -h | tail), keep fewer releases "
                "(site_keep_releases), or say another figure: preflight_disk_megabytes.",
            )
        wanted = max(inodes, 2 * files)
        # A file system that makes inodes as it needs them says that it has none at all.
        if inodes and space.f_files and space.f_favail < wanted:
            seen.problem(
                f"{place} has room for {space.f_favail} more files (inodes), and a release has up "
                f"to {wanted}",
                f"Look for what has many (du --inodes -x {place} | sort -n | tail), keep fewer "
                "releases (site_keep_releases), or say another figure: preflight_disk_inodes.",
            )


def measured(folder: str) -> tuple[int, int]:
    """Bytes on the disk and number of files of a release, its virtualenv with it."""
    size = files = 0
    for top in {os.path.realpath(folder), os.path.realpath(os.path.join(folder, "venv"))}:
        for inner, folders, names in os.walk(top):
            files += len(names) + len(folders)
            for name in names:
                try:
                    size += os.lstat(os.path.join(inner, name)).st_blocks * 512
                except OSError:
                    continue  # gone meanwhile
            if inner == os.path.realpath(folder) and "venv" in folders:
                folders.remove("venv")  # counted by itself: it may be a link to a shared one
    return size, files


def clock(seen: Seen, controller: float, limit: int) -> None:
    """Certificates and sessions end by the host's clock, logs are read by it; 0 does not look."""
    ahead = time.time() - controller
    if limit and abs(ahead) > limit:
        seen.problem(
            f"the host's clock is {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the "
            "one here: certificates and sessions would end at the wrong time",
            "Set it (timedatectl set-ntp true, with systemd-timesyncd or chrony on the host), or "
            "the one here; preflight_clock_seconds says how far apart they may be.",
        )


def span(seconds: float) -> str:
    """A time as one says it."""
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} seconds"


def time_kept(seen: Seen) -> None:
    """Something has to keep the clock right. In a container it is not the host's own."""
    if command("systemd-detect-virt", "--quiet", "--container") == 0:
        return
    # One of them is enough for systemctl.
    if command("systemctl", "is-active", "--quiet", *TIME_KEEPERS) != 0:
        seen.remarks.append(
            "nothing keeps the host's clock right: install systemd-timesyncd, chrony or ntpsec"
        )


def command(*words: str) -> int:
    """A command's status; 127 where there is none of that name."""
    try:
        return subprocess.run(words, capture_output=True, timeout=20, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return 127


def utf8(seen: Seen) -> None:
    """Every process of ours runs with LANG=C.UTF-8, which Debian's libc-bin brings."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
    except locale.Error:
        seen.problem(
            "the host has no locale C.UTF-8, which the site's processes run with",
            "Debian has it in libc-bin: apt-get install --reinstall libc-bin",
        )
    finally:
        locale.setlocale(locale.LC_ALL, before)


def name(seen: Seen) -> None:
    """Django puts it into mails, and sudo looks it up: both wait where it is not known."""
    own = socket.gethostname()
    try:
        found = subprocess.run(
            ["getent", "hosts", own], capture_output=True, timeout=3, check=False
        )
        known = found.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        known = False
    if not known:
        seen.remarks.append(
            f"the host does not know its own name {own}: sudo and mails wait for it. Add to "
            f"/etc/hosts: 127.0.1.1 {own}"
        )


def confinement(seen: Seen) -> dict[str, str]:
    """SELinux and AppArmor: Debian has the latter, without a profile for our programs."""
    enforced = read(f"{SYS}/fs/selinux/enforce").strip()
    selinux = {"1": "enforcing", "0": "permissive"}.get(enforced, "absent")
    if selinux == "enforcing":
        seen.remarks.append(
            "SELinux enforces on the host, which is untested: django-split brings no policy. Where "
            "a unit does not start, look at ausearch -m avc"
        )
    enabled = read(f"{SYS}/module/apparmor/parameters/enabled").strip() == "Y"
    for program in confined():
        seen.remarks.append(
            f"AppArmor confines {program} on the host: ours is started from the same file, and "
            "has its files below /etc/django-split, /srv, /run and /var/lib/django-split"
        )
    return {"selinux": selinux, "apparmor": "enabled" if enabled else "absent"}


def confined() -> Iterator[str]:
    """Our programs among AppArmor's profiles that are enforced."""
    for line in read(f"{SYS}/kernel/security/apparmor/profiles").splitlines():
        profile, _, how = line.rpartition(" ")
        if how == "(enforce)" and profile.rpartition("/")[2] in PROGRAMS:
            yield profile


def read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
