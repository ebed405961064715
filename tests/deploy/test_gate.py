"""The gate asks the new process itself, and the flip leaves no moment without a target."""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from .plugin import load

instance = load("modules", "split_instance")

GATE = {"path": "/", "host": "site.example", "scheme": "http", "status": [200], "text": "Gazette"}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer: tuple[int, bytes]
    seen: list[dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.seen.append(dict(self.headers))
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(path: Path, status: int, body: bytes) -> Iterator[_Server]:
    with _Server(str(path), _Handler) as server:
        server.answer, server.seen = (status, body), []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


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
