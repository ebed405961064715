"""Releases on a host: what serves is never pruned, and a failed one is kept for study."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.plugins import load

from .conftest import RunModule

release = load("modules", "split_release")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "live").mkdir()
    for age, name in enumerate(["e" * 12, "d" * 12, "c" * 12, "b" * 12, "a" * 12]):
        folder = tmp_path / "releases" / name
        folder.mkdir(parents=True)
        (folder / ".complete").touch()
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    return tmp_path


def names(home: Path) -> set[str]:
    return {path.name[0] for path in (home / "releases").iterdir()}


def test_the_oldest_go_and_those_that_serve_stay(home: Path, run_module: RunModule) -> None:
    (home / "live" / "main.sock").symlink_to(f"/run/site/main/main-{'a' * 12}.sock")
    done = run_module("split_release", home=str(home), release="e" * 12, state="current", keep=2)
    # e is the new one, a serves still (a deploy of main alone is under way), d is the one to go
    # back to.
    assert names(home) == {"e", "d", "a"}
    assert sorted(done["pruned"]) == ["b" * 12, "c" * 12]
    assert os.readlink(home / "current") == f"releases/{'e' * 12}"


def test_what_the_gate_refused_does_not_push_out_the_one_to_go_back_to(
    home: Path, run_module: RunModule
) -> None:
    """a served; b, c and d never did; e is the next that does."""
    for name in ("a", "e"):
        run_module("split_release", home=str(home), release=name * 12, state="current", keep=9)
    run_module("split_release", home=str(home), release="e" * 12, state="current", keep=2)
    assert names(home) == {"e", "a"}


def test_a_second_run_changes_nothing(home: Path, run_module: RunModule) -> None:
    run_module("split_release", home=str(home), release="e" * 12, state="current", keep=5)
    again = run_module("split_release", home=str(home), release="e" * 12, state="current", keep=5)
    assert again["changed"] is False
    assert again["pruned"] == []


def test_check_mode_prunes_and_links_nothing(home: Path, run_module: RunModule) -> None:
    done = run_module(
        "split_release", check=True, home=str(home), release="e" * 12, state="current", keep=1
    )
    assert done["changed"] is True
    assert names(home) == {"a", "b", "c", "d", "e"}
    assert not (home / "current").exists()


def test_what_a_killed_prune_left_is_finished(home: Path) -> None:
    (home / "releases" / ("a" * 12)).rename(home / "releases" / f".pruned-{'a' * 12}")
    release.prune(str(home), "e" * 12, 5, False)
    assert not list((home / "releases").glob(".pruned-*"))


def test_a_release_that_failed_is_set_aside_and_a_complete_one_never(
    home: Path, run_module: RunModule
) -> None:
    (home / "releases" / ("e" * 12) / ".complete").unlink()
    failed = run_module("split_release", home=str(home), release="e" * 12, state="failed")
    assert Path(failed["path"]).name == f"failed-{'e' * 12}"
    assert Path(failed["path"]).is_dir()
    kept = run_module("split_release", home=str(home), release="d" * 12, state="failed")
    assert kept["changed"] is False
    assert (home / "releases" / ("d" * 12) / ".complete").exists()


def test_a_release_without_the_mark_is_not_complete(home: Path, run_module: RunModule) -> None:
    (home / "releases" / ("e" * 12) / "plan.json").write_text('{"format": 1}')
    seen = run_module("split_release", home=str(home), release="e" * 12)
    assert (seen["complete"], seen["plan"]) == (True, {"format": 1})
    (home / "releases" / ("e" * 12) / ".complete").unlink()
    seen = run_module("split_release", home=str(home), release="e" * 12)
    assert (seen["complete"], seen["plan"]) == (False, {})
