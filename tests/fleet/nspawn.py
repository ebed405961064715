"""systemd-nspawn, nsenter and mount: the command lines, and why each option is there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from . import cgroups
from .cgroups import Cgroup

# nspawn refuses to remove its own mount point where /run is on a disk, and leaves it to us.
PROPAGATE = Path("/run/systemd/nspawn/propagate")

TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "setpriv", "journalctl", "git")

# Writes itself into the cgroups named before the "--", then becomes the command after it.
INTO_CGROUPS = """
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"
"""


def unavailable() -> str | None:
    """Why this machine cannot run hosts, or None when it can."""
    if os.geteuid() != 0:
        return "test hosts need root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"no {', '.join(missing)} (apt-get install mmdebstrap systemd-container git)"
    if not cgroups.hierarchies() or not os.access(cgroups.hierarchies()[0], os.W_OK):
        return "no writable cgroup2 hierarchy is mounted"
    return None


def mount_overlay(target: Path, options: str) -> None:
    words = ["mount", "-t", "overlay", "overlay", "-o", options, str(target)]
    subprocess.run(words, check=True, timeout=30)


def mount_disk(target: Path, megabytes: int) -> None:
    """A disk that can be filled, which the machine's own should not be: in memory."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(target)]
    subprocess.run(words, check=True, timeout=30)


def unmount(target: Path, seconds: float = 10) -> None:
    """Unmount a directory if it is mounted on. Who died just now may hold it for a moment."""
    deadline = time.monotonic() + seconds
    while os.path.ismount(target):
        ended = subprocess.run(["umount", str(target)], capture_output=True, text=True, timeout=30)
        if ended.returncode != 0 and time.monotonic() > deadline:
            raise OSError(f"cannot unmount {target}: {ended.stderr.strip()}")
        time.sleep(0.05)


def start(
    name: str,
    root: Path,
    cgroup: Cgroup,
    console: IO[bytes],
    *,
    init: bool,
    bridge: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start nspawn on a root directory. It ends with the host; a reboot is an end too (133).

    With `bridge` the host has a network of its own, plugged in there; else it shares the machine's.
    """
    words = [
        "systemd-nspawn",
        "--quiet",
        f"--directory={root}",
        f"--machine={name}",
        # No machined and no systemd needed on the controller.
        "--register=no",
        "--keep-unit",
        # The journal stays on the host's disk.
        "--link-journal=no",
        # The machine's network is the host's: so are its name servers. A bridge has none.
        *([f"--network-bridge={bridge}"] if bridge else []),
        f"--resolv-conf={'off' if bridge else 'copy-host'}",
        *(["--boot"] if init else ["--as-pid2", "sleep", "infinity"]),
    ]
    return subprocess.Popen(
        ["sh", "-c", INTO_CGROUPS, "sh", *map(str, cgroup.directories), "--", *words],
        stdin=subprocess.DEVNULL,
        stdout=console,
        stderr=subprocess.STDOUT,
        # Debian 13's systemd does not boot on the legacy hierarchy; 12's takes the new one as well.
        env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        # Ctrl-C is for pytest: its finalizers take the host down in order.
        start_new_session=True,
    )


def leader(cgroup: Cgroup) -> int | None:
    """The process that is number 1 inside, as the controller counts; None when the host is off."""
    for pid in cgroup.processes():
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            inside = [line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")]
            if inside and len(inside[0]) == 2 and inside[0][1] == "1":
                return pid
    return None


def enter(leader: int) -> list[str]:
    """Words before a command that is to run inside: every namespace that nspawn made."""
    spaces = ("--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net")
    return ["nsenter", f"--target={leader}", *spaces, "--"]


@dataclass(frozen=True)
class Run:
    """One command on a host, and how to end it with everything that it started."""

    leader: int
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    directory: str

    def in_unit(self) -> list[str]:
        """As a unit of the host's systemd, with the rights and the cgroup of a service there."""
        return [
            *enter(self.leader),
            "systemd-run",
            "--quiet",
            "--pipe",
            "--wait",
            "--collect",
            f"--unit={self.name}",
            f"--working-directory={self.directory}",
            *(f"--setenv={key}={value}" for key, value in self.environment.items()),
            "--",
            # systemd expands $NAME in a unit's command line; the shell's are not its business.
            *(word.replace("$", "$$") for word in self.words),
        ]

    def end_unit(self) -> None:
        for verb in (["kill", "--signal=KILL"], ["stop"]):
            words = [*enter(self.leader), "systemctl", *verb, f"{self.name}.service"]
            subprocess.run(words, capture_output=True, timeout=30)

    def in_cgroup(self, cgroup: Cgroup) -> list[str]:
        """Without systemd: in a cgroup below the host's, with the rights of its process 1."""
        unified, *legacy = cgroup.directories
        own = unified / "payload" / self.name
        own.mkdir()
        bounding = next(
            int(line.split()[1], 16)
            for line in Path(f"/proc/{self.leader}/status").read_text().splitlines()
            if line.startswith("CapBnd:")
        )
        rights = ",".join(["-all", *(f"+cap_{n}" for n in range(64) if bounding >> n & 1)])
        return [
            *(
                "sh",
                "-c",
                INTO_CGROUPS,
                "sh",
                str(own),
                *(str(each / "payload") for each in legacy),
                "--",
            ),
            *enter(self.leader),
            *("setpriv", "--inh-caps=-all", f"--bounding-set={rights}", "--"),
            *("env", "--ignore-environment", f"--chdir={self.directory}"),
            *(f"{key}={value}" for key, value in self.environment.items()),
            *self.words,
        ]

    def end_cgroup(self, cgroup: Cgroup) -> None:
        unified = cgroup.directories[0]
        Cgroup(f"{unified.name}/payload/{self.name}").kill()
