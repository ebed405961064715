"""What a run leaves written of its flip, for who comes after a kill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import RunModule

OLD, NEW = "a" * 12, "b" * 12


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The old release serves, the new one is built."""
    (tmp_path / "live").mkdir()
    for name in (OLD, NEW):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / ".complete").touch()
    (tmp_path / "releases" / OLD / ".served").touch()
    serve(tmp_path, OLD)
    return tmp_path


def link(home: Path, instance: str, release: str) -> None:
    path = home / "live" / f"{instance}.sock"
    path.unlink(missing_ok=True)
    path.symlink_to(f"/run/site/{instance}/{instance}-{release}.sock")


def serve(home: Path, release: str) -> None:
    for instance in ("main", "admin"):
        link(home, instance, release)
    (home / "current").unlink(missing_ok=True)
    (home / "current").symlink_to(f"releases/{release}")


@pytest.fixture
def flip(home: Path, run_module: RunModule) -> Any:
    def run(state: str, release: str = NEW, **more: Any) -> bool:
        done = run_module("split_flip", home=str(home), release=release, state=state, **more)
        return bool(done["changed"])

    return run


@pytest.fixture
def seen(home: Path, run_module: RunModule) -> Any:
    def see(release: str = NEW) -> dict[str, Any]:
        return run_module("split_release", home=str(home), release=release)

    return see


def test_the_hook_is_due_until_it_ran(home: Path, flip: Any, seen: Any) -> None:
    """Whatever has been linked by then: a kill behind that is no reason to leave it out."""
    assert not seen()["hook_due"]
    assert flip("begun")
    serve(home, NEW)
    assert seen()["hook_due"]
    assert not flip("begun"), "it has all of the traffic"
    assert seen()["hook_due"]
    assert not seen(OLD)["hook_due"]
    assert flip("hooked")
    assert not seen()["hook_due"]
    assert not flip("hooked")


def test_what_nginx_may_have_is_known_to_the_end(home: Path, flip: Any, seen: Any) -> None:
    flip("begun")
    serve(home, NEW)
    assert seen()["left"] == [OLD]
    # A deploy of another one begins before the rest of this is done.
    third = "c" * 12
    flip("begun", third)
    assert seen(third)["left"] == sorted([OLD, NEW])
    assert flip("ended", third)
    assert seen(third)["left"] == []
    assert not flip("ended", third)


def test_a_rollback_goes_on_until_it_ends_or_a_deploy_takes_over(
    home: Path, flip: Any, seen: Any
) -> None:
    flip("begun", back=True)
    assert seen()["back"] == NEW
    link(home, "admin", NEW)
    assert seen()["back"] == NEW
    flip("begun", "c" * 12)
    assert seen()["back"] == OLD


def test_a_flip_that_was_killed_half_way_makes_nothing_serve(home: Path, seen: Any) -> None:
    """Its link has another name still."""
    (home / "live" / "main.sock.new").symlink_to(f"/run/site/main/main-{NEW}.sock")
    assert seen()["serving"] == [OLD]


def test_check_mode_writes_nothing(home: Path, run_module: RunModule) -> None:
    done = run_module("split_flip", check=True, home=str(home), release=NEW, state="begun")
    assert done["changed"]
    assert not (home / "live" / "flip.json").exists()
