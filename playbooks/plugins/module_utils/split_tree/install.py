"""Carries out a plan: temporary files beside their targets, then renames, then removals."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

from ansible.module_utils.split_disk import sync_directory

from .entries import Entry, TreeError, group_id, look, user_id
from .manifest import Records
from .plan import Plan, Step


def temporary(path: str) -> str:
    """Where a path is written before the rename.

    A fixed name, so that the run after a kill finds and removes it. It begins with a dot and has
    no known suffix: no ``include *.conf`` reads it.
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.split-tree")


def sweep(records: Records, entries: list[Entry]) -> None:
    """Remove what a run that was killed between writing and renaming has left."""
    for path in set(records) | {entry.path for entry in entries}:
        _discard(temporary(path))


def apply(plan: Plan) -> None:
    """Install and remove. When something cannot be written, nothing has been renamed yet.

    Raises TreeError when a file cannot be written (full disk, read-only file system).
    """
    folders = [step for step in plan.steps if step.entry.kind == "directory" and step.changes]
    files = [step for step in plan.steps if step.entry.kind != "directory" and step.changes]
    for step in sorted(folders, key=lambda step: step.path):
        _guard(step, _make_directory)
    try:
        for step in files:
            _guard(step, _write)
        for step in files:
            _guard(step, _rename)
    finally:
        for step in files:
            _discard(temporary(step.path))
    for step in plan.removals:
        if step.change == "removed":
            _guard(step, _remove)
    touched = {os.path.dirname(step.path) for step in plan.steps + plan.removals if step.changes}
    for folder in sorted(touched):
        sync_directory(folder)


def _guard(step: Step, work: Callable[[Step], None]) -> None:
    try:
        work(step)
    except OSError as error:
        raise TreeError(
            f"{step.path} cannot be written or removed: {error.strerror}. "
            "Mend that and run again: the run goes on where it stopped."
        ) from error


def _owner(step: Step) -> tuple[int, int]:
    """Both are known by now, or the run has ended before."""
    uid, gid = user_id(step.entry.owner), group_id(step.entry.group)
    if uid is None or gid is None:
        raise OSError(errno.EINVAL, f"no owner {step.entry.owner}:{step.entry.group}")
    return uid, gid


def _make_directory(step: Step) -> None:
    """New ones appear by rename: a kill never leaves one with the wrong owner or mode."""
    path = step.path
    if step.change == "permissions":
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(descriptor, *_owner(step))
            os.fchmod(descriptor, step.entry.mode)
        finally:
            os.close(descriptor)
        return
    new = temporary(path)
    os.mkdir(new, 0o700)
    try:
        os.chown(new, *_owner(step))
        os.chmod(new, step.entry.mode)
        if step.change == "updated":
            os.unlink(path)
        os.rename(new, path)
    except OSError:
        _discard(new)
        raise


def _write(step: Step) -> None:
    new = temporary(step.path)
    if step.entry.kind == "link":
        os.symlink(os.fsdecode(step.entry.data), new)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(new, flags, 0o600), "wb") as target:
        target.write(step.entry.data)
        target.flush()
        os.fchown(target.fileno(), *_owner(step))
        os.fchmod(target.fileno(), step.entry.mode)  # after chown, which clears setuid and setgid
        os.fsync(target.fileno())


def _rename(step: Step) -> None:
    os.rename(temporary(step.path), step.path)


def _remove(step: Step) -> None:
    _discard(temporary(step.path))
    if step.found.kind != "directory":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(step.path)
        return
    try:
        os.rmdir(step.path)
    except OSError:
        # Somebody put a file there since we looked.
        step.change, step.reason = "kept", "it is not empty"


def _discard(path: str) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if look(path).kind == "directory":
            os.rmdir(path)
        else:
            os.unlink(path)
