"""What is found in the views of released packages: their own tables and habits, not ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.trial import Site
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


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Found]:
    place = tmp_path_factory.mktemp("service")
    shutil.copytree(PROJECTS / "service", place / "src")
    python = str(virtualenv(REQUIREMENTS))
    return look(Site(Path(place / "src"), "service.settings", place, python=python))


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
