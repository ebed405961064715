"""The process that holds a lock, without a playbook around it."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from tests.support.plugins import load

holder = load("module_utils", "split_holder")


def rounds(locks: str, site: str, times: int, wins: str) -> None:
    """Take a lock and let go again, many times; one byte for each time that it was ours alone."""
    holder.LOCKS = locks
    for _ in range(times):
        lock = holder.Lock(site)
        handle = lock._try()
        if handle is None:
            continue
        mark = Path(wins) / f"{site}-in"
        # Somebody else in here would find it there.
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        mark.unlink()
        with (Path(wins) / "count").open("a") as count:
            count.write("x")
        lock._clear()
        os.close(handle)


def test_folders_that_come_and_go_let_nobody_in_twice(tmp_path: Path) -> None:
    """Two runs of each of two sites; each end takes the folders away."""
    wins = tmp_path / "wins"
    wins.mkdir()
    fork = multiprocessing.get_context("fork")
    runs = [
        fork.Process(target=rounds, args=(str(tmp_path / "locks"), site, 400, str(wins)))
        for site in ("one", "one", "two", "two")
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join(60)
    assert [run.exitcode for run in runs] == [0, 0, 0, 0]
    assert (wins / "count").stat().st_size > 400
    assert not (tmp_path / "locks").exists()


def test_a_holder_that_ignores_nobody_ends_when_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, "LOCKS", str(tmp_path / "locks"))
    lock = holder.Lock("one")
    assert lock.take({"by": "ada@desk", "begun": 0.0}, lease=30, renewal=5) is None
    seen = lock.holder()
    assert (seen["by"], seen["release"]) == ("ada@desk", "")
    Path(lock.renewed).write_text("3f2a")
    assert lock.holder()["release"] == "3f2a"
    assert lock.free()["pid"] == seen["pid"]
    assert lock.holder() == {}
    assert lock.free() == {}


def test_the_clock_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renewal with a time long past is one all the same: a host may be set right meanwhile."""
    monkeypatch.setattr(holder, "LOCKS", str(tmp_path / "locks"))
    lock = holder.Lock("one")
    assert lock.take({"begun": 0.0}, lease=2, renewal=0.2) is None
    for second in range(8):
        time.sleep(0.5)
        os.utime(lock.renewed, (second, second))
    assert lock.holder()["pid"]
    deadline = time.monotonic() + 20
    while lock.holder():
        assert time.monotonic() < deadline
        time.sleep(0.1)
