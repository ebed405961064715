"""The Sessions page in every Django admin of the instance, without an edit to the site.

Each AdminSite gets two attributes of its own, `get_urls` and `get_app_list`, that ask the class's
and add ours. On the object and not on the class, because then they come last, whatever subclasses
make of these methods: one that sorts its models by a list of its own never sees ours. The class is
looked up at each call, since packages change a site's class late (django-otp), and a site may be
made after ours is ready (Mezzanine's, and any that a URLconf makes).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.apps.registry import Apps
from django.contrib.admin.sites import AdminSite, all_sites
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_split.runtime.admin.views import NAME, SessionsPage, is_superuser

# Below the admin's own prefix. An app's label, as those that the admin has its models' URLs below:
# this one is ours, and Django lets no other app have it.
LABEL = "django_split"
MOUNTED = "_django_split_mounted"


class Session(models.Model):
    """What packages find that ask an entry of the app list for its model.

    In a registry of its own, as django.db.migrations.recorder has its model: it has no table, no
    migration, no content type and no permission, and no other app meets it.
    """

    class Meta:
        apps = Apps()
        app_label = LABEL
        managed = False
        default_permissions = ()
        verbose_name = gettext_lazy("session")
        verbose_name_plural = gettext_lazy("sessions")


def install() -> None:
    """Mount the page in the sites there are, and in those that are still to be made."""
    for site in all_sites:
        mount(site)
    make = AdminSite.__init__

    @wraps(make)
    def init(self: AdminSite, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        mount(self)

    AdminSite.__init__ = init  # type: ignore[method-assign]


def mount(site: AdminSite) -> None:
    """Give a site the page and its entry, once."""
    if hasattr(site, MOUNTED):
        return
    setattr(site, MOUNTED, True)
    # What stands on the object already was put there by the site, for itself.
    urls, app_list = _method(site, "get_urls"), _method(site, "get_app_list")

    def get_urls() -> list[Any]:
        # First: the admin's last pattern answers everything.
        return [*SessionsPage(site).urls(), *urls()]

    def get_app_list(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = app_list(request, *args, **kwargs)
        label = args[0] if args else kwargs.get("app_label")
        if label is None and isinstance(found, list) and is_superuser(request):
            return [*found, *_entry(site)]
        return found

    site.get_urls = get_urls  # type: ignore[method-assign]
    site.get_app_list = get_app_list  # type: ignore[method-assign]


def _method(site: AdminSite, name: str) -> Callable[..., Any]:
    own: Callable[..., Any] | None = vars(site).get(name)
    return own or (lambda *args, **kwargs: getattr(type(site), name)(site, *args, **kwargs))


def _entry(site: AdminSite) -> list[dict[str, Any]]:
    """As AdminSite.get_app_list has them; none where the site is mounted without our URLs."""
    try:
        url = reverse(f"admin:{NAME}", current_app=site.name)
    except NoReverseMatch:
        return []
    model = {
        "model": Session,
        "name": _("Sessions"),
        "object_name": Session._meta.object_name,
        "perms": {"add": False, "change": False, "delete": False, "view": True},
        "admin_url": url,
        "add_url": None,
        "view_only": True,
    }
    app = {
        "name": "django-split",
        "app_label": LABEL,
        "app_url": url,
        "has_module_perms": True,
        "models": [model],
    }
    return [app]
