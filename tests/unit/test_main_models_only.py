"""What main has of an app of which it keeps the models and templates only (FACTS A10, A21)."""

from __future__ import annotations

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.support.variants import variant

MODELS_ONLY = "django_split.runtime.main.models_only"


def keep(plan: Plan) -> None:
    """As `django_split.analysis.changes.keep_models` does it for both."""
    plan.main.drop_apps = []
    plan.main.models = []
    plan.main.replace_apps = {
        "desk.configs.DeskAdmin": f"{MODELS_ONLY}.AdminModelsConfig",
        "django.contrib.sessions": f"{MODELS_ONLY}.SessionsModelsConfig",
    }


@pytest.fixture(scope="module")
def keeping(desk: Site) -> str:
    return variant(desk, "keeping", change=keep)


def test_sites_own_admin_config_is_replaced(desk: Site, keeping: str) -> None:
    code = """
        from django.apps import apps
        from django.conf import settings
        configs = [apps.get_app_config(label) for label in ("admin", "sessions")]
        answer = [*settings.INSTALLED_APPS, *(type(config).__name__ for config in configs)]
        """
    answer = desk.ask(keeping, code)
    assert "desk.configs.DeskAdmin" not in answer
    assert "django.contrib.admin" not in answer
    assert answer[-2:] == ["AdminModelsConfig", "SessionsModelsConfig"]


def test_models_import_and_answer(desk: Site, keeping: str) -> None:
    code = """
        from django.contrib.admin.models import LogEntry
        from django.contrib.sessions.models import Session
        answer = [LogEntry.objects.count(), Session.objects.count()]
        """
    assert desk.ask(keeping, code) == [0, 0]
    assert desk.run(
        ["-c", "import django; django.setup(); import django.contrib.admin.models"],
        settings="split_main",
        check=False,
    ).returncode


def test_user_with_a_log_entry_can_be_deleted_without_a_shadow(desk: Site, keeping: str) -> None:
    code = """
        from django.contrib.admin.models import LogEntry
        from django.contrib.auth.models import User
        user = User.objects.create_user("editor")
        LogEntry.objects.create(user=user, object_repr="x", action_flag=1)
        answer = user.delete()[1]
        """
    assert desk.ask(keeping, code) == {"admin.LogEntry": 1, "auth.User": 1}


def test_templates_tags_and_widgets_of_the_admin_load(desk: Site, keeping: str) -> None:
    code = """
        from django import forms
        from django.contrib.admin.widgets import AdminDateWidget
        from django.template import engines
        class Form(forms.Form):
            day = forms.DateField(widget=AdminDateWidget)
        load = "{% load admin_urls %}{{ meta|admin_urlname:'change' }}"
        text = load + "{{ form.day }}{{ form.media }}"
        from django.contrib.auth.models import User
        template = engines["django"].from_string(text)
        answer = template.render({"meta": User._meta, "form": Form()})
        """
    shown = desk.ask(keeping, code)
    assert "admin:auth_user_change" in shown
    assert "vDateField" in shown
    assert "admin/js/calendar.js" in shown


def test_password_reset_page_lives_in_the_admins_templates(desk: Site, keeping: str) -> None:
    """FACTS A21: it was a 500."""
    (desk.source / "desk" / "forgot_urls.py").write_text(
        "from django.urls import include, path\n"
        "from desk import urls\n"
        "urlpatterns = [*urls.urlpatterns, path('me/', include('django.contrib.auth.urls'))]\n"
    )
    code = """
        from django.test import Client, override_settings
        from django_split.runtime.main.urlconf import filtered
        client = Client(HTTP_HOST="trial.example")
        with override_settings(ROOT_URLCONF=filtered("desk.forgot_urls")):
            paths = ("password_reset/", "password_reset/done/", "reset/done/", "reset/MQ/x/")
            pages = [client.get(f"/me/{path}") for path in paths]
            sent = client.post("/me/password_reset/", {"email": "nobody@trial.example"})
            answer = [*(page.status_code for page in pages), sent.status_code]
        """
    assert desk.ask(keeping, code) == [200, 200, 200, 200, 302]


def test_nothing_else_of_the_admin_runs(desk: Site, keeping: str) -> None:
    code = """
        import sys
        from django.contrib import admin
        from django.core.checks.registry import registry
        from django.urls import get_resolver
        _ = get_resolver().url_patterns
        checks = [check.__name__ for check in registry.registered_checks]
        answer = ["desk.admin" in sys.modules, len(admin.site._registry),
                  "check_admin_app" in checks]
        """
    assert desk.ask(keeping, code) == [False, 0, False]
    assert desk.get(keeping, "/office/login/").status == 404
    assert desk.get(keeping, "/statistics/").status == 200


def test_checks_pass(desk: Site, keeping: str) -> None:
    assert "no issues" in desk.manage(keeping, "check", "--fail-level", "WARNING")
