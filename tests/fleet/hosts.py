"""A host: one Debian machine in systemd-nspawn, its disk laid over an image that stays as built."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from . import controller, locks, nspawn, paths
from .cgroups import Cgroup
from .images import Image
from .processes import start_time

BOOT_SECONDS = 60
POWER_OFF_SECONDS = 60
COMMAND_SECONDS = 120

# What a root shell on a fresh Debian has. No TERM: nobody sits there.
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "LOGNAME": "root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SHELL": "/bin/bash",
    "USER": "root",
}


class HostError(Exception):
    """A host did not do what was asked; the message ends with its console or a command's output."""


class CommandError(HostError):
    """A command on a host failed or took too long."""


class Host:
    """One host. Use `Host.boot`, and the host as a context manager: it is removed at its end."""

    # The network that it is plugged into; without one it shares the machine's (see `network`).
    bridge: str | None = None
    # How large its disk is; without a figure, as large as the machine's.
    disk_megabytes: int | None = None

    def __init__(self, name: str, image: Image, *, init: bool) -> None:
        self.name = name
        self.image = image
        self.init = init
        self._cgroup = Cgroup(name)
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._counter = itertools.count(1)

    @classmethod
    def boot(cls, image: Image, *, init: bool = True, name: str | None = None) -> Self:
        """Boot a new host and return it once it takes commands.

        With `init`, systemd is process 1; without, a stub is, as in a container, and `sleep` keeps
        it up. The host shares the machine's network, ports too.
        Raises HostError with the console's last lines, BuildError when there is no image.
        """
        host = cls(name or f"{paths.PREFIX}{secrets.token_hex(3)}", image, init=init)
        try:
            host._make_disk()
            host.start()
        except BaseException:  # Ctrl-C too: nobody else knows the name yet
            host.remove()
            raise
        return host

    def keep(self) -> None:
        """Let the host live on after this process, until `python -m tests.fleet.down`."""
        (self.directory / "owner").write_text("kept\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Host {self.name} {self.image.release} {'systemd' if self.init else 'no init'}>"

    # Disk

    @property
    def directory(self) -> Path:
        return paths.HOSTS / self.name

    @property
    def root(self) -> Path:
        """The host's disk from outside: without what the host mounts on it (/run, /tmp)."""
        return self.directory / "root"

    def _make_disk(self) -> None:
        lower = self.image.ensure()
        # `down` takes a directory without a living owner for a leftover.
        with locks.held("hosts"):
            self.directory.mkdir(parents=True)
            (self.directory / "owner").write_text(f"{os.getpid()} {start_time(os.getpid())}\n")
        disk = self.directory / "disk"
        for part in (self.root, disk):
            part.mkdir()
        if self.disk_megabytes:
            nspawn.mount_disk(disk, self.disk_megabytes)
        for part in (disk / "upper", disk / "work"):
            part.mkdir()
        options = f"lowerdir={lower},upperdir={disk}/upper,workdir={disk}/work"
        nspawn.mount_overlay(self.root, options)
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        # Without a machine id systemd takes the boot for the first ever and applies presets.
        (self.root / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
        with (self.root / "etc/hosts").open("a") as hosts:
            hosts.write(f"127.0.1.1 {self.name}\n")

    def fill_disk(self) -> None:
        """Leave no room on the disk, not for a byte, until `empty_disk`."""
        if not self.disk_megabytes:
            raise ValueError(f"{self} was booted with the machine's own disk")
        self.run("dd if=/dev/zero of=/filler bs=1M; dd if=/dev/zero of=/filler2 bs=1", check=False)
        assert self.run("df --output=avail / | tail -1").stdout.strip() == "0"

    def empty_disk(self) -> None:
        """Give the room back."""
        self.run("rm -f /filler /filler2")

    # Power

    def start(self, timeout: float = BOOT_SECONDS) -> None:
        """Switch the host on and wait until it takes commands."""
        self._cgroup.create()
        with self.console_log.open("ab") as console:
            self._nspawn = nspawn.start(
                self.name, self.root, self._cgroup, console, init=self.init, bridge=self.bridge
            )
        deadline = time.monotonic() + timeout
        while not self._ready(deadline):
            if self._nspawn.poll() is not None:
                raise HostError(f"{self} ended while it booted:\n{self.console()}")
            if time.monotonic() > deadline:
                raise HostError(f"{self} not up after {timeout:g} s:\n{self.console()}")
            time.sleep(0.1)

    def _ready(self, deadline: float) -> bool:
        if self.init:
            asked = self._peek("systemctl", "is-system-running", "--wait", until=deadline)
            return asked in ("running", "degraded")
        # Seen from outside: a command that enters early would be process 2 in the sleeper's place.
        return "sleep infinity" in self._cgroup.commands().values()

    def _peek(self, *command: str, until: float) -> str:
        """What a command says on a host that may not be up yet; empty when it cannot speak."""
        leader = nspawn.leader(self._cgroup)
        if leader is None:
            return ""
        with contextlib.suppress(subprocess.TimeoutExpired):
            said = subprocess.run(
                [*nspawn.enter(leader), "env", "-i", f"PATH={ENVIRONMENT['PATH']}", *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=max(1.0, until - time.monotonic()),
            )
            return said.stdout.strip()
        return ""

    @property
    def running(self) -> bool:
        return self._nspawn is not None and self._nspawn.poll() is None

    def poweroff(self, timeout: float = POWER_OFF_SECONDS) -> None:
        """Shut the host down in order. Its disk stays; `start` brings it back."""
        if self.running and self._nspawn is not None:
            self._nspawn.terminate()  # nspawn asks process 1 to halt
            self._wait_for_end(timeout)

    def reboot(self, timeout: float = BOOT_SECONDS) -> None:
        """Reboot in order: what runs afterwards came up by itself."""
        if self.init:
            # --no-block: the answer would race with the end of the connection it comes over.
            self.run(["systemctl", "--no-block", "reboot"])
            self._wait_for_end(POWER_OFF_SECONDS)
        else:
            self.poweroff()
        self.start(timeout)

    def cut_power(self) -> None:
        """End everything at once, without a chance to write anything."""
        self._cgroup.kill()
        self._wait_for_end(POWER_OFF_SECONDS)

    def _wait_for_end(self, timeout: float) -> None:
        assert self._nspawn is not None
        try:
            self._nspawn.wait(timeout)
        except subprocess.TimeoutExpired:
            raise HostError(f"{self} still up after {timeout:g} s:\n{self.console()}") from None
        self._nspawn = None
        self._cgroup.kill()

    def remove(self) -> None:
        """Take the host and its disk away. May be called in any state, and twice."""
        remove(self.name)
        if self._nspawn is not None:
            self._nspawn.wait(POWER_OFF_SECONDS)
            self._nspawn = None

    # Commands

    def leader(self) -> int:
        """The host's process 1, as the controller counts. Raises HostError when it is off."""
        if (leader := nspawn.leader(self._cgroup)) is None:
            raise HostError(f"{self} is not running:\n{self.console()}")
        return leader

    def run(
        self,
        command: str | Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/root",
        stdin: bytes = b"",
        timeout: float = COMMAND_SECONDS,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root, a string by bash, and return its exit status and output.

        With systemd it is a unit of its own, so nothing it leaves in the background lives on.
        Raises CommandError with the end of the output when it fails (`check`) or takes longer than
        `timeout` seconds.
        """
        leader = self.leader()
        words = ["bash", "-c", command] if isinstance(command, str) else list(command)
        run = nspawn.Run(
            leader=leader,
            name=f"fleet-run-{next(self._counter)}",
            words=words,
            environment={**ENVIRONMENT, **controller.environment(), **(env or {})},
            directory=cwd,
        )
        ended, late = self._execute(run, stdin, timeout)
        if late:
            raise CommandError(f"{self}: {command} not done in {timeout:g} s\n{_tail(ended)}")
        if check and ended.returncode != 0:
            raise CommandError(f"{self}: {command} exits {ended.returncode}\n{_tail(ended)}")
        return ended

    def _execute(
        self, run: nspawn.Run, stdin: bytes, timeout: float
    ) -> tuple[subprocess.CompletedProcess[str], bool]:
        # Files, not pipes: a daemon that keeps its parent's output open must not keep us waiting.
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin)
            given.seek(0)
            words = run.in_unit() if self.init else run.in_cgroup(self._cgroup)
            process = subprocess.Popen(words, stdin=given, stdout=out, stderr=err)
            late = False
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                late = True
            finally:
                if process.poll() is None:  # too late, or Ctrl-C
                    run.end_unit() if self.init else run.end_cgroup(self._cgroup)
                    process.kill()
                    process.wait()
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
            return subprocess.CompletedProcess(run.words, process.returncode, *texts), late

    def copy_in(self, source: Path, destination: str) -> None:
        """Copy a file or directory to an absolute path of the host, owned by root there."""
        target = Path(destination)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(source, arcname=target.name, filter=_owned_by_root)
        self.run(["mkdir", "-p", str(target.parent)])
        self.run(["tar", "-x", "-C", str(target.parent)], stdin=packed.getvalue())

    def clone_repo(self, destination: str = "/root/django-split") -> None:
        """Put a clean clone of the repository's HEAD onto the host, without a remote."""
        with tempfile.TemporaryDirectory(prefix=paths.PREFIX) as scratch:
            clone = Path(scratch) / "clone"
            for words in (
                ["clone", "--quiet", "--depth=1", f"file://{paths.REPOSITORY}", str(clone)],
                ["-C", str(clone), "remote", "remove", "origin"],
            ):
                subprocess.run(["git", *words], check=True, timeout=COMMAND_SECONDS)
            self.copy_in(clone, destination)

    # What it says

    def processes(self) -> dict[int, str]:
        """Command lines of all its processes, by the ids that the controller knows them by."""
        return self._cgroup.commands()

    @property
    def console_log(self) -> Path:
        return self.directory / "console.log"

    def console(self, lines: int = 40) -> str:
        """The last lines of the console, over all boots."""
        if not self.console_log.exists():
            return "(no console yet)"
        return "\n".join(self.console_log.read_text(errors="replace").splitlines()[-lines:])

    def journal(self, unit: str | None = None, lines: int = 80) -> str:
        """The journal's last lines, of one unit or all, also of a host that is off.

        Without systemd there is none: then the console's.
        """
        journal = self.root / "var/log/journal"
        if not self.init or not journal.is_dir():
            return self.console(lines)
        words = [
            "journalctl",
            "--no-pager",
            "--quiet",
            f"--lines={lines}",
            f"--directory={journal}",
        ]
        words += [f"--unit={unit}"] if unit else []
        return subprocess.run(words, capture_output=True, text=True, timeout=60).stdout


def remove(name: str) -> None:
    """Take away whatever there is of a host: processes, mounts, directories, cgroups."""
    if not name.startswith(paths.PREFIX):
        raise ValueError(
            f"{name} is not a host of ours: its name does not begin with {paths.PREFIX}"
        )
    cgroup = Cgroup(name)
    cgroup.kill()
    directory = paths.HOSTS / name
    nspawn.unmount(directory / "root")
    nspawn.unmount(directory / "disk")
    if directory.is_dir():
        shutil.rmtree(directory)
    cgroup.remove()
    shutil.rmtree(nspawn.PROPAGATE / name, ignore_errors=True)


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _tail(ended: subprocess.CompletedProcess[str], characters: int = 6000) -> str:
    parts = (("stdout", ended.stdout), ("stderr", ended.stderr))
    return "\n".join(f"--- {name}\n{text[-characters:]}" for name, text in parts if text)
