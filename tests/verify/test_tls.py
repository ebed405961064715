"""Claims about TLS, seen on a server that speaks it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from split_verify import login, pages, tls, web
from split_verify.site import Site

from tests.support.authority import Authority, Issued

HOST = "news.example"


class Answers(BaseHTTPRequestHandler):
    """What a test wants to be answered; says what it was told."""

    location = ""

    def do_GET(self) -> None:
        self.send_response(308 if self.location else 200)
        if self.location:
            self.send_header("Location", self.location.format(path=self.path))
        self.send_header("X-Told", self.headers.get("X-Forwarded-Proto", "nothing"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that does not like the certificate goes away; that is the test."""


@contextmanager
def serving(location: str = "", issued: Issued | None = None) -> Iterator[int]:
    handler = type("Handler", (Answers,), {"location": location})
    server = Quiet(("127.0.0.1", 0), handler)
    if issued:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(issued.certificate, issued.key)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def site(port: int, plain_port: int, ca: str) -> Site:
    arguments = {
        "hosts": [HOST],
        "admin_host": "",
        "port": port,
        "plain_port": plain_port,
        "ca": ca,
        "listen": ["127.0.0.1"],
        "timeout": 5,
        "main_socket": "/run/main.sock",
    }
    return Site(arguments, {})


@pytest.mark.parametrize(("days", "ok"), [(30.5, True), (13.5, None)])
def test_a_certificate_that_ends_soon_is_no_longer_right(
    authority: Authority, days: float, ok: bool | None
) -> None:
    with serving(issued=authority.issue(HOST, days=days)) as port:
        row = tls.certificate(site(port, 1, authority.file.read_text()))
    assert row.ok is ok
    assert f"{int(days)} days, TLSv1.3" in row.seen
    assert row.seen.startswith("renew it") is (ok is None)


@pytest.mark.parametrize(
    ("name", "days", "trusted", "seen"),
    [
        (HOST, 30, False, "unable to get local issuer certificate"),
        (HOST, -1, True, "certificate has expired"),
        ("other.example", 30, True, "Hostname mismatch"),
    ],
)
def test_a_certificate_that_a_browser_refuses_is_wrong(
    authority: Authority, name: str, days: int, trusted: bool, seen: str
) -> None:
    with serving(issued=authority.issue(name, days=days)) as port:
        asked = site(port, 1, authority.file.read_text() if trusted else "")
        row = tls.certificate(asked)
        with pytest.raises(web.NoAnswerError, match="the certificate is not to be trusted"):
            web.request(asked.proxies[0], asked.host, "/", timeout=5)
    assert (row.ok, seen in row.seen) == (False, True), row.seen


def test_pages_are_asked_for_by_https_and_links_are_followed_there(authority: Authority) -> None:
    with serving(issued=authority.issue(HOST)) as port:
        asked = site(port, 1, authority.file.read_text())
        answer = web.request(asked.proxies[0], asked.host, "/a", timeout=5)
        browser = web.Browser(asked.proxies[0], asked.host)
    # To nginx nothing is said: it finds out by itself.
    assert (answer.status, answer.header("X-Told")) == (200, "nothing")
    assert (asked.host, browser.origin) == (f"{HOST}:{port}", f"https://{HOST}:{port}")
    link = f"https://{HOST}:{port}/b"
    assert web.local_path(asked.host, "/a", link, asked.scheme) == "/b"
    assert web.local_path(asked.host, "/a", link.replace("https", "http"), asked.scheme) is None
    assert site(443, 80, "").host == HOST


def test_a_socket_is_told_what_nginx_would_tell_it(tmp_path: Path) -> None:
    assert site(443, 80, "").main == web.Target("/run/main.sock", scheme="https")
    with serving() as port:
        # A port stands for the socket: no TLS without one, and the header instead.
        told = web.Target("127.0.0.1", port)
        assert web.request(told, HOST, "/", timeout=5).header("X-Told") == "nothing"


@pytest.mark.parametrize(
    ("location", "ok"),
    [
        ("https://news.example:{port}{{path}}", True),
        ("", False),
        ("http://news.example:{port}{{path}}", False),
        ("https://news.example:{port}/", False),
        ("https://other.example:{port}{{path}}", False),
    ],
)
def test_plain_http_leads_to_the_same_page_by_https(location: str, ok: bool) -> None:
    port = 8443
    with serving(location.format(port=port)) as plain:
        row = tls.redirect(site(port, plain, ""))
    assert row.ok is ok, row.seen


def test_without_tls_there_are_no_rows() -> None:
    assert tls.rows(site(80, 0, "")) == []


def test_a_certificate_for_everybody_is_an_answer_to_an_unknown_name(authority: Authority) -> None:
    with serving(issued=authority.issue(HOST)) as port, serving() as plain:
        row = pages.unknown_host(site(port, plain, authority.file.read_text()))
    assert row.ok is False
    assert "behind a known name" in row.seen


@pytest.mark.parametrize(
    ("name", "flags", "ok"),
    [
        ("__Secure-news", {"secure": ""}, True),
        ("__Secure-news", {}, False),
        ("news", {"secure": ""}, False),
    ],
)
def test_the_admins_cookie_is_for_https_alone(name: str, flags: dict[str, str], ok: bool) -> None:
    cookie = web.Cookie(name, "x", {"httponly": "", "samesite": "Lax", "path": "/", **flags})
    assert login.cookie_row(cookie, secure=True).ok is ok
    assert login.cookie_row(cookie).ok is True
