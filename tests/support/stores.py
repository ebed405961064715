"""A real Redis or Memcached on a unix socket, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis


@dataclass
class Server:
    """One that a test may kill, stop in its tracks, and start again, at the same place."""

    command: list[str]
    path: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.path}?db=0"

    def start(self) -> None:
        if shutil.which(self.command[0]) is None:
            pytest.skip(f"{self.command[0]} is not installed")
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, stdout=quiet, stderr=quiet)
        _wait(self.process, self.path)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None
            self.path.unlink(missing_ok=True)  # Memcached refuses to start on an old one

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.kill(how)
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It accepts connections, and answers nobody."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def ask(self, *words: str | int, **how: Any) -> Any:
        """Ask a Redis as an administrator, with this one command."""
        quiet = {"protocol": 2, "driver_info": None, **how}
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.path), **quiet)) as client:
            return client.execute_command(*words)

    def wait_until_loaded(self) -> None:
        while self.ask("INFO", "persistence")["loading"]:
            time.sleep(0.01)

    def calls(self) -> dict[str, int]:
        """How often each command was called since the last time."""
        stats = self.ask("INFO", "commandstats")
        self.ask("CONFIG", "RESETSTAT")
        names = {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}
        return {
            name: calls
            for name, calls in names.items()
            if name.split("|")[0] not in ("info", "config")
        }


@contextlib.contextmanager
def redis_server(*options: str, under: str | None = None) -> Iterator[Server]:
    """A Redis in a folder of its own, whose name is short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="split-store-", dir=under) as folder:
        path = Path(folder, "store.sock")
        command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--dir", folder]
        with _running(Server([*command, "--save", "", *options], path)) as server:
            yield server


@contextlib.contextmanager
def memcached_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="split-store-") as folder:
        path = Path(folder, "store.sock")
        command = ["memcached", "-s", str(path), "-u", "root", "-m", "16"]
        with _running(Server(command, path)) as server:
            yield server


@contextlib.contextmanager
def redis_store(path: Path) -> Iterator[Path]:
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    with _running(Server([*command, "--dir", str(path.parent)], path)):
        yield path


@contextlib.contextmanager
def memcached_store(path: Path) -> Iterator[Path]:
    with _running(Server(["memcached", "-s", str(path), "-u", "root", "-m", "16"], path)):
        yield path


@contextlib.contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.kill(signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], path: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.connect(str(path))
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"no store at {path}: {process.args!r}")
