"""What `wagtail start` makes: two admins, and a page tree that answers everything."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import Plan
from tests.support.browsing import make_superuser, signed_in
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wagtail(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("wagtail")
    python = virtualenv(["wagtail==8.0.1", "redis"])
    (place / "src").mkdir()
    started = [python.with_name("wagtail"), "start", "mysite", place / "src"]
    subprocess.run(started, check=True, capture_output=True)
    with Site(place / "src", "mysite.settings.dev", place, python=str(python)) as site:
        site.plan(main_closed_prefixes=["/_util/"], session={"url": f"unix://{store}?db=0"})
        site.manage("admin", "migrate", "-v0")
        make_superuser(site)
        yield site


def test_both_admins_are_found(wagtail: Site) -> None:
    plan = Plan.read(wagtail.place / "plan.toml")
    assert [(mount.kind, mount.prefixes) for mount in plan.main.urls.mounts] == [
        ("django", ["/django-admin/"]),
        ("wagtail", ["/admin/"]),
    ]
    assert plan.proxy.admin_prefixes == ["/django-admin/", "/admin/"]
    assert plan.proxy.closed_prefixes == ["/_util/"]
    assert (plan.admin.path, plan.admin.login) == ("/django-admin/", "/django-admin/login/")
    assert plan.admin.settings["SESSION_COOKIE_PATH"] == "/"


@pytest.mark.parametrize("path", ["/", "/search/", "/search/?query=home"])
def test_page_of_main_is_the_bases_without_cookie_and_vary(wagtail: Site, path: str) -> None:
    main, base = wagtail.get("main", path), wagtail.get("admin", path)
    assert (main.status, main.body) == (200, base.body)
    assert main.cookies == []
    assert "Vary" not in main.headers


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin",
        "/admin/login/",
        "/admin/pages/1/",
        "/admin/nothing/",
        "/django-admin/",
        "/django-admin/login/",
        "/_util/login/",
        "/_util/authenticate_with_password/1/1/",
    ],
)
def test_admins_and_closed_paths_are_404_on_main(wagtail: Site, path: str) -> None:
    assert wagtail.get("main", path).status == 404


@pytest.mark.parametrize(
    ("login", "pages"),
    [
        ("/admin/login/", ["/admin/", "/admin/pages/", "/admin/images/", "/admin/users/"]),
        ("/django-admin/login/", ["/django-admin/", "/django-admin/auth/group/"]),
    ],
)
def test_both_admins_open_after_a_login(wagtail: Site, login: str, pages: list[str]) -> None:
    _, statuses = signed_in(wagtail, login, pages)
    # Wagtail sends /admin/pages/ on to the home page's explorer.
    assert {path: status for path, status in statuses.items() if status not in (200, 302)} == {}
    assert statuses[pages[0]] == 200


def test_wagtails_names_reverse_alike_on_both(wagtail: Site) -> None:
    names = """
        from django.urls import reverse
        answer = [reverse("wagtailadmin_home"), reverse("wagtailadmin_pages:edit", args=[2]),
                  reverse("wagtailimages:index"), reverse("wagtailadmin_login"),
                  reverse("wagtailcore_login"), reverse("admin:taggit_tag_changelist")]
        """
    assert wagtail.ask("main", names) == wagtail.ask("admin", names)


def test_system_checks_pass(wagtail: Site) -> None:
    for instance in ("main", "admin"):
        assert "no issues" in wagtail.manage(instance, "check")
