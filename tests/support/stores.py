"""A real Redis or Memcached on a unix socket, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def redis_store(path: Path) -> Iterator[Path]:
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""]
    with _running("redis-server", [*command, "--dir", str(path.parent)], path):
        yield path


@contextlib.contextmanager
def memcached_store(path: Path) -> Iterator[Path]:
    with _running("memcached", ["memcached", "-s", str(path), "-u", "root", "-m", "16"], path):
        yield path


@contextlib.contextmanager
def _running(program: str, command: list[str], path: Path) -> Iterator[None]:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, path)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


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
