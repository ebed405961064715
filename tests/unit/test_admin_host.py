"""The admin on a host name of its own: what each instance answers to, and whom it believes."""

from __future__ import annotations

import json

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.unit.conftest import MakeSite

ADMIN = "desk.trial.example"


@pytest.fixture(scope="module")
def apart(make_site: MakeSite) -> Site:
    site = make_site("paper", "\nALLOWED_HOSTS = ['old.example']\n")
    site.plan(admin_host=ADMIN, main_closed_prefixes=["/closed/"])
    return site


def setting(site: Site, instance: str, name: str) -> list[str]:
    code = f"import json, split_{instance} as s; print(json.dumps(list(s.{name})))"
    answer: list[str] = json.loads(site.run(["-c", code]).stdout)
    return answer


def test_main_answers_to_the_public_names_only(apart: Site) -> None:
    assert setting(apart, "main", "ALLOWED_HOSTS") == ["old.example", "trial.example"]
    assert setting(apart, "main", "CSRF_TRUSTED_ORIGINS") == ["http://trial.example:8080"]


def test_the_admin_knows_the_public_names_but_trusts_no_post_from_there(apart: Site) -> None:
    """Wagtail asks for a page's preview under the page's own name."""
    assert setting(apart, "admin", "ALLOWED_HOSTS") == ["old.example", ADMIN, "trial.example"]
    assert setting(apart, "admin", "CSRF_TRUSTED_ORIGINS") == [f"http://{ADMIN}:8080"]


def test_the_plan_says_it_of_both(apart: Site) -> None:
    derived = Plan.read(apart.place / "plan.toml").deploy["CSRF_TRUSTED_ORIGINS"]
    assert derived.value == ["http://trial.example:8080"]
    assert derived.for_admin == [f"http://{ADMIN}:8080"]


def test_no_cookie_gets_a_domain(apart: Site) -> None:
    """On a name of its own the cookie is that name's."""
    plan = Plan.read(apart.place / "plan.toml")
    assert plan.admin.unset == ["SESSION_COOKIE_DOMAIN"]
    assert not [name for name in plan.admin.settings if name.endswith("DOMAIN")]
