"""Where the admins are mounted, and the names that main must still reverse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.middleware.locale import LocaleMiddleware
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import get_converters
from django.urls.resolvers import RoutePattern
from django.utils import translation
from django.utils.module_loading import import_string

from django_split.mounts import (
    DJANGO,
    PLAIN_PATH,
    AnyPattern,
    OtherAdmins,
    depends_on_language,
    login_name,
    mounts,
    route,
)
from django_split.plan import Ghost, Mount

# The converters that every process has; a site's own are registered by modules that main may not
# import.
STANDARD_CONVERTERS = frozenset({"int", "path", "slug", "str", "uuid"})
DJANGOS_OWN = "django.contrib.admin.sites.AdminSite"


@dataclass
class Found:
    """The admins of a URLconf.

    `decisions` says what of them cannot be sent to an instance by a prefix.
    """

    mounts: list[Mount]
    decisions: list[str]


def find(other_admins: OtherAdmins) -> Found:
    """Find every admin in ROOT_URLCONF, under every language the site has."""
    root = get_resolver(settings.ROOT_URLCONF)
    found, decisions = [], []
    for kind, trail in mounts(root, other_admins):
        paths = dict.fromkeys(_paths(trail))
        for path, literal in paths:
            if not literal:
                decisions.append(
                    f"the {kind} admin is mounted at {path}, a path with parameters: "
                    "no prefix can send it to the admin instance"
                )
            elif not PLAIN_PATH.match(path):
                decisions.append(
                    f"the {kind} admin is mounted at {path!r}: "
                    "a prefix can have letters, digits and . _ ~ - / only"
                )
        resolver = trail[-1]
        prefixes = [path for path, literal in paths]
        found.append(
            Mount(
                route=prefixes[0],
                kind=kind,
                prefixes=prefixes,
                namespace=resolver.namespace,
                app_name=resolver.app_name,
                # Another admin's URL module is there on main too: its ghosts are made from it.
                ghosts=list(_ghosts(resolver.url_patterns)) if kind == DJANGO else [],
            )
        )
    return Found(found, decisions)


def default_site_name() -> str:
    return str(admin.site.name)


def default_site_class() -> str:
    """The dotted name of the class that the default site is made of, if it is not Django's own.

    As Django finds it: the site may have put another one in its place by now, which its own code
    does on main, too.
    """
    dotted = str(getattr(apps.get_app_config("admin"), "default_site", DJANGOS_OWN))
    return "" if dotted == DJANGOS_OWN else dotted


def primary(found: list[Mount], path: str = "") -> Mount | None:
    """The mount that is meant by "the admin":

    the default AdminSite's, else any AdminSite's, else the first.
    """
    django = [mount for mount in found if mount.kind == DJANGO]
    default = [mount for mount in django if mount.namespace == default_site_name()]
    chosen = [mount for mount in found if path in mount.prefixes]
    return next(iter([*chosen, *default, *django, *found]), None)


def login_path(mount: Mount) -> str:
    """The URL path of the login page below a mount."""
    name = f"{mount.namespace}:login" if mount.kind == DJANGO else login_name(mount.kind)
    try:
        with translation.override(default_language()):
            return reverse(name)
    except NoReverseMatch:
        return f"{mount.route}login/"


def _paths(trail: tuple[URLResolver, ...]) -> Iterator[tuple[str, bool]]:
    languages = [default_language()]
    # Only where it matters: activating a language loads all of its catalogues.
    if settings.USE_I18N and any(depends_on_language(resolver.pattern) for resolver in trail):
        languages += [code for code, _ in settings.LANGUAGES]
    for code in dict.fromkeys(languages):
        with translation.override(code):
            path, literal = route(trail)
            yield f"/{path}", literal


def default_language() -> str:
    """The language of a visitor who asks for none.

    With LocaleMiddleware it is one of LANGUAGES: `en` where LANGUAGE_CODE is `en-us` still, as
    startproject wrote it. Without it LANGUAGE_CODE is taken as it stands.
    """
    if any(_chooses_language(entry) for entry in settings.MIDDLEWARE):
        with suppress(LookupError):
            return str(translation.get_supported_language_variant(settings.LANGUAGE_CODE))
    return str(settings.LANGUAGE_CODE)


def _chooses_language(entry: str) -> bool:
    made = import_string(entry)
    return isinstance(made, type) and issubclass(made, LocaleMiddleware)


def _ghosts(patterns: list[AnyPattern], above: tuple[AnyPattern, ...] = ()) -> Iterator[Ghost]:
    for pattern in patterns:
        trail = (*above, pattern)
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield _ghost(pattern.name, trail)
        elif not pattern.namespace:
            yield from _ghosts(pattern.url_patterns, trail)


def _ghost(name: str, trail: tuple[AnyPattern, ...]) -> Ghost:
    if all(_is_standard(link) for link in trail):
        return Ghost(name, route="".join(str(link.pattern) for link in trail))
    parts = [link.pattern.regex.pattern for link in trail]
    return Ghost(name, regex="^" + "".join(part.removeprefix("^") for part in parts))


def _is_standard(link: AnyPattern) -> bool:
    pattern = link.pattern
    if not isinstance(pattern, RoutePattern):
        return False
    standard = {get_converters()[name] for name in STANDARD_CONVERTERS}
    return all(converter in standard for converter in pattern.converters.values())
