"""Main is started before a plan is given: what cannot load goes, and what is left is named."""

from __future__ import annotations

import json

import pytest

from django_split.findings import BREAKS, NEEDED, Finding, of_kind
from django_split.plan import Plan
from tests.support.trial import Site
from tests.unit.conftest import MakeSite

BARE = '\nROOT_URLCONF = "museum.bare"\n'

ROWS = """
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from ledger.models import Bound, Line, LogEntry as Entry
user = User.objects.create(username="keeper")
book = Bound.objects.create(owner=user)
Entry.objects.create(line=Line.objects.create(book=book))
LogEntry.objects.create(user=user, object_repr="x", action_flag=1)
"""
LEFT = """
from django.contrib.admin.models import LogEntry
from ledger.models import Book, Bound, Line, LogEntry as Entry
answer = [model.objects.count() for model in (Book, Bound, Line, Entry, LogEntry)]
"""


@pytest.fixture(scope="module")
def bare(make_site: MakeSite) -> Site:
    site = make_site("museum", BARE)
    site.plan()
    site.manage("admin", "migrate", "-v0")
    return site


def broken(site: Site) -> list[Finding]:
    """What fails on main, of a plan that has questions."""
    done = site.run(
        ["-m", "django_split", "plan", "--json", "--settings", site.settings], check=False
    )
    assert done.returncode == 3, done.stderr
    plan = Plan.from_data(json.loads(done.stdout))
    return of_kind(plan.findings, BREAKS)


def test_skin_that_cannot_load_goes_and_so_does_an_app_that_wants_the_admin(bare: Site) -> None:
    """FACTS A18: a skin's tags import what is gone, and every page on main was an error."""
    main = Plan.read(bare.place / "plan.toml").main
    assert set(main.drop_apps) == {"django.contrib.admin", "glitter", "ledger"}
    assert main.why["glitter"].startswith("it does not load without the admin: RuntimeError: ")
    assert main.why["glitter"].endswith("(glitter/templatetags/glitter.py:6)")
    assert "ledger is for the admin (ledger/apps.py:" in main.why["ledger"]
    assert bare.get("main", "/").status == 200


def test_what_main_deletes_cascades_through_the_tables_of_a_dropped_app(bare: Site) -> None:
    """A row of it that points at another row of it stands in the way too."""
    bare.ask("admin", ROWS)
    assert bare.ask("admin", LEFT) == [1, 1, 1, 1, 1]
    deleted = bare.ask(
        "main",
        "from django.contrib.auth.models import User; answer = User.objects.all().delete()[0]",
    )
    assert deleted == 6
    assert bare.ask("admin", LEFT) == [0, 0, 0, 0, 0]


def test_shadows_of_one_name_are_two(bare: Site) -> None:
    main = Plan.read(bare.place / "plan.toml").main
    names = {shadow.name: shadow.table for shadow in main.models}
    assert names["AdminLogEntry"] == "django_admin_log"
    assert names["LedgerLogEntry"] == "ledger_logentry"
    assert "no issues" in bare.manage("main", "check")


@pytest.mark.slow
def test_app_whose_models_the_site_imports_is_not_dropped(make_site: MakeSite) -> None:
    site = make_site("museum", BARE)
    urls = site.source / "museum" / "bare.py"
    urls.write_text(f"{urls.read_text()}\n\ndef books():\n    from ledger.models import Book\n")
    (found,) = broken(site)
    assert "ledger is for the admin" in found.what
    assert found.where.startswith("ledger/apps.py:")


def test_sites_own_code_that_fails_is_named_with_what_to_do(make_site: MakeSite) -> None:
    site = make_site("museum", '\nROOT_URLCONF = "museum.stubborn"\n')
    (site.source / "museum" / "stubborn.py").write_text(
        "from django.contrib import admin\n"
        "from museum.bare import urlpatterns\n"
        "from museum.models import Visit\n"
        "admin.site._registry[Visit].list_display = ['day']\n"
    )
    (found,) = broken(site)
    assert found.what.startswith("main does not start: KeyError: ")
    assert found.where == "museum/stubborn.py:4"


@pytest.mark.slow
def test_import_that_fails_at_once_keeps_the_models(make_site: MakeSite) -> None:
    """FACTS A10: python.org, django CMS; and apps that were dropped for the lack of it return."""
    site = make_site("museum", BARE)
    urls = site.source / "museum" / "bare.py"
    urls.write_text(f"{urls.read_text()}\nimport django.contrib.admin.models\n")
    main = site.plan().main
    assert set(main.replace_apps) == {"django.contrib.admin", "django.contrib.sessions"}
    assert (main.drop_apps, main.models) == ([], [])
    assert "(museum/bare.py:" in main.why["django.contrib.admin"]


@pytest.mark.slow
def test_template_whose_name_is_put_together_is_found_by_the_page_that_fails(
    make_site: MakeSite,
) -> None:
    site = make_site("museum", BARE)
    with (site.source / "museum" / "bare.py").open("a") as urls:
        urls.write(
            "\n\nfrom django.shortcuts import render\n\n"
            "def drawn(request):\n"
            "    return render(request, '/'.join(['admin', 'color_theme_toggle.html']))\n\n"
            "urlpatterns += [path('drawn/', drawn)]\n"
        )
    plan = site.plan()
    assert "django.contrib.admin" in plan.main.replace_apps
    found = {finding.url: finding for finding in of_kind(plan.findings, NEEDED)}
    assert found["/drawn/"].what == (
        "/drawn/ fails without it: TemplateDoesNotExist: admin/color_theme_toggle.html"
    )
    assert site.get("main", "/drawn/").status == 200


@pytest.mark.slow
def test_system_check_that_fails_on_main_only_is_told(make_site: MakeSite) -> None:
    site = make_site("museum", BARE)
    with (site.source / "museum" / "models.py").open("a") as models:
        models.write(
            "\n\nfrom django.apps import apps\nfrom django.core.checks import Error, register\n\n\n"
            "@register()\ndef check(app_configs, **kwargs):\n"
            "    always = [Error('on both', id='museum.E001')]\n"
            "    gone = [Error('no admin', id='museum.E002')]\n"
            "    return always + gone * (not apps.is_installed('django.contrib.admin'))\n\n\n"
            "@register()\ndef ask(app_configs, **kwargs):\n"
            "    return [Error('a visit')] if Visit.objects.exists() else []\n"
        )
    assert [found.what for found in broken(site)] == [
        "the system check museum.E002 fails on main only: no admin"
    ]
    assert not (site.source / "db.sqlite3").exists()
