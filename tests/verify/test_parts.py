"""The parts that read what comes back: cookies, links, forms, the kernel's tables."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from split_verify.markup import read
from split_verify.pages import LINKS, crawl, is_page, varied
from split_verify.process import internet_sockets, listener
from split_verify.row import Row, table
from split_verify.site import Site
from split_verify.web import Answer, Target, local_path

from .host import PLAN

HTML = (("Content-Type", "text/html; charset=utf-8"),)


def site(**arguments: Any) -> Site:
    """A site that is nowhere."""
    given = {"hosts": ["news.example"], "port": 8080, "listen": ["*", "[::]"], "timeout": 1}
    given |= {"plain_port": 0, "ca": ""}
    return Site({**given, **arguments}, PLAN)


@pytest.mark.parametrize(
    ("header", "name", "deleted"),
    [
        ("sessionid=abc; Path=/; HttpOnly; SameSite=Lax", "sessionid", False),
        ("messages=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/", "messages", True),
        ('old=""; Max-Age=0', "old", True),
    ],
)
def test_a_deleted_cookie_is_not_one_that_was_set(header: str, name: str, deleted: bool) -> None:
    (cookie,) = Answer("/", 200, (("Set-Cookie", header),), b"").cookies
    assert (cookie.name, cookie.deleted) == (name, deleted)


@pytest.mark.parametrize(
    ("vary", "found"),
    [
        ("Cookie", True),
        ("accept-language, cookie", True),
        ("Accept-Encoding", False),
        ("X-Cookie-Consent", False),
    ],
)
def test_vary_is_read_word_by_word(vary: str, found: bool) -> None:
    assert Answer("/", 200, (("Vary", vary),), b"").varies_by_cookie is found


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("/a/?b=c#d", "/a/?b=c"),
        ("a/", "/here/a/"),
        ("?page=2", "/here/?page=2"),
        ("http://news.example:8080/b", "/b"),
        ("http://news.example/b", None),
        ("https://news.example:8080/", None),
        ("//elsewhere/", None),
        ("mailto:a@b", None),
        ("javascript:void(0)", None),
        ("http://[broken/", None),
    ],
)
def test_only_links_within_the_host_are_followed(link: str, path: str | None) -> None:
    assert local_path("news.example:8080", "/here/", link) == path


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/logout/",
        "/log-out",
        "/sign_out/",
        "/cart/3/remove/",
        "/posts/delete/3/",
        "/a/?action=delete",
        "/newsletter/unsubscribe/x/",
    ],
)
def test_a_path_that_may_change_something_is_left_alone(path: str) -> None:
    assert not is_page(site(), path)


@pytest.mark.parametrize("path", ["/articles/undeleted-scenes/", "/checkout/", "/cancellations/"])
def test_words_that_only_look_like_it_are_asked_for(path: str) -> None:
    assert is_page(site(), path)


@pytest.mark.parametrize("path", ["/admin/", "/admin", "/admin/x/", "/_internal/", "/static/a.css"])
def test_what_is_not_mains_is_no_page_of_main(path: str) -> None:
    assert not is_page(site(), path)
    assert is_page(site(), "/administration/")


def test_the_host_is_asked_for_as_a_browser_would() -> None:
    assert site().host == "news.example:8080"
    assert site(port=80).host == "news.example"
    assert site(hosts=["*.news.example"]).host == "news.example:8080"
    assert site().proxies == [Target("127.0.0.1", 8080), Target("::1", 8080)]


def test_a_login_form_is_known_by_its_password_field() -> None:
    page = read(
        '<form method="POST" action="/search/"><input name="q"></form>'
        '<form method=post><input type="hidden" name="next" value="/x/"><input name="username">'
        '<input type="PASSWORD" name="password"><input type="checkbox" name="keep">'
        '<input type="submit" name="go"></form><a href="/after/">'
    )
    form = page.login_form
    assert form is not None
    assert form.values == {"next": "/x/", "username": "", "password": ""}
    assert (form.method, form.action) == ("post", "")
    assert page.links == ["/after/"]


def test_each_part_of_a_site_has_its_turn_before_one_has_its_second() -> None:
    articles = [f"/articles/{n}/" for n in range(20)]
    paths = [*articles, "/articles/3/", "/?page=2", "/contact/", "/feed/"]
    assert varied(paths)[:5] == ["/articles/0/", "/?page=2", "/contact/", "/feed/", "/articles/1/"]
    assert len(varied(paths)) == 23


def test_a_crawl_ends_after_fifteen_links(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def request(target: Target, host: str, path: str, **options: object) -> Answer:
        asked.append(path)
        return Answer(path, 200, HTML, "".join(f'<a href="/{n}/">' for n in range(99)).encode())

    monkeypatch.setattr("split_verify.pages.request", request)
    crawl(site())
    assert len(asked) == LINKS + 1


def test_a_front_page_that_redirects_is_followed_for_its_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def request(target: Target, host: str, path: str, **options: object) -> Answer:
        if path == "/":
            return Answer(path, 302, (("Location", "/en/"),), b"")
        return Answer(path, 200, HTML, b'<a href="about/">')

    monkeypatch.setattr("split_verify.pages.request", request)
    found = [one.path for one in crawl(site()) if isinstance(one, Answer)]
    assert found == ["/", "/en/", "/en/about/"]


def test_a_process_is_known_by_the_socket_it_listens_on(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        process = listener(path)
    assert process.pid == os.getpid()
    assert process.uid == os.geteuid()


@pytest.mark.parametrize(
    ("family", "kind", "address", "seen"),
    [
        (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1", "tcp 127.0.0.1:{}"),
        (socket.AF_INET6, socket.SOCK_STREAM, "::1", "tcp [::1]:{}"),
        (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1", "udp 127.0.0.1:{}"),
    ],
)
def test_a_port_is_seen_by_protocol_and_address(
    family: socket.AddressFamily, kind: socket.SocketKind, address: str, seen: str
) -> None:
    with socket.socket(family, kind) as server:
        server.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        assert seen.format(server.getsockname()[1]) in internet_sockets(os.getpid())


def test_a_connection_to_somewhere_is_not_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = internet_sockets(os.getpid())
        with socket.create_connection(server.getsockname()):
            assert internet_sockets(os.getpid()) == before


def test_a_long_sight_goes_on_below_itself() -> None:
    rows = [Row("a", "short", True, "word " * 40), Row("b", "a longer claim", None, "")]
    lines = table(rows)
    assert lines[0].startswith("✔ short           word word")
    assert lines[1].startswith("                  word")
    assert lines[-1] == "– a longer claim"  # noqa: RUF001
    assert max(len(line) for line in lines) <= 112
    assert table(rows, "ascii")[0].startswith("ok short")
