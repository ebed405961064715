"""Processes that end for a migration come back, whatever becomes of the release."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plugins import load

service = load("modules", "split_service")
managers = load("module_utils", "split_service")


class _Manager:
    """Enabled processes, of which some run; a process manager of its own would need root."""

    def __init__(self, *running: str) -> None:
        self.ran = set(running)
        self.stops: list[tuple[str, ...]] = []
        self.broken: set[str] = set()

    def running(self, name: str) -> bool:
        return name in self.ran

    def enabled(self, name: str) -> bool:
        return name.startswith("s-")

    def stop(self, *names: str) -> None:
        self.stops.append(names)
        self.ran -= set(names)

    def start(self, name: str) -> None:
        if name in self.broken:
            raise service.ServiceError(f"{name} did not start")
        self.ran.add(name)

    def refresh(self) -> None:
        pass

    def restart(self, name: str) -> None:
        self.ran.add(name)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What each process was last loaded with, in memory."""
    kept: dict[str, str] = {}
    monkeypatch.setattr(service, "loaded", lambda site, name: kept.get(name, ""))
    monkeypatch.setattr(service, "forget", lambda site, name: kept.pop(name, None))
    monkeypatch.setattr(service, "remember", lambda site, name, what: kept.update({name: what}))
    return kept


def wanted(name: str) -> dict[str, object]:
    return {"name": name, "files": [], "also": "r2", "on_change": "restart", "restart_when": ""}


def test_those_that_run_end_side_by_side(records: dict[str, str]) -> None:
    """Each takes its own time; one after the other they would take the sum."""
    manager = _Manager("s-a", "s-b")
    assert service.pause(manager, "s", ["s-a", "s-b", "s-c"], False) == ["s-a", "s-b"]
    assert manager.stops == [("s-a", "s-b")]


def test_paused_and_resumed_it_is_replaced_by_the_next_release(records: dict[str, str]) -> None:
    """The same release may be built again after it has failed: it is not what runs."""
    manager = _Manager()
    service.converge(manager, "s", wanted("s-a"), False)
    assert service.converge(manager, "s", wanted("s-a"), False) is None
    service.pause(manager, "s", ["s-a"], False)
    assert service.resume(manager, ["s-a"], False) == {"s-a": "resumed"}
    assert service.converge(manager, "s", wanted("s-a"), False) == "restarted"


def test_what_runs_or_was_never_there_is_not_resumed(records: dict[str, str]) -> None:
    manager = _Manager("s-a")
    assert service.resume(manager, ["s-a", "other"], False) == {}


def test_one_that_does_not_start_hides_no_other_failure(records: dict[str, str]) -> None:
    manager = _Manager()
    manager.broken = {"s-a"}
    done = service.resume(manager, ["s-a", "s-b"], False)
    assert done == {"s-a": "not resumed: s-a did not start", "s-b": "resumed"}


def test_check_mode_ends_and_starts_nothing(records: dict[str, str]) -> None:
    manager = _Manager("s-a")
    assert service.pause(manager, "s", ["s-a"], True) == ["s-a"]
    assert manager.stops == []
    assert service.resume(manager, ["s-b"], True) == {"s-b": "resumed"}
    assert manager.ran == {"s-a"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1min", 60),
        ("1min 30s", 90),
        ("1h", 3600),
        ("35s", 35),
        ("500ms", 0.5),
        ("1h 1min 1.5s", 3661.5),
        ("infinity", 0),
        ("", 0),
    ],
)
def test_a_span_of_systemds_is_read(text: str, seconds: float) -> None:
    assert managers.span_seconds(text) == seconds
