"""The gate asks the new process itself, and the flip leaves no moment without a target."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load
from tests.support.unix_http import serving

instance = load("modules", "split_instance")

GATE = {"path": "/", "host": "site.example", "scheme": "http", "status": [200], "text": "Gazette"}


def ask(path: Path, **changes: Any) -> str | None:
    wrong: str | None = instance.pass_gate(
        str(path), {**GATE, "seconds": 1, **changes}, lambda: True
    )
    return wrong


def test_the_right_answer_passes_with_the_sites_own_host(tmp_path: Path) -> None:
    with serving(tmp_path / "s", 200, b"The Gazette") as server:
        assert ask(tmp_path / "s") is None
    assert server.seen[0]["Host"] == "site.example"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"Gazette", "answered 500"),
        (302, b"Gazette", "answered 302"),
        (200, b"It works!", "without the text 'Gazette'"),
    ],
)
def test_a_wrong_answer_is_refused_and_said(
    tmp_path: Path, status: int, body: bytes, told: str
) -> None:
    with serving(tmp_path / "s", status, body) as server:
        assert told in str(ask(tmp_path / "s"))
    assert len(server.seen) == 1, "a broken release is asked once: the operator waits"


def test_several_statuses_may_be_right(tmp_path: Path) -> None:
    with serving(tmp_path / "s", 302, b""):
        assert ask(tmp_path / "s", status=[200, 302], text="") is None


def test_nobody_listening_is_said_within_the_time(tmp_path: Path) -> None:
    assert "for 1 s" in str(ask(tmp_path / "s"))


def test_a_process_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    gate = {**GATE, "seconds": 600}
    assert "ended by itself" in instance.pass_gate(str(tmp_path / "s"), gate, lambda: False)


def test_the_flip_never_leaves_the_link_away(tmp_path: Path) -> None:
    link = tmp_path / "main.sock"
    instance.flip(str(link), "/run/site/main/main-0.sock")
    gone = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            try:
                os.readlink(link)
            except OSError as error:
                gone.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(500):
        instance.flip(str(link), f"/run/site/main/main-{number}.sock")
    stop.set()
    watcher.join()
    assert gone == []
    assert os.readlink(link).endswith("main-499.sock")


def test_a_flip_that_was_killed_half_way_is_done_again(tmp_path: Path) -> None:
    link = tmp_path / "main.sock"
    Path(str(link) + ".new").symlink_to("/run/site/main/main-old.sock")
    instance.flip(str(link), "/run/site/main/main-new.sock")
    assert os.readlink(link).endswith("main-new.sock")
    assert [path.name for path in tmp_path.iterdir()] == ["main.sock"]


def test_a_site_without_a_home_page_is_told_what_to_set(tmp_path: Path) -> None:
    gate = {**GATE, "text": ""}
    with serving(tmp_path / "s", 404, b"Not Found"):
        wrong = ask(tmp_path / "s", text="")
    told = instance.advice("main", gate, wrong)
    assert 'site_gate_path is "/"' in told
    assert "site_gate_status is 200" in told


def test_a_broken_site_is_not_told_to_move_its_gate(tmp_path: Path) -> None:
    with serving(tmp_path / "s", 500, b"Server Error"):
        wrong = ask(tmp_path / "s")
    assert instance.advice("main", GATE, wrong) == ""
    # The admin's gate is its login page, which no variable moves.
    assert instance.advice("admin", GATE, "GET /admin/login/ answered 404") == ""


class _Manager:
    """Remembers what it was told to stop; a process manager of its own would need root."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    def log(self, name: str) -> str:
        return "ImportError: no module"

    def stop(self, name: str) -> None:
        self.stopped.append(name)

    def disable(self, name: str) -> None:
        pass


class _Module:
    def fail_json(self, msg: str, **said: object) -> None:
        self.msg, self.said = msg, said


@pytest.mark.parametrize(
    ("flipped", "live", "told", "stopped"),
    [
        (False, "/run/s/main/main-0123.sock", "served before still does", ["s-main@4567"]),
        (False, "", "None serves yet", ["s-main@4567"]),
        (True, "/run/s/main/main-4567.sock", "has the traffic", []),
    ],
)
def test_a_refused_release_is_told_with_what_serves_now(
    flipped: bool, live: str, told: str, stopped: list[str]
) -> None:
    module, manager = _Module(), _Manager()
    result = {"before": "/run/s/main/main-0123.sock"} if flipped else {}
    instance.give_up(module, manager, "s-main@4567", live, result, "the gate refused it")
    assert told in module.msg
    assert "no module" in module.msg
    assert manager.stopped == stopped
    assert module.said == result
