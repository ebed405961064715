"""A flock that is waited for: it ends with whoever has it, and waiting for it ends, too."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.plugins import load

flock = load("module_utils", "split_flock")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_who_comes_second_waits_and_is_told_when_it_is_in_vain(tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "lock" if kind == "file" else tmp_path)
    with (
        flock.held(path, 0),
        pytest.raises(flock.HeldError, match=f"fuser -v {path}"),
        flock.held(path, 0.2),
    ):
        pass
    with flock.held(path, 0):
        pass  # free again


def test_waiting_ends_with_the_one_who_has_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = flock.held(path, 0)
    first.__enter__()
    timer = threading.Timer(0.4, first.__exit__, (None, None, None))
    timer.start()
    begun = time.monotonic()
    with flock.held(path, 20):
        assert time.monotonic() - begun > 0.3
    timer.join()


def test_who_was_started_with_it_holds_it_on(tmp_path: Path) -> None:
    """A build whose run was killed: its pip goes on, and nobody else may begin."""
    path = str(tmp_path / "lock")
    with flock.held(path, 0) as lock:
        waits = [sys.executable, "-c", "input()"]
        child = subprocess.Popen(waits, stdin=subprocess.PIPE, pass_fds=(lock,))
    with pytest.raises(flock.HeldError), flock.held(path, 0.2):
        pass
    child.communicate(b"\n")
    with flock.held(path, 0):
        pass


def test_what_fails_inside_lets_go_and_is_not_hidden(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with pytest.raises(TimeoutError, match="its own"), flock.held(path, 0):
        raise TimeoutError("its own")
    with flock.held(path, 0):
        pass
