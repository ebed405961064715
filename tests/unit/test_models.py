"""Why main keeps a dropped app's models or templates: then, and only then (FACTS A10, A21)."""

from __future__ import annotations

from pathlib import Path

import pytest

from django_split.analysis.imports import App, uses
from django_split.analysis.modules import Module
from django_split.findings import NEEDED, of_kind
from django_split.plan import Plan
from tests.support.trial import Site
from tests.unit.conftest import MakeSite

ADMIN = App("django.contrib.admin", "django.contrib.admin", "admin")
SESSIONS = App("django.contrib.sessions", "django.contrib.sessions", "sessions")
MODELS_ONLY = "django_split.runtime.main.models_only"


def lines(tmp_path: Path, text: str) -> list[int]:
    """The lines of a module's text that need one of the two apps."""
    file = tmp_path / "part.py"
    file.write_text(text)
    module = Module("site.part", "site", str(file))
    return [use.line for use in uses(module, [ADMIN, SESSIONS])]


@pytest.mark.parametrize(
    "text",
    [
        "from django.contrib.admin.models import LogEntry",
        "import django.contrib.admin.models",
        "from django.contrib.admin import (\n    models,\n)",
        "from django.contrib.sessions.models import Session as S",
        "class A:\n    def method(self):\n        from django.contrib.admin.models import LogEntry",
        "from django.apps import apps\napps.get_model('sessions', 'Session')",
        "from django.apps import apps\nfound = apps.get_model('admin.LogEntry')",
        "def f(registry):\n    return registry.get_app_config('sessions')",
        "from django.contrib import admin\nx = admin.models.LogEntry",
        "from django.contrib.sessions.backends.db import SessionStore\nSessionStore().create()",
        "from django.contrib.sessions.backends import cached_db as b\nb.SessionStore('key')",
        "from django.contrib.sessions.backends import db\nclass Store(db.SessionStore): pass",
        # It catches what is not raised.
        "try:\n    import django.contrib.admin.models\nexcept ImportError: pass",
        # The `try` is long over when the function runs.
        "try:\n  def f():\n    import django.contrib.admin.models\nexcept RuntimeError: pass",
        "if not settings.DEBUG:\n    import django.contrib.admin.models",
        "if apps.is_installed('other'):\n    import django.contrib.admin.models",
    ],
)
def test_use_of_a_model_is_seen(tmp_path: Path, text: str) -> None:
    assert len(lines(tmp_path, text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from django.contrib import admin\nadmin.site.register(1)",
        "from django.contrib.admin import ModelAdmin",
        "from django.contrib.sessions.backends.cache import SessionStore\nSessionStore()",
        "from django.contrib.sessions.backends.db import SessionStore\nstub(SessionStore)",
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "class Own(SessionStore):\n    def get_model_class(cls): return Own",
        "from django.contrib.sessions.base_session import AbstractBaseSession",
        "if TYPE_CHECKING:\n    from django.contrib.admin.models import LogEntry",
        "if typing.TYPE_CHECKING:\n    from django.contrib.admin.models import LogEntry",
        "if apps.is_installed('django.contrib.admin'):\n    import django.contrib.admin.models",
        "if 'django.contrib.admin' in settings.INSTALLED_APPS:\n"
        "    import django.contrib.admin.models",
        "if not apps.is_installed('django.contrib.admin'):\n    pass\n"
        "else:\n    import django.contrib.admin.models",
        "def f():\n    if not apps.is_installed('django.contrib.admin'):\n        return\n"
        "    import django.contrib.admin.models",
        "try:\n    import django.contrib.admin.models\nexcept (ImportError, RuntimeError): pass",
        "try:\n    import django.contrib.admin.models\nexcept: pass",
        "with suppress(RuntimeError):\n    import django.contrib.admin.models",
        "try:\n    apps.get_model('admin', 'LogEntry')\nexcept LookupError: pass",
        "apps.get_model('admins', 'LogEntry')",
        "from django.apps import apps\napps.is_installed('admin')",
        "text = 'import django.contrib.admin.models'",
    ],
)
def test_what_asks_first_or_uses_no_model_needs_nothing(tmp_path: Path, text: str) -> None:
    assert lines(tmp_path, text) == []


