"""The admin on a host of its own: which program answers on which name."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings

from nginx.stage import Site, request, site
from nginx.test_nginx_routing import TARGETS, starts_with_admin

PUBLIC, DESK = "localhost", "desk.example.org"
LOGIN = "/members/sign-in/"


@pytest.fixture(scope="module")
def apart() -> Iterator[Site]:
    with site(admin_host=DESK, admin_logins=[LOGIN, "/enter"], main_logins=[LOGIN]) as built:
        built.put("static/app.css", "body {}")
        built.put("media/photo.jpg", "\xff\xd8")
        built.start()
        yield built


@pytest.mark.parametrize(
    ("target", "public", "desk"),
    [
        ("/", "main", "away"),
        ("/articles/2026/?page=2", "main", "away"),
        ("/articles/?next=/admin/", "main", "away"),
        # The public host knows no admin path: main is asked, and has none.
        ("/admin/", "main", "admin"),
        ("/admin", "main", "slash"),
        ("/admin/login/?next=/admin/", "main", "admin"),
        ("/admin/news/article/1/change/", "main", "admin"),
        ("/django-admin/", "main", "admin"),
        ("/accounts/login/", "main", "admin"),
        ("/one-page", "main", "admin"),
        ("/one-page/", "main", "away"),
        ("/admin-of-something-else/", "main", "away"),
        ("/Admin/", "main", "away"),
        ("/admin/../articles/", "main", "away"),
        ("/admin/x/../y/", "main", "admin"),
        # The admin under another spelling is nobody's.
        ("//admin/", "main", "none"),
        ("/x/%2e%2e/admin/", "main", "none"),
        ("/%61dmin/", "main", "none"),
        # A login that both have: each host's is its own instance's.
        (LOGIN, "main", "admin"),
        (f"{LOGIN}?next=/admin/", "main", "admin"),
        ("/members/", "main", "away"),
        ("/enter", "main", "admin"),
        ("/enter/", "main", "away"),
        ("//members/sign-in/", "main", "none"),
        ("/static/app.css", "nginx", "nginx"),
        ("/static/missing.css", "nginx", "nginx"),
        ("/media/photo.jpg", "nginx", "nginx"),
    ],
)
def test_table(apart: Site, target: str, public: str, desk: str) -> None:
    assert apart.ask(target, host=PUBLIC).instance == public
    response = apart.ask(target, host=DESK)
    if desk == "away":
        assert response.status == 302
        assert response.header("location") == f"http://{PUBLIC}{target}"
    elif desk == "slash":
        assert (response.status, response.header("location")) == (301, f"{target}/")
    elif desk == "none":
        assert (response.status, response.instance) == (404, "nginx")
    else:
        assert response.instance == desk


def test_every_public_name_is_public(apart: Site) -> None:
    assert apart.ask("/admin/", host="www.example.org").instance == "main"


def test_the_port_that_the_visitor_sees_stays(apart: Site) -> None:
    response = apart.ask("/articles/", host=f"{DESK}:9443")
    assert response.header("location") == f"http://{PUBLIC}:9443/articles/"


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 302), ("HEAD", 302), ("POST", 404), ("PUT", 404), ("DELETE", 404), ("PATCH", 404)],
)
def test_only_who_reads_is_sent_on(apart: Site, method: str, status: int) -> None:
    """A form that is sent to the wrong host would come out as a GET of the right one."""
    response = apart.ask("/contact/", method=method, host=DESK)
    assert (response.status, response.instance) == (status, "nginx")


def test_the_admin_is_told_its_own_name(apart: Site) -> None:
    assert apart.ask("/admin/", host=DESK).said["headers"]["HOST"] == DESK


def test_an_unknown_name_is_still_nobodys(apart: Site) -> None:
    assert apart.send(request("/admin/", host="example.org")) is None


def test_each_host_explains_its_own_silence(apart: Site) -> None:
    for down, host, target, says in (
        ("main", PUBLIC, "/", b"This page cannot be shown just now"),
        ("admin", DESK, "/admin/", b"The administration is not answering"),
    ):
        apart.stop_one(f"{down}-r1")
        try:
            response = apart.ask(target, host=host)
            assert response.status == 502
            assert says in response.body
        finally:
            apart.start_instance(down)


@pytest.mark.parametrize(
    ("host", "target"),
    [(DESK, "/admin/login/"), (DESK, LOGIN), (PUBLIC, LOGIN), (PUBLIC, f"{LOGIN}?next=/")],
)
def test_logins_are_limited_where_they_are(host: str, target: str) -> None:
    with site(
        admin_host=DESK,
        admin_logins=[LOGIN],
        main_logins=[LOGIN],
        admin_login_rate="12r/m",
        admin_login_burst=5,
    ) as built:
        built.start()
        seen = [built.ask(target, method="POST", body=b"u=x", host=host) for _ in range(10)]
        assert [response.status for response in seen[:6]] == [200] * 6
        assert b"Too many attempts to sign in" in seen[-1].body
        assert seen[-1].status == 429
        # Other pages, and looking at the form, are not counted.
        for other in ("/", "/contact/", "/members/"):
            assert built.ask(other, method="POST", body=b"x", host=PUBLIC).status == 200
        assert built.ask(target, host=host).status == 200


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(target=TARGETS)
def test_no_target_reaches_the_admin_by_a_public_name_nor_main_by_the_admins(
    apart: Site, target: bytes
) -> None:
    assert apart.ask(target, host=PUBLIC).instance != "admin"
    desk = target.replace(b"http://localhost", f"http://{DESK}".encode())
    response = apart.ask(desk, host=DESK)
    assert response.instance != "main"
    if response.instance == "admin":
        assert starts_with_admin(target) or b"/enter" in target
    if response.status == 302:
        location = urlsplit(response.header("location") or "")
        assert (location.scheme, location.netloc) == ("http", PUBLIC)
