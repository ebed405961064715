"""Renews the lock for as long as a run lives, and ends it with the run.

It is a process of its own on the controller: no task of the playbook has to come along in time, and
a run that is refused, fails or is killed lets go without a last task.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

# Says with the release's name that the host has to be told of it (see hold).
RELEASE = "release"
# Says why the lock is not held any more.
LOST = "lost"

# Short, for a task that began in between is not known when its run is killed.
TICK_SECONDS = 0.1


def hold(
    folder: Path,
    lease: float,
    renewal: float,
    renew: Callable[[str], bool | None],
    end: Callable[[], object],
) -> int:
    """Leave a process behind that keeps a lock; returns its id.

    ``renew`` is given the release's name, "" until there is one, and returns whether the lock is
    held, None when the host gave no answer. ``end`` lets go. ``folder`` is where the run and the
    process talk: files RELEASE and LOST.

    The run is the parent of the calling process: Ansible runs each task in a child of its own. It
    may be dead by now, and getppid() then names whoever adopts orphans.
    """
    parent = multiprocessing.parent_process()
    run = parent.pid if parent and parent.pid else os.getppid()
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _keep(run, folder, lease, renewal, renew, end)
    finally:
        os._exit(0)


def _keep(
    run: int,
    folder: Path,
    lease: float,
    renewal: float,
    renew: Callable[[str], bool | None],
    end: Callable[[], object],
) -> None:
    lives = _watch(run)
    tasks: set[int] = set()
    release, heard = "", time.monotonic()
    due = heard + renewal
    while True:
        if lives(TICK_SECONDS):
            tasks = _children(run) - {os.getpid()}
        # A task outlives a run that was killed, and goes on changing the host.
        elif not any(_alive(each) for each in tasks):
            break
        named = _read(folder / RELEASE) or release
        if named == release and time.monotonic() < due:
            continue
        release = named
        held = renew(release)
        due = time.monotonic() + renewal
        if held:
            heard = time.monotonic()
            (folder / LOST).unlink(missing_ok=True)
        elif held is False:
            _write(folder / LOST, "it was ended")
            return
        elif time.monotonic() - heard > lease:
            _write(folder / LOST, f"its host was out of reach for {lease:.0f} s")
    end()


def _watch(process: int) -> Callable[[float], bool]:
    """Whether ``process`` lives, found out within the seconds given."""
    if hasattr(os, "pidfd_open"):
        try:
            handle = os.pidfd_open(process)
        except OSError:
            return lambda seconds: False
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        ended = False

        def lives(seconds: float) -> bool:
            nonlocal ended
            if ended:
                time.sleep(seconds)
            ended = ended or bool(poll.poll(seconds * 1000))
            return not ended

        return lives

    def looked(seconds: float) -> bool:
        time.sleep(seconds)
        return _alive(process)

    return looked


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    # A zombie changes nothing any more. Without /proc (macOS) nobody can tell.
    stat = _read(Path(f"/proc/{process}/stat"))
    return not stat.rpartition(")")[2].lstrip().startswith("Z")


def _children(process: int) -> set[int]:
    return {int(each) for each in _read(Path(f"/proc/{process}/task/{process}/children")).split()}


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    # The run's own folder is gone with the run.
    with contextlib.suppress(OSError):
        path.write_text(text)
