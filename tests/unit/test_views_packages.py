"""What is found in the views of released packages: their own tables and habits, not ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.trial import PlanFailedError, Site
from tests.support.virtualenvs import virtualenv
from tests.unit.conftest import PROJECTS
from tests.unit.test_views import Found, look

pytestmark = pytest.mark.slow

REQUIREMENTS = (
    "Django>=5.2,<5.3",
    "djangorestframework",
    "django-ninja",
    "django-allauth",
    "django-registration-redux",
    "django-formtools",
    "social-auth-app-django",
    "mozilla-django-oidc",
)


SIGN_ON = """
import json
import django
django.setup()
from django_split.analysis import routes, sign_on
from django_split.mounts import OTHER_ADMINS
print(json.dumps([route.url for route in sign_on.find(routes.routes(OTHER_ADMINS))]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    place = tmp_path_factory.mktemp("service")
    shutil.copytree(PROJECTS / "service", place / "src")
    python = str(virtualenv(REQUIREMENTS))
    return Site(Path(place / "src"), "service.settings", place, python=python)


@pytest.fixture(scope="module")
def service(site: Site) -> tuple[list[str], Found]:
    return look(site)


@pytest.mark.parametrize("kind", ["login", "private", "session", "user", "public"])
def test_each_view_is_what_its_url_says(service: tuple[list[str], Found], kind: str) -> None:
    urls, found = service
    kinds = {one["url"]: one["kind"] for one in found}
    expected = {url for url in urls if url.startswith(f"/{kind}/")}
    assert expected
    assert {url: kinds.get(url, "public") for url in expected} == dict.fromkeys(expected, kind)


def test_every_page_of_a_package_for_signing_in_needs_an_answer(
    service: tuple[list[str], Found],
) -> None:
    urls, found = service
    kinds = {one["url"]: one["kind"] for one in found}
    pages = {url for url in urls if url.startswith("/packages/")}
    public = {url for url in pages if kinds.get(url) not in ("login", "private")}
    # What is left are pages that only say something, and redirects.
    assert public == {
        "/packages/allauth/social/login/cancelled/",
        "/packages/allauth/social/login/error/",
        "/packages/allauth/social/signup/",
        "/packages/allauth/social/connections/",
        "/packages/registration/activate/complete/",
        "/packages/registration/register/closed/",
        "/packages/registration/register/complete/",
    }


def test_pages_that_another_site_sends_people_back_to_are_known(site: Site) -> None:
    found = set(json.loads(site.run(["-c", SIGN_ON], settings=site.settings).stdout))
    assert {
        "/packages/oidc/callback/",
        "/packages/social/complete/<str:backend>/",
    } <= found
    assert not {url for url in found if not url.startswith("/packages/")}
    assert not {url for url in found if url.startswith("/packages/registration/")}


def test_cookie_that_would_not_come_back_from_the_provider_is_refused(site: Site) -> None:
    with pytest.raises(PlanFailedError) as caught:
        site.plan(["--admin-cookie-samesite", "Strict"], admin_extra_prefixes=["/packages/oidc/"])
    assert caught.value.status == 1
    said = caught.value.output
    assert "--admin-cookie-samesite: 'Strict' would keep people from signing in at" in said
    assert "/packages/oidc/" in said
    assert "mozilla_django_oidc" in said
    # Main's own logins have main's cookie.
    with pytest.raises(PlanFailedError) as caught:
        site.plan(["--admin-cookie-samesite", "Strict"])
    assert "admin-cookie-samesite" not in caught.value.output
