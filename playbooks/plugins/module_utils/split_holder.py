"""The lock of a site's deploys: a flock, held by one process on the first admin host, with a lease.

The process ends, and the lock with it, when nobody has renewed it for the lease's seconds, when it
is told to (SIGTERM), when it is killed, and when the host reboots: a lock never outlives its run
for long.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import time
from typing import Any

from ansible.module_utils.split_flock import taken

# Only root writes in /run.
LOCKS = "/run/django-split"
# What is seen of the renewals is what has changed since the last look, so no clock matters.
LOOK_SECONDS = 0.5
# A run that has just ended may need a moment to let go.
PATIENCE_SECONDS = 1.5
# More than so many renewals that did not come: its run is gone, or cut off.
SILENT_RENEWALS = 3
# Runs that end take folders away while others make them.
ATTEMPTS = 1000


class Lock:
    """The lock of one site, whoever holds it."""

    def __init__(self, site: str) -> None:
        self.folder = os.path.join(LOCKS, site)
        self._lock = os.path.join(self.folder, "lock")
        self._holder = os.path.join(self.folder, "holder.json")
        # Written to by whoever renews (action/split_lock.py), with the release once it has a name.
        self.renewed = os.path.join(self.folder, "renewed")

    def _try(self) -> int | None:
        """The locked file's descriptor, or None when somebody else holds it."""
        for _ in range(ATTEMPTS):
            try:
                os.makedirs(self.folder, 0o755, exist_ok=True)
                handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            except (FileNotFoundError, FileExistsError):
                continue  # whoever held it, or another site's, takes the folder away
            if not taken(handle):
                os.close(handle)
                return None
            # Who held it takes the file away, and this may be the old one.
            with contextlib.suppress(FileNotFoundError):
                if os.stat(self._lock).st_ino == os.fstat(handle).st_ino:
                    return handle
            os.close(handle)
        raise OSError(f"{self.folder} is no folder, or comes and goes")

    def take(self, said: dict[str, Any], lease: float, renewal: float) -> dict[str, Any] | None:
        """Hold it in a process of its own; returns None, or who holds it already.

        One that has not been heard of for long is waited for until its lease is over.
        """
        begun = time.monotonic()
        until = begun + PATIENCE_SECONDS
        while True:
            handle = self._try()
            if handle is not None:
                self._hold(handle, said, lease)
                return None
            other = self.holder()
            if other and other["silent"] > SILENT_RENEWALS * renewal:
                until = max(until, begun + float(other["lease"]) - other["silent"] + 2)
            if time.monotonic() > until:
                return other or {}
            time.sleep(0.2)

    def _hold(self, handle: int, said: dict[str, Any], lease: float) -> None:
        """Leave a process behind that holds ``handle``; returns once it can be asked."""
        ready, tell = os.pipe()
        if os.fork() == 0:
            try:
                os.close(ready)
                self._detach({handle, tell})
                self._write({**said, "lease": lease, "pid": os.getpid()})
                os.close(tell)
                self._wait(lease)
            finally:
                self._clear()
                os._exit(0)
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)
        # The process has it: closed here, it stays locked.
        os.close(handle)

    @staticmethod
    def _detach(kept: set[int]) -> None:
        os.setsid()
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        for each in os.listdir("/proc/self/fd"):
            if int(each) > 2 and int(each) not in kept:
                with contextlib.suppress(OSError):
                    os.close(int(each))
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

        def end(number: int, frame: Any) -> None:
            raise SystemExit

        signal.signal(signal.SIGTERM, end)

    def _write(self, said: dict[str, Any]) -> None:
        with open(self.renewed, "w") as file:
            file.write("")
        with open(self._holder + ".new", "w") as file:
            json.dump(said, file)
        os.rename(self._holder + ".new", self._holder)

    def _wait(self, lease: float) -> None:
        seen, heard = 0, time.monotonic()
        while time.monotonic() - heard <= lease:
            time.sleep(LOOK_SECONDS)
            try:
                now = os.stat(self.renewed).st_mtime_ns
            except FileNotFoundError:
                return  # somebody has taken the folder away by hand
            if now != seen:
                seen, heard = now, time.monotonic()

    def _clear(self) -> None:
        for path in (self._holder, self.renewed, self._lock):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        for folder in (self.folder, LOCKS):
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def holder(self) -> dict[str, Any]:
        """Who holds it, its release and for how many seconds it was not heard of; {} for nobody."""
        try:
            with open(self._lock) as file:
                if taken(file.fileno(), fcntl.LOCK_SH):
                    return {}  # a file that nobody holds
        except FileNotFoundError:
            return {}
        try:
            with open(self._holder) as file:
                said: dict[str, Any] = json.load(file)
            with open(self.renewed) as file:
                release = file.read().strip()
            silent = max(0.0, time.time() - os.stat(self.renewed).st_mtime)
        except (OSError, ValueError):
            return {}  # it begins or ends just now
        return {**said, "release": release, "silent": silent}

    def free(self, seconds: float = 10) -> dict[str, Any]:
        """End it, whoever holds it; returns who that was, {} for nobody.

        Raises TimeoutError when its process does not end.
        """
        other = self.holder()
        if not other:
            return {}
        deadline = time.monotonic() + seconds
        number = signal.SIGTERM
        while self.holder().get("pid") == other["pid"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"process {other['pid']} does not end")
            with contextlib.suppress(ProcessLookupError):
                os.kill(other["pid"], number)
            time.sleep(0.1)
            if time.monotonic() > deadline - seconds / 2:
                number = signal.SIGKILL
        return other
