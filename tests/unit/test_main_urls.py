"""Main's URLconf: closed views, and admins that only another URLconf mounts."""

from __future__ import annotations

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.support.variants import variant


@pytest.mark.parametrize("path", ["/members/list/", "/members/list", "/drawer/"])
def test_closed_view_is_not_found(desk: Site, path: str) -> None:
    assert desk.get("main", path).status == 404
    assert desk.get("admin", path).status in (200, 301)


def test_what_stands_beside_a_closed_view_is_served(desk: Site) -> None:
    assert desk.get("main", "/members/news/").body == "public"


def test_closed_view_still_reverses(desk: Site) -> None:
    code = "from django.urls import reverse; answer = [reverse('desk:members'), reverse('drawer')]"
    assert desk.ask("main", code) == ["/members/list/", "/drawer/"]


def test_view_is_closed_under_every_urlconf(desk: Site) -> None:
    code = """
        from django.test import Client
        client = Client(HTTP_HOST="backoffice.trial.example")
        answer = [client.get(path).status_code for path in
                  ("/members/", "/stock/", "/stock/admin/", "/stock/admin/login/",
                   "/stock/admin/nothing/", "/stock/admin/auth/group/")]
        """
    everywhere = "from django.conf import settings; settings.ALLOWED_HOSTS = ['*']\n"
    for instance in ("main", "admin"):
        desk.ask(instance, everywhere)
    assert desk.ask("main", code) == [404, 200, 404, 404, 404, 404]
    assert desk.ask("admin", code) == [200, 200, 302, 200, 302, 302]


def test_names_of_an_admin_in_another_urlconf_reverse(desk: Site) -> None:
    code = """
        from django.urls import reverse
        from django_split.runtime.main.urlconf import filtered
        answer = reverse("backoffice:login", urlconf=URLCONF)
        """
    main = code.replace("URLCONF", "filtered('desk.backoffice_urls')")
    assert desk.ask("main", main) == "/stock/admin/login/"


def test_other_admins_are_the_plans(desk: Site) -> None:
    """A package that nobody here knows, named by the operator's admin_urlconfs."""

    def name(plan: Plan) -> None:
        plan.main.urls.other_admins = {"desk.panel": "desk.panel"}
        plan.main.urls.closed_views = []

    (desk.source / "desk" / "panel.py").write_text(
        "from django.urls import path\nfrom desk import views\n"
        "app_name = 'panel'\nurlpatterns = [path('list/', views.member_list, name='list')]\n"
    )
    (desk.source / "desk" / "with_panel.py").write_text(
        "from django.urls import include, path\nfrom desk import views\n"
        "urlpatterns = [path('panel/', include('desk.panel')), path('list/', views.member_list)]\n"
    )
    panel = variant(desk, "panel", change=name)
    code = """
        from django.urls import reverse
        from django.test import Client, override_settings
        from django_split.runtime.main.urlconf import filtered
        client = Client(HTTP_HOST="trial.example")
        with override_settings(ROOT_URLCONF=filtered("desk.with_panel")):
            answer = [client.get(path).status_code for path in ("/panel/list/", "/list/")]
            answer.append(reverse("panel:list"))
        """
    assert desk.ask(panel, code) == [404, 200, "/panel/list/"]
