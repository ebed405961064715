"""Releases on a host: what serves is never pruned, and a failed one is kept for study."""

from __future__ import annotations

import json
import os
import subprocess
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


def releases(home: Path) -> list[Path]:
    return list((home / "releases").iterdir())


def names(home: Path) -> set[str]:
    return {path.name[0] for path in releases(home)}


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


def test_a_half_built_release_that_failed_is_set_aside(home: Path, run_module: RunModule) -> None:
    (home / "releases" / ("e" * 12) / ".complete").unlink()
    failed = run_module(
        "split_release", home=str(home), release="e" * 12, state="failed", keep=9, reason="Migrate"
    )
    assert Path(failed["path"]).name == f"failed-{'e' * 12}"
    assert json.loads((Path(failed["path"]) / ".failed").read_text())["reason"] == "Migrate"


def test_one_that_the_gate_refused_is_marked_and_stays_complete(
    home: Path, run_module: RunModule
) -> None:
    run_module("split_release", home=str(home), release="d" * 12, state="failed", keep=9)
    release = home / "releases" / ("d" * 12)
    assert (release / ".failed").exists()
    assert (release / ".complete").exists()
    # The cause was outside of it (a database that was away): the next run serves it after all.
    run_module("split_release", home=str(home), release="d" * 12, state="current", keep=9)
    assert not (release / ".failed").exists()


def test_one_that_serves_is_never_marked(home: Path, run_module: RunModule) -> None:
    (home / "live" / "main.sock").symlink_to(f"/run/site/main/main-{'a' * 12}.sock")
    done = run_module("split_release", home=str(home), release="a" * 12, state="failed")
    assert done["changed"] is False


def test_failures_do_not_fill_the_disk_and_take_nothing_that_served(
    home: Path, run_module: RunModule
) -> None:
    """a and b served; then three that are new fail, one after the other."""
    for name in ("a", "b"):
        run_module("split_release", home=str(home), release=name * 12, state="current", keep=9)
    for name in ("1", "2", "3"):
        (home / "releases" / (name * 12)).mkdir()
        run_module("split_release", home=str(home), release=name * 12, state="failed", keep=1)
    left = {path.name for path in releases(home)}
    assert left == {"a" * 12, "b" * 12, f"failed-{'3' * 12}"}


def test_a_full_disk_keeps_nothing_of_a_half_built_release(
    home: Path, run_module: RunModule
) -> None:
    (home / "releases" / ("e" * 12) / ".complete").unlink()
    failed = run_module(
        "split_release",
        home=str(home),
        release="e" * 12,
        state="failed",
        keep=9,
        free_megabytes=10**9,
    )
    assert failed["path"] == ""
    assert names(home) == {"a", "b", "c", "d"}


def test_what_a_worker_still_runs_in_stays(home: Path, run_module: RunModule) -> None:
    """Until it has ended: nothing that it has yet to import goes, nor the virtualenv."""
    (home / "venvs" / "old" / "venv").mkdir(parents=True)
    old = home / "releases" / ("b" * 12)
    (old / "venv").symlink_to(home / "venvs" / "old" / "venv")

    def publish() -> list[str]:
        done = run_module(
            "split_release", home=str(home), release="e" * 12, state="current", keep=1
        )
        found: list[str] = done["busy"]
        return found

    with subprocess.Popen(["sleep", "600"], cwd=old) as worker:
        busy = publish()
        worker.kill()
    assert busy == ["b" * 12]
    assert names(home) == {"e", "b"}
    assert (home / "venvs" / "old" / "venv").is_dir()
    assert publish() == []
    assert names(home) == {"e"}


def test_a_worker_that_stands_elsewhere_is_known_by_its_command(
    home: Path, run_module: RunModule
) -> None:
    script = home / "releases" / ("b" * 12) / "beat"
    script.write_text("#!/bin/sh\nread line\n")
    script.chmod(0o755)
    with subprocess.Popen([script], cwd="/", stdin=subprocess.PIPE) as worker:
        run_module("split_release", home=str(home), release="e" * 12, state="current", keep=1)
        worker.kill()
    assert names(home) == {"e", "b"}


def test_a_virtualenv_goes_with_the_last_release_that_has_it(
    home: Path, run_module: RunModule
) -> None:
    for name in ("one", "two", "unused"):
        (home / "venvs" / name / "venv").mkdir(parents=True)
    for name, venv in (("e", "one"), ("d", "one"), ("c", "two")):
        (home / "releases" / (name * 12) / "venv").symlink_to(home / "venvs" / venv / "venv")
    run_module("split_release", home=str(home), release="e" * 12, state="current", keep=3)
    assert {path.name for path in (home / "venvs").iterdir()} == {"one", "two"}
    run_module("split_release", home=str(home), release="e" * 12, state="current", keep=2)
    assert {path.name for path in (home / "venvs").iterdir()} == {"one"}


def test_what_is_before_a_release_is_what_was_deployed_before_it(
    home: Path, run_module: RunModule
) -> None:
    for moment, name in enumerate("abc"):
        run_module("split_release", home=str(home), release=name * 12, state="current", keep=9)
        served = home / "releases" / (name * 12) / ".served"
        os.utime(served, (2_000_000 + moment, 2_000_000 + moment))
    back = run_module(
        "split_release", home=str(home), release="b" * 12, state="current", keep=9, deployed=False
    )
    assert back["current"] == "b" * 12
    # c was deployed after b, and going back to b did not change that.
    assert [name[0] for name in back["served"]] == ["c", "b", "a"]
    again = run_module("split_release", home=str(home), release="a" * 12, state="current", keep=9)
    assert [name[0] for name in again["served"]] == ["a", "c", "b"]


def test_a_release_without_the_mark_is_not_complete(home: Path, run_module: RunModule) -> None:
    (home / "releases" / ("e" * 12) / "plan.json").write_text('{"format": 1}')
    seen = run_module("split_release", home=str(home), release="e" * 12)
    assert (seen["complete"], seen["plan"]) == (True, {"format": 1})
    (home / "releases" / ("e" * 12) / ".complete").unlink()
    seen = run_module("split_release", home=str(home), release="e" * 12)
    assert (seen["complete"], seen["plan"]) == (False, {})


def test_what_failed_before_it_had_a_folder_is_not_said_to_be_kept(
    home: Path, run_module: RunModule
) -> None:
    failed = run_module("split_release", home=str(home), release="9" * 12, state="failed")
    assert (failed["changed"], failed["path"]) == (False, "")
