"""A SECRET_KEY of the admin's own: from its environment, and neither believes the other."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from django_split.findings import SIGNS, of_kind
from tests.support.trial import Site

OWN = "the admin's own key, which nobody else knows: 0123456789"
NAME = "DJANGO_SPLIT_ADMIN_SECRET_KEY"
KEYS = "from django.conf import settings as s; answer = [s.SECRET_KEY, s.SECRET_KEY_FALLBACKS]"
OLD = "\nSECRET_KEY_FALLBACKS = ['one of before']\n"


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site]) -> Site:
    site = make_site("paper", OLD)
    site.plan(["--admin-secret-key", "own"])
    site.environment = {NAME: OWN}
    site.manage("admin", "migrate", "-v0")
    return site


def test_admin_has_the_key_of_its_environment_and_no_other(site: Site) -> None:
    assert site.ask("admin", KEYS) == [OWN, []]


def test_main_goes_on_as_the_site_says(site: Site) -> None:
    key, fallbacks = site.ask("main", KEYS)
    assert key not in (OWN, "")
    assert fallbacks == ["one of before"]
    assert OWN not in json.dumps(
        site.ask(
            "main", "from django.conf import settings; answer = str(settings._wrapped.__dict__)"
        )
    )


def test_password_reset_that_main_signs_is_worthless_to_the_admin(site: Site) -> None:
    """FACTS A20: with one key it set the superuser's password."""
    site.ask(
        "admin",
        "from django.contrib.auth.models import User; User.objects.create_superuser('chief')",
    )
    token = site.ask(
        "main",
        """
        from django.contrib.auth.models import User
        from django.contrib.auth.tokens import default_token_generator as tokens
        answer = tokens.make_token(User.objects.get(username="chief"))
        """,
    )
    believed = f"""
        from django.contrib.auth.models import User
        from django.contrib.auth.tokens import default_token_generator as tokens
        answer = tokens.check_token(User.objects.get(username="chief"), {token!r})
        """
    assert site.ask("main", believed) is True
    assert site.ask("admin", believed) is False


def test_plan_says_so_and_has_no_key_in_it(site: Site) -> None:
    written = (site.place / "plan.toml").read_text()
    assert "own_secret_key = true" in written
    assert OWN not in written
    assert "for-the-tests-only" not in written
    asked = ["-m", "django_split", "plan", "--settings", site.settings, "--no-crawl", "--diff"]
    said = ["--admin-secret-key", "own", "--main-anonymous-views", "*"]
    shown = site.run([*asked, *said]).stdout
    assert "SECRET_KEY -> the admin's own" in shown
    assert OWN not in shown


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "is not in the environment"),
        ("one of before", "is a key of the site's, which main knows too"),
    ],
)
def test_key_that_is_none_of_its_own_stops_the_admin_and_says_what_to_type(
    site: Site, key: str, words: str
) -> None:
    site.environment = {NAME: key}
    try:
        done = site.run(["-c", "import split_admin"], check=False)
        main = site.run(["-c", "import split_main"], check=False)
    finally:
        site.environment = {NAME: OWN}
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django_split.plan_file.PlanError: the plan ")
    assert f"{NAME} {words}. " in last
    assert f"export {NAME}=" in last
    assert "one of before" not in last
    # Main is none the wiser.
    assert (main.returncode, main.stderr) == (0, "")


def test_finding_says_what_becomes_of_a_password_reset(make_site: Callable[..., Site]) -> None:
    site = make_site("paper", "\nROOT_URLCONF = 'paper.with_reset'\n")
    (site.source / "paper" / "with_reset.py").write_text(
        "from django.contrib.auth.views import PasswordResetView\n"
        "from django.urls import path\n"
        "from paper.urls import *\n"
        "urlpatterns += [path('reset/', PasswordResetView.as_view())]\n"
    )
    for said, words in (("shared", "admin_secret_key: own gives"), ("own", "takes no token")):
        plan = site.plan(admin_secret_key=said)
        found = [f.what for f in of_kind(plan.findings, SIGNS) if "password reset" in f.what]
        assert len(found) == 1
        assert words in found[0]
