"""System checks of a running instance: it is what the plan says.

The ids are stable: they are what an operator silences or searches for. Those of sessions are in
`django_split.sessions.checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.sessions.apps import SessionsConfig
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.urls import get_resolver

from django_split import runtime
from django_split.mounts import DJANGO, depends_on_language, mounts, route
from django_split.plan import Plan
from django_split.sessions import checks as sessions

URLCONF = "django_split.runtime.main.urls"
URLCONF_FILTER = "django_split.runtime.main.middleware.UrlconfMiddleware"

AGAIN = "Make the plan again: django-split plan (the playbook makes it at each deploy)."
HINT = f"{AGAIN} Set nothing after load() that the plan sets."


def check_instance(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Main is without the admin and its sessions; the admin has its own, and nobody else's."""
    plan = runtime.plan()
    if runtime.instance() == "main":
        found = [*_apps(plan), *sessions.of_main(plan), *_urlconf(), *_default_site()]
    else:
        found = [*sessions.of_admin(plan), *_admin(plan)]
    return [*found, *_drift(plan)]


def _apps(plan: Plan) -> Iterator[CheckMessage]:
    """What main does without is not there, or as the plan's replacement only."""
    instead = plan.main.replace_apps.values()
    for entry, config in zip(settings.INSTALLED_APPS, apps.get_app_configs(), strict=True):
        if entry in plan.main.drop_apps or (entry not in instead and _is_dropped(plan, config)):
            yield Error(f"{entry} is installed on main.", hint=HINT, id="split.E001")


def _is_dropped(plan: Plan, config: AppConfig) -> bool:
    # By class, so that a site's own AdminConfig counts too; by name for a replacement of any other.
    if isinstance(config, SimpleAdminConfig) or config.name == "django.contrib.admin":
        return True
    is_sessions = isinstance(config, SessionsConfig) or config.name == "django.contrib.sessions"
    return is_sessions and not plan.main.public_sessions


def _urlconf() -> Iterator[CheckMessage]:
    if settings.ROOT_URLCONF != URLCONF:
        yield Error(
            f"ROOT_URLCONF on main is {settings.ROOT_URLCONF!r}: the admin's URLs are in it.",
            hint=HINT,
            id="split.E004",
        )
    if not settings.MIDDLEWARE or settings.MIDDLEWARE[-1] != URLCONF_FILTER:
        yield Error(
            f"{URLCONF_FILTER} is not the last of main's MIDDLEWARE: a URLconf that another one "
            "chooses would be served with the admin in it.",
            hint=HINT,
            id="split.E005",
        )


def _default_site() -> Iterator[CheckMessage]:
    from django_split.runtime.main import admin_site

    _ = get_resolver().url_patterns  # whoever uses it has done so by then
    for what in dict.fromkeys(admin_site.trouble):
        yield Caution(
            f"{what}.",
            hint="Its module must be importable where django.contrib.admin is not installed.",
            id="split.W003",
        )


def _admin(plan: Plan) -> Iterator[CheckMessage]:
    kinds = {mount.kind for mount in plan.main.urls.mounts}
    if DJANGO in kinds and not apps.is_installed("django.contrib.admin"):
        yield Error(
            "django.contrib.admin is not installed on the admin instance.",
            hint=HINT,
            id="split.E009",
        )
    found = list(_mounts(plan))
    if not found:
        yield Error(
            f"No admin is mounted in {settings.ROOT_URLCONF}.",
            hint="The admin instance takes the base's own URLconf. " + AGAIN,
            id="split.E010",
        )
        return
    planned = [prefix for mount in plan.main.urls.mounts for prefix in mount.prefixes]
    for prefix in planned:
        if not any(prefix in paths for paths in found):
            yield Caution(
                f"No admin is mounted at {prefix} any more, and nginx sends it here.",
                hint=AGAIN,
                id="split.W004",
            )
    for paths in found:
        if not any(prefix in paths for prefix in planned):
            yield Caution(
                f"An admin is mounted at {min(paths)}, which nginx sends to main.",
                hint=AGAIN,
                id="split.W004",
            )


def _mounts(plan: Plan) -> Iterator[set[str]]:
    """The paths of each admin in the URLconf, under every language that the site may have."""
    from django.utils import translation

    every = [settings.LANGUAGE_CODE, *(code for code, _ in settings.LANGUAGES)]
    for _, trail in mounts(get_resolver(), plan.main.urls.other_admins):
        translated = settings.USE_I18N and any(depends_on_language(it.pattern) for it in trail)
        paths = set()
        for language in every if translated else [settings.LANGUAGE_CODE]:
            with translation.override(language):
                paths.add("/" + route(trail)[0])
        yield paths


def _drift(plan: Plan) -> Iterator[CheckMessage]:
    for difference in settings.DJANGO_SPLIT["drift"]:
        yield Caution(f"{plan.base}: {difference}.", hint=AGAIN, id="split.W001")
    now = django.get_version()
    if now.split(".")[:2] != plan.django.split(".")[:2]:
        yield Caution(
            f"The plan was made with Django {plan.django}, and this is {now}.",
            hint=AGAIN,
            id="split.W002",
        )
