"""A developer's laptop: `runserver` for an instance, and a browser that keeps cookies."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

SECONDS = 60


@dataclass
class Page:
    status: int
    url: str
    body: str
    headers: dict[str, str]
    cookies: list[str]


class Browser:
    """Follows redirects and keeps cookies, which no port keeps apart."""

    def __init__(self) -> None:
        self.jar = CookieJar()
        # A laptop's own servers are never behind a proxy.
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self.jar))

    def get(self, url: str) -> Page:
        return self._open(Request(url))  # noqa: S310 - a server of the test's own

    def submit(self, page: Page, **fields: str) -> Page:
        """Send the form of a page, with the token that is in it."""
        token = re.search('csrfmiddlewaretoken" value="([^"]+)', page.body)
        assert token, page.body
        data = urlencode({**fields, "csrfmiddlewaretoken": token[1]}).encode()
        form = Request(page.url, data, {"Referer": page.url})  # noqa: S310
        return self._open(form)

    def _open(self, request: Request) -> Page:
        try:
            reply = self.opener.open(request, timeout=SECONDS)
        except HTTPError as error:
            reply = error
        with reply:
            headers = dict(reply.headers.items())
            cookies = reply.headers.get_all("Set-Cookie") or []
            body = reply.read().decode("utf-8", "replace")
            return Page(reply.status, reply.url, body, headers, cookies)


@dataclass
class Server:
    """A `runserver` with its reloader, as it is typed."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    started: int = 1

    def get(self, path: str) -> Page:
        return Browser().get(f"{self.url}{path}")

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._is_started():
                return
            time.sleep(0.1)
        raise AssertionError(f"no server at {self.url}:\n{self.log.read_text()}")

    def reload(self, touched: Path) -> None:
        """Change a file that it watches, and wait for the new process."""
        self.started += 1
        changed = time.time()
        for _ in range(SECONDS):
            # Again and again: it takes its first look some time after it has begun to answer.
            changed += 1
            os.utime(touched, (changed, changed))
            time.sleep(1)
            if "changed, reloading" in self.log.read_text().rpartition("Quit the server")[2]:
                break
            if self._is_started():
                return
        self.wait()

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _is_started(self) -> bool:
        """As often as we know, and it answers."""
        if self.log.read_text().count("Quit the server") < self.started:
            return False
        with contextlib.suppress(OSError), self._connection():
            return True
        return False

    def _connection(self) -> socket.socket:
        host, _, port = self.url.rpartition("/")[2].partition(":")
        return socket.create_connection((host, int(port)), timeout=1)


@contextlib.contextmanager
def runserver(
    python: Path, project: Path, environment: dict[str, str], name: str
) -> Iterator[Server]:
    port = _free_port()
    log = project.parent / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-m", "django", "runserver", str(port)],
            cwd=project,
            # What it says is waited for, and a terminal would have it at once.
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://localhost:{port}", process, log)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
