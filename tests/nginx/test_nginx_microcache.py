"""A page of main's is kept for a moment and shown to everybody who comes without cookies."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from nginx.stage import Response, Site, request, site

SECONDS = 2


@pytest.fixture(scope="module")
def cached() -> Iterator[Site]:
    with site(main_microcache=SECONDS) as built:
        built.start()
        yield built


def made(response: Response) -> str:
    """Which request the page was made for: each that reaches an instance has its own number."""
    return str(response.said["headers"]["X_REQUEST_ID"])


def twice(built: Site, target: str, **details: object) -> bool:
    """Whether the second of two who ask is shown what was made for the first."""
    first, second = built.ask(target, **details), built.ask(target, **details)
    assert (first.status, second.status) == (200, 200)
    return made(first) == made(second)


def test_the_second_visitor_is_shown_the_page_of_the_first(cached: Site) -> None:
    assert twice(cached, "/kept/")
    cached.ask("/kept/?mark")
    cached.ask("/kept/?mark")
    states = [line["cache"] for line in cached.access_log() if "/kept/?mark " in line["request"]]
    assert states == ["MISS", "HIT"]


def test_it_is_made_anew_after_the_seconds(cached: Site) -> None:
    begun = time.monotonic()
    first = made(cached.ask("/aged/"))
    while made(cached.ask("/aged/")) == first:
        assert time.monotonic() - begun < SECONDS + 8
        time.sleep(0.2)
    # The clock of nginx's cache has whole seconds.
    assert time.monotonic() - begun > SECONDS - 1


def test_a_page_that_says_an_hour_is_kept_for_the_same_seconds(cached: Site) -> None:
    target = "/hour/?says=" + quote("Cache-Control: public, max-age=3600")
    first = made(cached.ask(target))
    assert made(cached.ask(target)) == first
    time.sleep(SECONDS + 1.1)
    again = cached.ask(target)
    assert made(again) != first
    assert again.header("cache-control") == "public, max-age=3600"


@pytest.mark.parametrize(
    "says",
    [
        *("Cache-Control: private", "Cache-Control: no-store", "Cache-Control: max-age=0"),
        *("Cache-Control: no-cache, no-store, must-revalidate, private, max-age=0",),
        *("Vary: Cookie", "Vary: Accept-Language, Cookie", "Vary: cookie", "Vary: *"),
        *("Vary: Authorization", "Set-Cookie: csrftoken=abc"),
    ],
)
def test_a_page_that_is_not_for_everybody_is_not_kept(cached: Site, says: str) -> None:
    assert not twice(cached, f"/{quote(says)}/?says={quote(says)}")


@pytest.mark.parametrize(
    "says", ["Vary: Accept-Language", "Cache-Control: max-age=600", "Expires: 0"]
)
def test_a_page_that_is_for_everybody_is_kept(cached: Site, says: str) -> None:
    assert twice(cached, f"/{quote(says)}/?says={quote(says)}")


def test_a_page_is_kept_for_each_of_what_it_varies_by(cached: Site) -> None:
    target = "/languages/?says=" + quote("Vary: Accept-Language")
    german = made(cached.ask(target, headers={"Accept-Language": "de"}))
    french = made(cached.ask(target, headers={"Accept-Language": "fr"}))
    assert german != french
    assert made(cached.ask(target, headers={"Accept-Language": "de"})) == german


@pytest.mark.parametrize(
    "cookie",
    [
        *("messages=x", "django_language=de", "sessionid=1", "csrftoken=a; messages=x"),
        *("messages=x; csrftoken=a", "xcsrftoken=a", "csrftoken", "csrftokens=a", "x=csrftoken=a"),
    ],
)
def test_who_comes_with_a_cookie_is_shown_a_page_of_their_own(cached: Site, cookie: str) -> None:
    target = f"/cookie/{quote(cookie)}/"
    everybodys = made(cached.ask(target))
    own = made(cached.ask(target, headers={"Cookie": cookie}))
    assert own != everybodys
    # And nobody else is shown theirs.
    assert made(cached.ask(target)) == everybodys


@pytest.mark.parametrize(
    "cookie", ["csrftoken=abc", "_ga=1", "_ga_X1=GS1.1; csrftoken=abc", "csrftoken=abc;_ga=1"]
)
def test_cookies_that_no_page_looks_at_do_not_count(cached: Site, cookie: str) -> None:
    assert twice(cached, f"/unread/{quote(cookie)}/", headers={"Cookie": cookie})


def test_forms_passwords_and_the_admin_are_never_kept(cached: Site) -> None:
    assert not twice(cached, "/form/", method="POST", body=b"a=1")
    assert not twice(cached, "/basic/", headers={"Authorization": "Basic YTpi"})
    assert not twice(cached, "/admin/")


def test_a_form_is_passed_on_where_a_page_is_kept(cached: Site) -> None:
    kept = made(cached.ask("/contact/"))
    assert cached.ask("/contact/", method="POST", body=b"a=1").said["method"] == "POST"
    assert made(cached.ask("/contact/")) == kept


def test_an_error_is_not_kept(cached: Site) -> None:
    broken = [cached.ask("/broken/?refuse=500") for _ in range(2)]
    assert [each.status for each in broken] == [500, 500]
    assert made(broken[0]) != made(broken[1])


def test_names_and_queries_have_pages_of_their_own(cached: Site) -> None:
    pages = {
        made(cached.ask(target, host=host))
        for target in ("/own/", "/own/?a=1", "/own/?a=2", "/own//")
        for host in ("localhost", "www.example.org")
    }
    assert len(pages) == 8


def test_no_page_can_send_a_visitor_into_the_admin(cached: Site) -> None:
    answer = cached.send(request("/?accel=/admin/"))
    assert answer is not None
    assert answer.instance == "main"


def test_without_the_variable_nothing_is_kept(gazette: Site) -> None:
    assert not twice(gazette, "/never-kept/")
