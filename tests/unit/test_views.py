"""Which views need a session or a user: `doors` has each case, under a URL that says its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.trial import Site
from tests.unit.conftest import PROJECTS

MakeSite = Callable[..., Site]
Found = list[dict[str, Any]]

LOOK = """
import dataclasses, json
import django
django.setup()
from django_split.analysis import routes, views
from django_split.mounts import OTHER_ADMINS
seen = routes.routes(OTHER_ADMINS)
found = [dataclasses.asdict(one) for one in views.find(seen)]
print(json.dumps([[route.url for route in seen], found]))
"""


def look(site: Site) -> tuple[list[str], Found]:
    """The URLs of a site's base, and what is found in its views."""
    done = site.run(["-c", LOOK], settings=site.settings)
    urls, found = json.loads(done.stdout)
    return urls, found


@pytest.fixture(scope="module")
def doors(make_site: MakeSite) -> tuple[list[str], Found]:
    return look(make_site("doors"))


WALLS = ("Wall", "WallByView", "function_wall", "Fence", "Gate", "SignsIn", "Agreed")


@pytest.fixture(scope="module")
def walled(make_site: MakeSite) -> Found:
    names = [f"doors.middleware.{name}" for name in WALLS]
    return look(make_site("doors", f"MIDDLEWARE += {names}\n"))[1]


@pytest.mark.parametrize(
    "kind", ["login", "private", "session", "restriction", "user", "not covered", "public"]
)
def test_each_view_is_what_its_url_says(doors: tuple[list[str], Found], kind: str) -> None:
    urls, found = doors
    kinds = {one["url"]: one["kind"] for one in found}
    expected = {url for url in urls if url.startswith(f"/{kind}/")}
    assert expected
    wrong = {
        url: (kinds.get(url, "public"), [one["what"] for one in found if one["url"] == url])
        for url in expected
        if kinds.get(url, "public") != kind
    }
    assert wrong == {}


def test_a_url_has_one_finding(doors: tuple[list[str], Found]) -> None:
    urls = [one["url"] for one in doors[1] if one["url"]]
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize(
    ("url", "what", "line"),
    [
        (
            "/private/login-required/",
            "login_required (django.contrib.auth.decorators)",
            "@login_required",
        ),
        (
            "/private/on-method/",
            "staff_member_required (django.contrib.admin.views.decorators)",
            "    @method_decorator(staff_member_required)",
        ),
        (
            "/private/mixin/",
            "LoginRequiredMixin (django.contrib.auth.mixins)",
            "class ByMixin(LoginRequiredMixin, Page):",
        ),
        (
            "/private/own-check/",
            '"if not self.is_allowed()" refuses who is not signed in',
            "        if not self.is_allowed():",
        ),
        (
            "/session/sets/",
            'the view writes request.session["cart"]',
            '    request.session["cart"] = []',
        ),
        (
            "/session/made/",
            'doors.cart.Cart.save, which the view uses, writes self.session["cart"]',
            '        self.session["cart"] = self.content',
        ),
        (
            "/login/own/",
            "it calls login() of django.contrib.auth",
            "        auth_login(request, user)",
        ),
        ("/login/register/", "its form is UserCreationForm", "class Register(CreateView):"),
        (
            "/user/draft/<int:pk>/",
            '"if not door.is_public and (not request.user.is_staff)" keeps some rows for the '
            "staff: on main nobody is",
            "    if not door.is_public and not request.user.is_staff:",
        ),
    ],
)
def test_a_finding_says_why_and_where(
    doors: tuple[list[str], Found], url: str, what: str, line: str
) -> None:
    [finding] = [one for one in doors[1] if one["url"] == url]
    assert finding["what"] == what
    file, _, number = finding["where"].rpartition(":")
    source = (PROJECTS / "doors" / file).read_text()
    assert source.splitlines()[int(number) - 1] == line


def test_where_a_guard_of_the_urlconf_stands_is_the_view(doors: tuple[list[str], Found]) -> None:
    [finding] = [one for one in doors[1] if one["url"] == "/private/in-urls/"]
    assert finding["view"] == "doors.views.private.page"
    assert finding["where"].startswith("doors/views/private.py:")


def test_writes_that_no_url_leads_to_are_told(doors: tuple[list[str], Found]) -> None:
    said = {one["what"]: one["where"].split(":")[0] for one in doors[1] if not one["url"]}
    assert said == {
        'doors.middleware.Visits, a middleware, writes request.session["visits"] '
        "(doors.middleware.Visits.__call__)": "doors/middleware.py",
        'doors.middleware.seen, a context processor, writes request.session.setdefault("seen") '
        "(doors.middleware.seen)": "doors/middleware.py",
        'doors.signals.remember writes request.session["came_from"]; no URL is known to lead '
        "there": "doors/signals.py",
    }
    assert {one["kind"] for one in doors[1] if not one["url"]} == {"may write to the session"}


@pytest.mark.parametrize(
    ("middleware", "kind", "what"),
    [
        ("Wall", "everywhere", "every page demands a login"),
        ("WallByView", "everywhere", "every page demands a login"),
        ("function_wall", "everywhere", "every page demands a login"),
        ("Fence", "restriction", 'demands a user "if request.path.startswith'),
        ("Gate", "restriction", 'demands a user "if page.login_required'),
        ("SignsIn", "may write to the session", "signs people in or out: it calls login()"),
        ("Agreed", "", ""),
    ],
)
def test_middleware_that_asks_who_comes_is_named(
    walled: Found, middleware: str, kind: str, what: str
) -> None:
    found = [one for one in walled if one["view"] == f"doors.middleware.{middleware}"]
    assert [one["kind"] for one in found] == [kind] * len(found)
    assert bool(found) == bool(kind)
    assert all(what in one["what"] for one in found)
