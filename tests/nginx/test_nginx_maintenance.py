"""Maintenance of one instance: a page for its visitors, and not one request of the other's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from nginx.stage import Response, Site, request, site

OWN = "<!doctype html><title>Gazette</title><p>Die Redaktion räumt auf.</p>"


@pytest.fixture(scope="module")
def both() -> Iterator[Site]:
    """Main has a page of the site's own; whoever comes from 127.0.0.7 is let in."""
    with site(maintenance_bypass=["127.0.0.7", "2001:db8::/32"]) as built:
        page = built.directory / "own.html"
        page.write_text(OWN)
        built.variables["main_maintenance_page"] = str(page)
        built.put("static/app.css", "body {}")
        built.start()
        yield built


@contextmanager
def closed(built: Site, instance: str) -> Iterator[Path]:
    """As playbooks/maintenance.yml does it; nginx is told nothing."""
    flag = built.directory / "live" / f"{instance}.maintenance"
    flag.touch()
    try:
        yield flag
    finally:
        flag.unlink()


def ask_from(address: str, port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5, (address, 0)) as connection:
        connection.sendall(request(path))
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def apologises(answer: Response) -> None:
    assert answer.status == 503
    assert answer.header("retry-after") == "300"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("set-cookie") is None


@pytest.mark.parametrize(
    ("instance", "its", "other", "others"),
    [("main", "/", "admin", "/admin/"), ("admin", "/admin/", "main", "/")],
)
def test_one_is_closed_and_the_other_goes_on(
    both: Site, instance: str, its: str, other: str, others: str
) -> None:
    with closed(both, instance):
        apologises(both.ask(its))
        apologises(both.ask(f"{its}some/page?x=1"))
        assert both.ask(others).instance == other
    assert both.ask(its).instance == instance


def test_the_sites_own_page_is_shown_and_ours_where_it_has_none(both: Site) -> None:
    with closed(both, "main"), closed(both, "admin"):
        assert both.ask("/").body.decode() == OWN
        assert b"The administration is being worked on" in both.ask("/admin/").body
        # What the page needs to look like the site.
        assert both.ask("/static/app.css").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
@pytest.mark.parametrize("path", ["/", "/admin/login/"])
def test_a_form_is_shown_the_page_and_not_405(both: Site, method: str, path: str) -> None:
    with closed(both, "main"), closed(both, "admin"):
        answer = both.ask(path, method=method, body=None if method == "HEAD" else b"a=1")
    apologises(answer)
    assert bool(answer.body) is (method != "HEAD")


def test_a_conditional_request_gets_503_and_no_304(both: Site) -> None:
    with closed(both, "main"):
        first = both.ask("/")
        again = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT", "Range": "bytes=0-1"}
        second = both.ask("/", headers={**again, "If-None-Match": first.header("etag") or '"x"'})
    apologises(second)
    assert second.body.decode() == OWN


def test_given_addresses_see_the_site(both: Site) -> None:
    with closed(both, "main"), closed(both, "admin"):
        for path, instance in (("/", b'"main"'), ("/admin/", b'"admin"')):
            assert instance in ask_from("127.0.0.7", both.port, path)
            assert b"503 Service" in ask_from("127.0.0.8", both.port, path)


def test_an_address_is_not_believed_from_a_header(both: Site) -> None:
    with closed(both, "main"):
        apologises(both.ask("/", headers={"X-Forwarded-For": "127.0.0.7"}))
        apologises(both.ask("/", headers={"X-Real-IP": "127.0.0.7"}))


def test_the_page_has_no_url_of_its_own(both: Site) -> None:
    for instance in ("main", "admin"):
        assert both.ask(f"/.django-split/{instance}-maintenance").status == 404


def test_no_request_fails_while_it_is_switched(both: Site) -> None:
    """Kept connections go on: nothing is reloaded."""
    answers: list[int] = []
    stop = threading.Event()

    def visit() -> None:
        connection = HTTPConnection("127.0.0.1", both.port, timeout=5)
        connection.connect()
        # One that nginx closes is a failure, and not connected again.
        connection.auto_open = 0
        while not stop.is_set():
            connection.request("GET", "/", headers={"Host": "localhost"})
            answer = connection.getresponse()
            answer.read()
            answers.append(answer.status)
            stop.wait(0.005)  # nginx closes a connection after a thousand requests
        connection.close()

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for _ in range(20):
        with closed(both, "main"):
            stop.wait(0.03)
        stop.wait(0.03)
    stop.set()
    for visitor in visitors:
        visitor.join(10)
    assert set(answers) == {200, 503}


def test_the_admins_own_host_is_closed_with_the_admin() -> None:
    with site(admin_host="desk.example.org") as built:
        built.start()
        with closed(built, "admin"):
            apologises(built.ask("/admin/", host="desk.example.org"))
            assert built.ask("/", host="desk.example.org").status == 302
            assert built.ask("/").instance == "main"
