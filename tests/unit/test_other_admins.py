"""Admins of another kind than Django's, which the operator names by their URL module."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.trial import Site

MakeSite = Callable[..., Site]

DESK = """
from django.urls import path
from paper import views
app_name = "admin"
urlpatterns = [path("", views.page, name="desk")]
"""
URLS = """
from django.urls import include, path
from paper.urls import urlpatterns as own
site = ([path("desk/", include("paper.desk"))], "site")
urlpatterns = [path("", include(site)), *own]
"""


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    site = make_site("paper", "\nROOT_URLCONF = 'paper.with_desk'\n")
    (site.source / "paper" / "desk.py").write_text(DESK)
    (site.source / "paper" / "with_desk.py").write_text(URLS)
    site.plan(admin_urlconfs=["paper.desk"])
    return site


def test_it_is_the_admins_and_its_names_reverse(site: Site) -> None:
    assert site.get("main", "/desk/").status == 404
    assert site.get("admin", "/desk/").status == 200
    assert site.ask("main", reversed_("site:admin:desk")) == "/desk/"


def test_another_admin_called_admin_gets_no_ghosts_of_djangos(site: Site) -> None:
    assert site.ask("main", reversed_("site:admin:auth_user_add")) == ""
    assert site.ask("main", reversed_("admin:auth_user_add")) == "/admin/auth/user/add/"


def reversed_(name: str) -> str:
    return f"""
from django.urls import NoReverseMatch, reverse
try:
    answer = reverse({name!r})
except NoReverseMatch:
    answer = ""
"""
