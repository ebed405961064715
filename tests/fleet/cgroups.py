"""A cgroup of its own for each host.

nspawn with --keep-unit works in the cgroup that it is started in, and two hosts in one would be two
systemds ruling the same tree. It is also how everything of a host is found and ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from . import paths


def hierarchies() -> list[Path]:
    """Mount points of cgroup2 (first) and of systemd's legacy hierarchy, if there is one."""
    unified: list[Path] = []
    legacy: list[Path] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, kind = line.partition(" - ")
        point, (filesystem, _, options) = Path(mount.split()[4]), kind.split()[:3]
        if filesystem == "cgroup2":
            unified.append(point)
        elif filesystem == "cgroup" and "name=systemd" in options.split(","):
            legacy.append(point)
    return unified[:1] + legacy[:1]


@dataclass(frozen=True)
class Cgroup:
    """The cgroups of one host, one per hierarchy."""

    name: str

    @property
    def directories(self) -> list[Path]:
        return [root / self.name for root in hierarchies()]

    def create(self) -> None:
        for directory in self.directories:
            directory.mkdir(exist_ok=True)

    def processes(self) -> list[int]:
        """Process ids of everything in the host, as the controller sees them."""
        found: set[int] = set()
        for directory in self.directories:
            # os.walk, since the tree changes under the walk: rglob raises at a directory just gone.
            for inner, _, _ in os.walk(directory):
                with contextlib.suppress(OSError):
                    found.update(map(int, Path(inner, "cgroup.procs").read_text().split()))
        # 0 stands for a process of a namespace that we do not see, and is our own group to kill(2).
        return sorted(found - {0})

    def commands(self) -> dict[int, str]:
        """The command line of each process."""
        lines = {}
        for pid in self.processes():
            with contextlib.suppress(OSError):  # it has just ended
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                lines[pid] = words.replace("\0", " ").strip()
        return lines

    def kill(self, seconds: float = 20) -> None:
        """End every process at once, as a cut of the power does."""
        deadline = time.monotonic() + seconds
        while processes := self.processes():
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {processes} live {seconds:g} s after SIGKILL")
            time.sleep(0.05)

    def remove(self) -> None:
        """Remove the directories, which must be empty of processes."""
        for directory in self.directories:
            if directory.is_dir():
                inner = [path for path in directory.rglob("*") if path.is_dir()]
                for path in sorted(inner, reverse=True):
                    path.rmdir()
                directory.rmdir()


def leftovers() -> list[str]:
    """Names of the hosts that have a cgroup on this machine."""
    return sorted({path.name for root in hierarchies() for path in root.glob(f"{paths.PREFIX}*")})
