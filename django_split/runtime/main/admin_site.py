"""The default admin site, inert:

a URLconf that mounts it imports as before, but nothing is registered or served.

Without it `admin.site.urls`, `admin.autodiscover()` and `import django.contrib.auth.admin` raise
LookupError as soon as the admin is not installed (FACTS A1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite

from django_split.plan import Main
from django_split.runtime.main import ghosts


class InertAdminSite(AdminSite):
    """Accepts every registration, keeps none, and mounts ghosts."""

    def register(self, *args: Any, **kwargs: Any) -> None:
        pass

    def unregister(self, *args: Any, **kwargs: Any) -> None:
        pass

    @property
    def urls(self) -> tuple[list[Any], str, str]:
        return ghosts.of(self.get_urls(), self.name), "admin", self.name


def install(main: Main) -> None:
    """Put the inert site where `admin.site` finds the real one."""
    name = main.default_admin_site
    # DefaultAdminSite is a LazyObject: setting what it wraps serves every module that already holds
    # it.
    admin.site._wrapped = InertAdminSite(name)  # type: ignore[attr-defined]
    admin.autodiscover = _no_autodiscover


_no_autodiscover: Callable[[], None] = lambda: None  # noqa: E731
