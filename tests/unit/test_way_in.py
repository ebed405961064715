"""An admin that sends people to the site's own login page, as allauth and others tell sites to."""

from __future__ import annotations

import pytest

from tests.support.trial import PlanFailedError, Site
from tests.unit.conftest import MakeSite

LOGIN = "/accounts/login/"
SENT_AWAY = """
from django.contrib.auth.decorators import login_required
admin.site.login = login_required(admin.site.login)
"""
QUESTION = f"1 URL is where the admin sends people to sign in, and main serves it: {LOGIN}"


@pytest.fixture(scope="module")
def sent(make_site: MakeSite) -> Site:
    site = make_site("paper")
    urls = site.source / "paper" / "urls.py"
    urls.write_text(urls.read_text().replace("urlpatterns = [", f"{SENT_AWAY}\nurlpatterns = ["))
    return site


def refused(site: Site, **answers: object) -> str:
    with pytest.raises(PlanFailedError) as caught:
        site.plan(**answers)
    assert caught.value.status == 3
    return " ".join(caught.value.output.split())


@pytest.mark.parametrize(
    "answers",
    [
        {"public_sessions": "cached_db"},
        # Closed to the public, the admin's people could not sign in either.
        {"main_closed_prefixes": ["/closed/", "/accounts/"]},
    ],
    ids=["main keeps sessions", "closed"],
)
def test_a_login_that_the_admin_is_not_asked_for_is_a_question(
    sent: Site, answers: dict[str, object]
) -> None:
    output = refused(sent, **answers)
    assert QUESTION in output
    for needed in ("admin_extra_prefixes", "admin_host"):
        assert needed in output


def test_given_to_the_admin_it_is_the_admins(sent: Site) -> None:
    plan = sent.plan(admin_extra_prefixes=["/accounts/"])
    assert plan.verdict.decisions == []
    assert plan.proxy.admin_logins == []


def test_on_a_host_of_its_own_the_admin_has_it_beside_mains(sent: Site) -> None:
    plan = sent.plan(admin_host="desk.trial.example", public_sessions="cached_db")
    assert plan.verdict.decisions == []
    assert plan.proxy.admin_logins == [LOGIN]
    assert LOGIN not in plan.admin.prefixes
    sent.manage("admin", "migrate", "-v0")
    # Both serve it, each with sessions of its own.
    assert sent.get("main", LOGIN).status == 200
    assert sent.get("admin", "/admin/login/").headers["Location"].startswith(LOGIN)
    assert sent.get("admin", LOGIN).status == 200


def test_an_admin_with_its_own_login_asks_nothing(paper: Site) -> None:
    assert "sends people to sign in" not in (paper.place / "plan.toml").read_text()