@pytest.fixture(scope="module")
def museum(make_site: MakeSite) -> Site:
    site = make_site("museum")
    site.plan(main_anonymous_views=["*"])
    site.manage("admin", "migrate", "-v0")
    return site


def needed(site: Site) -> dict[str, str]:
    plan = Plan.read(site.place / "plan.toml")
    return {finding.what: finding.where for finding in of_kind(plan.findings, NEEDED)}


def test_each_reason_is_named_with_its_place(museum: Site) -> None:
    """By a relation, by an import in a function's import, by a page, its frame and its form."""
    reset = "django/contrib/auth/views.py"
    found = {what: where.partition(":")[0] for what, where in needed(museum).items()}
    assert found == {
        "museum.Visit.session relates to sessions.Session": "museum/models.py",
        "museum.journal imports django.contrib.admin.models": "museum/journal.py",
        "glitter.templatetags.glitter imports django.contrib.admin.models": (
            "glitter/templatetags/glitter.py"
        ),
        "wall.html loads admin_urls, tags of django.contrib.admin": ("museum/templates/wall.html"),
        "/calendar/ shows admin/widgets/split_datetime.html, a widget of django.contrib.admin": (
            "museum/forms.py"
        ),
        "/forgotten/ shows registration/password_reset_form.html, "
        "a template of django.contrib.admin": reset,
        "/forgotten/ shows registration/password_reset_email.html, "
        "a template of django.contrib.admin": reset,
    }


def test_models_and_templates_are_kept_and_nothing_else_of_the_app(museum: Site) -> None:
    main = Plan.read(museum.place / "plan.toml").main
    assert main.replace_apps == {
        "django.contrib.admin": f"{MODELS_ONLY}.AdminModelsConfig",
        "django.contrib.sessions": f"{MODELS_ONLY}.SessionsModelsConfig",
    }
    assert (main.drop_apps, main.models) == ([], [])
    assert "museum/models.py:" in main.why["django.contrib.sessions"]
    assert museum.get("main", "/admin/login/").status == 404


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/changes/", "0 changes"),
        ("/frame/", "Frame"),
        ("/calendar/", "vDateField"),
        ("/forgotten/", "Forgotten your password?"),
    ],
)
def test_page_that_needs_it_is_served_on_main(museum: Site, path: str, text: str) -> None:
    page = museum.get("main", path)
    assert page.status == 200
    assert text in page.body


@pytest.mark.slow
def test_page_that_main_does_not_serve_needs_nothing(make_site: MakeSite) -> None:
    """Closed by its view, by its prefix, or given to the admin: only what is written counts."""
    site = make_site("museum")
    site.plan(
        main_closed_views=["museum.views.frame"],
        main_closed_prefixes=["/calendar/"],
        admin_extra_prefixes=["/forgotten/"],
    )
    assert sorted(needed(site)) == [
        "glitter.templatetags.glitter imports django.contrib.admin.models",
        "museum.Visit.session relates to sessions.Session",
        "museum.journal imports django.contrib.admin.models",
    ]


def test_default_site_keeps_no_models(paper: Site) -> None:
    """Its admin module imports LogEntry's package, its templates have the admin's names."""
    assert needed(paper) == {}
    main = Plan.read(paper.place / "plan.toml").main
    assert main.drop_apps == ["django.contrib.admin", "django.contrib.sessions"]


@pytest.mark.slow
def test_sessions_that_main_keeps_are_nothing_to_tell(make_site: MakeSite) -> None:
    site = make_site("museum", '\nROOT_URLCONF = "museum.bare"\n')
    main = site.plan(public_sessions="cached_db").main
    assert needed(site) == {}
    assert "django.contrib.sessions" not in {*main.drop_apps, *main.replace_apps}
