"""Which verdict follows from what was found and answered: the table, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from django_split import findings as kinds
from django_split.analysis.deployment import Deployment
from django_split.analysis.verdict import answered, decide
from django_split.findings import Finding
from django_split.plan import (
    MOSTLY_PRIVATE,
    NOTHING_TO_SPLIT,
    PUBLIC_SESSIONS,
    SPLIT,
    SPLIT_WITH_EXTRA_PREFIXES,
    Mount,
    Verdict,
)

EXTRA = {"admin_extra_prefixes": ["/accounts/"]}
CLOSED = {"main_closed_prefixes": ["/accounts/"]}
SESSIONS = {"public_sessions": "cached_db"}

DEMANDS_LOGIN = Finding(kinds.EVERYWHERE, "every page demands a login", view="x.LoginRequired")
CSRF = Finding(kinds.EVERYWHERE, "CSRF_USE_SESSIONS is True: every form needs a session")
LOGIN = Finding(kinds.LOGIN, "signs in", url="/accounts/login/", view="auth.LoginView")
BASKET = Finding(kinds.SESSION, "keeps a basket", url="/accounts/basket/", view="shop.basket")
PRIVATE = Finding(kinds.PRIVATE, "demands a user", url="/accounts/me/", view="shop.me")
OPENED = Finding(kinds.OPENED, "200, not 302", url="/accounts/x/", view="shop.x")
BREAKS = Finding(kinds.BREAKS, "500, not 200", url="/accounts/y/", view="shop.y")
PARAMETERS = Finding(kinds.MOUNT, "an admin at /<slug>/admin/")
MAIN_DOES_NOT_START = Finding(kinds.BREAKS, "main does not start")
USER = Finding(kinds.USER, "shows the user", url="/", view="shop.home")


@dataclass
class Case:
    found: list[Finding]
    said: dict[str, Any] = field(default_factory=dict)
    verdict: str = SPLIT
    is_decided: bool = True
    mounts: tuple[str, ...] = ("/admin/",)
    routes: int = 10


def verdict(case: Case) -> Verdict:
    deployment = Deployment.read(case.said, default_site="shop")
    mounts = [Mount(route=path, kind="django", prefixes=[path]) for path in case.mounts]
    prefixes = [*case.mounts, *deployment.admin_extra_prefixes]
    found = answered(case.found, deployment, prefixes)
    return decide(found, mounts, prefixes, deployment, "shop.urls", case.routes)


CASES = {
    "nothing found": Case([]),
    "what only informs": Case([USER]),
    # 1: demanded everywhere.
    "a login everywhere": Case([DEMANDS_LOGIN, LOGIN], {}, PUBLIC_SESSIONS, False),
    "a login everywhere, answered": Case([DEMANDS_LOGIN, LOGIN], SESSIONS, PUBLIC_SESSIONS),
    "forms in sessions": Case([CSRF], {}, PUBLIC_SESSIONS, False),
    "forms in sessions, answered": Case([CSRF], SESSIONS, PUBLIC_SESSIONS),
    "no prefix answers for everywhere": Case([CSRF], {**EXTRA, **CLOSED}, PUBLIC_SESSIONS, False),
    "no view answers for everywhere": Case(
        [DEMANDS_LOGIN, LOGIN],
        {**EXTRA, "main_closed_views": ["*"], "main_anonymous_views": ["*"]},
        PUBLIC_SESSIONS,
        False,
    ),
    "a login everywhere, and none but the admin's": Case(
        [DEMANDS_LOGIN], SESSIONS, PUBLIC_SESSIONS, False
    ),
    "a login everywhere, and that is the admin's now": Case(
        [DEMANDS_LOGIN, LOGIN], {**SESSIONS, **EXTRA}, PUBLIC_SESSIONS, False
    ),
    # 2: an anonymous page keeps something.
    "a basket": Case([BASKET], {}, PUBLIC_SESSIONS, False),
    "a basket, with sessions": Case([BASKET], SESSIONS, PUBLIC_SESSIONS),
    "a basket, given to the admin": Case([BASKET], EXTRA, SPLIT_WITH_EXTRA_PREFIXES),
    "a basket, closed": Case([BASKET], CLOSED),
    # 3: a public login.
    "a login": Case([LOGIN], {}, SPLIT, False),
    "a login, given to the admin": Case([LOGIN], EXTRA, SPLIT_WITH_EXTRA_PREFIXES),
    "a login, with sessions": Case([LOGIN], SESSIONS, PUBLIC_SESSIONS),
    "a login, closed": Case([LOGIN], CLOSED),
    "a login, its view closed": Case([LOGIN], {"main_closed_views": ["auth.*"]}),
    "a login, accepted as it is": Case([LOGIN], {"main_anonymous_views": ["auth.LoginView"]}),
    "a login, another view closed": Case([LOGIN], {"main_closed_views": ["auth"]}, SPLIT, False),
    # 3b: any view that demands a user.
    "a private page": Case([PRIVATE], {}, SPLIT, False),
    "a private page, given to the admin": Case([PRIVATE], EXTRA, SPLIT_WITH_EXTRA_PREFIXES),
    "a private page, closed": Case([PRIVATE], CLOSED),
    "a private page, for nobody": Case([PRIVATE], {"main_anonymous_views": ["shop.me"]}),
    "a private page, with sessions": Case([PRIVATE], SESSIONS, PUBLIC_SESSIONS),
    "one of two answered": Case([PRIVATE, LOGIN], {"main_closed_views": ["shop.*"]}, SPLIT, False),
    # 4: mostly private.
    "mostly private": Case([PRIVATE], {}, MOSTLY_PRIVATE, False, routes=1),
    "mostly private, answered": Case([PRIVATE], CLOSED, SPLIT, routes=1),
    "mostly private with a login of its own": Case(
        [PRIVATE, LOGIN], {}, PUBLIC_SESSIONS, False, routes=2
    ),
    # 5: no split.
    "no admin": Case([], {}, NOTHING_TO_SPLIT, False, mounts=()),
    "the site is the admin": Case([], {}, NOTHING_TO_SPLIT, False, mounts=("/",)),
    # The order.
    "everywhere before no admin": Case([CSRF], {}, PUBLIC_SESSIONS, False, mounts=()),
    "everywhere, answered, and no admin": Case([CSRF], SESSIONS, PUBLIC_SESSIONS, False, mounts=()),
    "everywhere before mostly private": Case([CSRF, PRIVATE], {}, PUBLIC_SESSIONS, False, routes=1),
    "no admin before a login": Case([LOGIN], {}, NOTHING_TO_SPLIT, False, mounts=()),
    "a basket before extra prefixes": Case(
        [BASKET], {"admin_extra_prefixes": ["/other/"]}, PUBLIC_SESSIONS, False
    ),
    # Never acceptable, whoever accepts it.
    "opened": Case([OPENED], SESSIONS, PUBLIC_SESSIONS, False),
    "opened, accepted": Case([OPENED], {"main_anonymous_views": ["*"]}, SPLIT, False),
    "opened, closed": Case([OPENED], CLOSED),
    "broken": Case([BREAKS], SESSIONS, PUBLIC_SESSIONS, False),
    "broken, given to the admin": Case([BREAKS], EXTRA, SPLIT_WITH_EXTRA_PREFIXES),
    "main does not start": Case(
        [MAIN_DOES_NOT_START], {**EXTRA, **SESSIONS}, PUBLIC_SESSIONS, False
    ),
    "an admin with parameters": Case([PARAMETERS], SESSIONS, PUBLIC_SESSIONS, False),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict(name: str) -> None:
    case = CASES[name]
    found = verdict(case)
    assert (found.is_, found.can_be_split) == (case.verdict, case.is_decided)
    # What is not split and asks nothing has nothing to split; the rest can be answered for.
    assert bool(found.decisions) is (not case.is_decided and case.verdict != NOTHING_TO_SPLIT)


def test_reasons_name_the_admins_and_what_was_given_to_them() -> None:
    found = verdict(Case([LOGIN], EXTRA, mounts=("/admin/", "/cms/")))
    assert found.reasons == [
        "django admin at /admin/",
        "django admin at /cms/",
        "given to the admin instance: /accounts/",
    ]


def test_question_names_the_url_the_view_and_the_variables() -> None:
    where = Finding(kinds.LOGIN, "signs in", "/in/", "auth.LoginView", "shop/urls.py:3")
    [question] = verdict(Case([where])).decisions
    assert "/in/ (auth.LoginView, shop/urls.py:3)" in question
    for variable in ("admin_extra_prefixes", "main_closed_prefixes", "public_sessions"):
        assert variable in question


def test_many_urls_are_one_question() -> None:
    many = [Finding(kinds.PRIVATE, "demands a user", f"/p{n}/", f"shop.p{n}") for n in range(9)]
    [question] = verdict(Case(many, routes=100)).decisions
    assert question.startswith("9 URLs ")
    assert "/p0/ (shop.p0)" in question
    assert "and 3 more" in question
