"""`admin.site` on main: the site's own class, inert."""

from __future__ import annotations

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.support.variants import variant


def test_plan_names_the_class_of_the_default_site(desk: Site, paper: Site) -> None:
    for site, name in ((desk, "desk.office.DeskAdminSite"), (paper, "")):
        assert Plan.read(site.place / "plan.toml").main.default_admin_class == name


def test_what_a_sites_own_class_adds_can_be_used_in_urls(desk: Site) -> None:
    page = desk.get("main", "/statistics/")
    assert page.status == 200
    assert page.body == '{"header": "The Desk: everything in its place", "apps": []}'
    assert page.body == desk.get("admin", "/statistics/").body


def test_registrations_are_dropped(desk: Site) -> None:
    code = """
        from django.contrib import admin
        from django.contrib.auth.models import Group, User
        from django.urls import get_resolver
        _ = get_resolver().url_patterns
        site = admin.site
        site.register(Group)
        admin.register(User)(type("Users", (admin.ModelAdmin,), {}))
        site.unregister([Group, User])
        site.unregister(Group)
        answer = [site.is_registered(Group), len(site._registry), site.name,
                  isinstance(site, admin.AdminSite), type(site._wrapped).__mro__[2].__name__]
        """
    assert desk.ask("main", code) == [False, 0, "admin", True, "DeskAdminSite"]


def test_names_reverse_though_its_own_urls_need_what_is_registered(desk: Site) -> None:
    code = """
        from django.urls import reverse
        names = ("index", "login", "numbers", "desk_note_change", "auth_user_password_change")
        args = {"desk_note_change": [1], "auth_user_password_change": [1]}
        answer = [reverse(f"admin:{name}", args=args.get(name)) for name in names]
        """
    assert desk.ask("main", code) == desk.ask("admin", code)
    assert desk.get("main", "/office/numbers/").status == 404
    mounted = "from django.contrib import admin; answer = len(admin.site.get_urls())"
    assert desk.ask("main", mounted) > 5


def test_it_is_built_when_it_is_first_used(desk: Site) -> None:
    """Its module imports models: Django does not load it before they are ready, either."""
    code = (
        "import sys, django; from django.contrib import admin;"
        "before = 'desk.office' in sys.modules;"
        "django.setup(); between = 'desk.office' in sys.modules; admin.site.name;"
        "print(before, between, 'desk.office' in sys.modules)"
    )
    assert desk.run(["-c", code], settings="split_main").stdout.split() == [
        "False",
        "False",
        "True",
    ]


def test_class_can_be_put_in_place_afterwards(desk: Site) -> None:
    """As django-otp says: admin.site.__class__ = OTPAdminSite."""
    code = """
        from django.contrib import admin
        from django.contrib.auth.models import Group
        class Other(admin.AdminSite):
            extra = "more"
        before = admin.site.__class__
        admin.site.__class__ = Other
        admin.site.unregister(Group)
        admin.site.register(Group)
        answer = [admin.site.extra, len(admin.site._registry), admin.site.urls[1:]]
        admin.site.__class__ = before
        """
    assert desk.ask("main", code) == ["more", 0, ["admin", "admin"]]


def test_plan_names_the_class_that_was_there_before(desk: Site) -> None:
    """What is put in its place afterwards is put there on main as well, by the same line."""
    code = """
        from django.contrib import admin
        from django_split.analysis.urls import default_site_class
        before = admin.site.__class__
        admin.site.__class__ = admin.AdminSite
        answer = default_site_class()
        admin.site.__class__ = before
        """
    assert desk.ask("admin", code) == "desk.office.DeskAdminSite"


def test_other_sites_lose_nothing_that_was_never_discovered_for_them(desk: Site) -> None:
    code = """
        from django.contrib import admin
        from django.contrib.auth.models import Group
        other = admin.AdminSite("other")
        other.unregister(Group)
        other.register(Group)
        answer = other.is_registered(Group)
        """
    assert desk.ask("main", code) is True


@pytest.mark.parametrize("name", ["desk.nowhere.Site", "desk.needy.Site"])
def test_class_that_needs_the_admin_is_replaced_by_djangos_own(desk: Site, name: str) -> None:
    (desk.source / "desk" / "needy.py").write_text(
        "from django.contrib.admin.models import LogEntry\nclass Site: pass\n"
    )

    def other(plan: Plan) -> None:
        plan.main.default_admin_class = name

    plain = variant(desk, name.replace(".", "_"), change=other, added="ROOT_URLCONF = 'desk.plain'")
    (desk.source / "desk" / "plain.py").write_text(
        "from django.contrib import admin\nfrom django.urls import path\n"
        "urlpatterns = [path('office/', admin.site.urls)]\n"
    )
    said, site, ids = desk.ask(
        plain,
        """
        from django.contrib import admin
        from django.core.checks import run_checks
        ids = [message.id for message in run_checks()]
        answer = log.getvalue(), type(admin.site._wrapped).__name__, ids
        """,
    )
    assert f"{name} cannot be used without the admin" in said
    assert site == "InertAdminSite"
    assert "split.W003" in ids
