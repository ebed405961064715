"""The default admin site, inert:

a URLconf that mounts it imports as before, but nothing is registered or served.

Without it `admin.site.urls`, `admin.autodiscover()` and `import django.contrib.auth.admin` raise
LookupError as soon as the admin is not installed (FACTS A1).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.sites import DefaultAdminSite, NotRegistered  # type: ignore[attr-defined]
from django.utils.module_loading import import_string

from django_split import runtime
from django_split.plan import Main
from django_split.runtime.main import ghosts

logger = logging.getLogger("django_split")

# Why the site's own class could not be used, for the system checks.
trouble: list[str] = []


class InertAdminSite(AdminSite):
    """Accepts every registration, keeps none, and mounts ghosts."""

    def register(self, *args: Any, **kwargs: Any) -> None:
        pass

    def unregister(self, *args: Any, **kwargs: Any) -> None:
        pass

    def get_urls(self) -> list[Any]:
        try:
            return super().get_urls()
        except Exception:
            # A site's own may want what is registered. The plan has the names that are missing.
            return AdminSite.get_urls(self)

    @property
    def urls(self) -> tuple[list[Any], str, str]:
        patterns, app_name, name = super().urls
        return ghosts.of(patterns, name), app_name, name

    def get_log_entries(self, request: Any) -> Any:
        # A page of the site's own may show `admin.site.each_context()`.
        if apps.is_installed("django.contrib.admin"):
            return super().get_log_entries(request)
        return []

    def __setattr__(self, name: str, value: Any) -> None:
        # As django-otp has it: `admin.site.__class__ = OTPAdminSite`.
        super().__setattr__(name, _inert(value) if name == "__class__" else value)


def install() -> None:
    """Let `admin.site` be an inert site as soon as it is used, and nothing be discovered for it."""
    # Of a LazyObject: it serves every module that already holds `admin.site`.
    DefaultAdminSite._setup = _set_up  # type: ignore[attr-defined]
    AdminSite.unregister = _unregister  # type: ignore[method-assign]
    admin.autodiscover = _no_autodiscover


def default_site(main: Main) -> InertAdminSite:
    """The default site as the base has it, with what its own class adds, but inert.

    Plain where that class cannot be imported without the admin.
    """
    if main.default_admin_class:
        try:
            made: InertAdminSite = _inert(import_string(main.default_admin_class))()
        except Exception as error:
            what = (
                f"{main.default_admin_class} cannot be used without the admin "
                f"({type(error).__name__}: {error}): admin.site is Django's own on main"
            )
            trouble.append(what)
            logger.warning("%s", what)
        else:
            made.name = main.default_admin_site
            return made
    return InertAdminSite(main.default_admin_site)


def _inert(cls: type[AdminSite]) -> type[InertAdminSite]:
    if issubclass(cls, InertAdminSite):
        return cls
    return type(f"Inert{cls.__name__}", (InertAdminSite, cls), {"__module__": __name__})


def _set_up(site: Any) -> None:
    site._wrapped = default_site(runtime.plan().main)


_original = AdminSite.unregister


def _unregister(self: AdminSite, model_or_iterable: Any) -> None:
    # Any other site's: nothing has been discovered that could be taken from it.
    with suppress(NotRegistered):
        _original(self, model_or_iterable)


_no_autodiscover: Callable[[], None] = lambda: None  # noqa: E731
