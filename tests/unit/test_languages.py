"""Admins that do not stand at /admin/ and are not called "admin" (FACTS A13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_split.plan import Plan
from tests.support.trial import Site


@pytest.fixture(scope="module")
def plan(tongues: Site) -> Plan:
    return Plan.read(tongues.place / "plan.toml")


def test_every_admin_is_found_under_every_language(plan: Plan) -> None:
    assert [(mount.namespace, mount.prefixes) for mount in plan.main.urls.mounts] == [
        ("office", ["/office/"]),
        ("backstage", ["/en/backstage/", "/de/backstage/"]),
    ]
    assert plan.proxy.admin_prefixes == ["/office/", "/en/backstage/", "/de/backstage/"]


def test_default_site_is_the_primary_one(plan: Plan) -> None:
    assert (plan.admin.path, plan.admin.login) == ("/en/backstage/", "/en/backstage/login/")


def test_startprojects_language_is_the_one_that_answers(
    make_site: Callable[..., Site],
) -> None:
    """LANGUAGE_CODE "en-us" with LANGUAGES of "en" and "de": there is no /en-us/."""
    site = make_site("tongues", "\nLANGUAGE_CODE = 'en-us'\n")
    site.plan()
    plan = Plan.read(site.place / "plan.toml")
    assert plan.admin.login == "/en/backstage/login/"
    assert plan.proxy.admin_prefixes == ["/office/", "/en/backstage/", "/de/backstage/"]
    site.manage("admin", "migrate", "-v0")
    assert site.get("admin", plan.admin.login).status == 200


def test_several_prefixes_share_the_root_as_cookie_path(plan: Plan) -> None:
    assert plan.admin.settings["SESSION_COOKIE_PATH"] == "/"


def test_subclasses_of_the_apps_and_of_the_middleware_are_known_by_their_base(plan: Plan) -> None:
    assert plan.main.drop_apps == ["tongues.configs.Backstage", "tongues.configs.Sessions"]
    assert list(plan.main.replace_middleware) == ["tongues.middleware.Sessions"]
    assert "this subclass" in plan.main.why["tongues.middleware.Sessions"]


@pytest.mark.parametrize(
    "path", ["/office/", "/en/backstage/", "/de/backstage/login/", "/office/x/"]
)
def test_no_admin_answers_on_main(tongues: Site, path: str) -> None:
    assert tongues.get("main", path).status == 404


@pytest.mark.parametrize("path", ["/people/", "/en/", "/de/"])
def test_public_pages_answer_alike_on_both(tongues: Site, path: str) -> None:
    main, admin = (tongues.get(instance, path) for instance in ("main", "admin"))
    assert (main.status, main.body) == (admin.status, admin.body) == (200, "public")


def test_each_name_reverses_in_each_language(tongues: Site) -> None:
    paths = """
        from django.urls import reverse
        from django.utils import translation
        answer = []
        for language in ("en", "de"):
            with translation.override(language):
                answer += [reverse("backstage:index"), reverse("office:auth_group_changelist")]
        answer += [reverse("admin:index")]
        """
    assert tongues.ask("main", paths) == tongues.ask("admin", paths)


def test_prefix_from_the_environment_is_followed(make_site: Callable[..., Site]) -> None:
    site = make_site("tongues", OFFICE_PREFIX="hidden-door")
    assert "/hidden-door/" in site.plan().proxy.admin_prefixes


def test_static_url_on_another_host_is_not_the_proxys(plan: Plan) -> None:
    assert (plan.proxy.static_url, plan.proxy.media_url) == ("", "")
