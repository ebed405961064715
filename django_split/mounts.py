"""Where admins hang in a URLconf:

the one recogniser, used by analysis on the base and by the runtime on main.

An AdminSite is known by what it leaves in the URLconf (`AdminSite.get_urls` sets `admin_site` on
its views), never by a name: a public app may call itself "admin", and an admin may have any name.
Other admins are known by their URL module.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import LocalePrefixPattern, RegexPattern, RoutePattern

DJANGO = "django"

# URL module -> kind. What hangs below such a module demands a user of the staff for every view.
# Operators add theirs with `admin_urlconfs`; the plan carries the whole table.
OTHER_ADMINS = {"wagtail.admin.urls": "wagtail"}
OtherAdmins = Mapping[str, str]
LOGIN_NAMES = {"wagtail": "wagtailadmin_login"}

AnyPattern = URLPattern | URLResolver

# Paths are written into nginx's configuration and into regular expressions: only what needs no
# quoting there.
PLAIN_PATH = re.compile(r"/[A-Za-z0-9._~/-]*\Z")


def mount_kind(resolver: URLResolver, other_admins: OtherAdmins = OTHER_ADMINS) -> str | None:
    """The kind of the admin that is mounted by this resolver itself, or None."""
    module = resolver.urlconf_name
    name = module.__name__ if isinstance(module, ModuleType) else module
    if isinstance(name, str) and name in other_admins:
        return other_admins[name]
    if any(admin_site(pattern) is not None for pattern in patterns_of(resolver)):
        return DJANGO
    return None


def login_name(kind: str) -> str:
    """The URL name of the login page of another admin than Django's."""
    return LOGIN_NAMES.get(kind, "")


def admin_site(pattern: AnyPattern) -> Any:
    """The AdminSite whose view this is, or None."""
    return getattr(pattern.callback, "admin_site", None)


def view_name(callback: Any) -> str:
    """The dotted name that a view is known by: of its class, or of the function that was written.

    A decorator that uses functools.wraps keeps the name of what it wraps; one that does not hides
    it, and then the decorator's own is all there is.
    """
    while isinstance(callback, functools.partial):
        callback = callback.func
    # `view_class` is Django's own for as_view(), `cls` that of REST framework.
    cls = getattr(callback, "view_class", None) or getattr(callback, "cls", None)
    named = cls or inspect.unwrap(callback)
    if not hasattr(named, "__qualname__"):
        named = type(named)  # an object that is called, as a feed
    return f"{named.__module__}.{named.__qualname__}"


def patterns_of(resolver: URLResolver) -> Sequence[AnyPattern]:
    return resolver.url_patterns


def mounts(
    resolver: URLResolver,
    other_admins: OtherAdmins = OTHER_ADMINS,
    trail: tuple[URLResolver, ...] = (),
) -> Iterator[tuple[str, tuple[URLResolver, ...]]]:
    """Every mount below a resolver, as its kind and the resolvers from the root down to it."""
    trail = (*trail, resolver)
    if kind := mount_kind(resolver, other_admins):
        yield kind, trail
        return
    for pattern in patterns_of(resolver):
        if isinstance(pattern, URLResolver):
            yield from mounts(pattern, other_admins, trail)


def route(trail: Iterable[AnyPattern]) -> tuple[str, bool]:
    """The path of a chain of patterns in the active language, and whether it is literal.

    A path that is not literal has parameters.
    """
    path, literal = "", True
    for link in trail:
        part, plain = _route(link.pattern)
        path += part
        literal = literal and plain
    return path, literal


def as_written(match: ResolverMatch) -> str:
    """The path of the pattern that answers a request, as `route` gives it of its trail."""
    return f"/{_literal(match.route)[0]}"


def depends_on_language(pattern: Any) -> bool:
    """Whether a pattern stands for another path in another language:

    a prefix, or a translated route.
    """
    if isinstance(pattern, LocalePrefixPattern):
        return True
    written = getattr(pattern, "_route", None) or getattr(pattern, "_regex", "")
    return not isinstance(written, str)


def _route(pattern: Any) -> tuple[str, bool]:
    if isinstance(pattern, LocalePrefixPattern):
        return pattern.language_prefix, True
    if isinstance(pattern, RoutePattern):
        text = str(pattern)  # a translated route is lazy
        return text, "<" not in text
    if isinstance(pattern, RegexPattern):
        return _literal(str(pattern))
    return str(pattern), False


def _literal(regex: str) -> tuple[str, bool]:
    """The text that a regular expression stands for, if it stands for one text only.

    The root resolver's own `^/` stands for nothing: paths are matched without their first slash
    there.
    """
    if regex == "^/":
        return "", True
    body = regex.removeprefix("^").removesuffix("$").removesuffix(r"\Z")
    text = re.sub(r"\\([^A-Za-z0-9])", r"\1", body)
    return text, not _has_syntax(body)


def _has_syntax(body: str) -> bool:
    without_escapes = re.sub(r"\\[^A-Za-z0-9]", "", body)
    return bool(re.search(r"[\\^$.|?*+(){}\[\]]", without_escapes))


def is_below(path: str, prefixes: Iterable[str]) -> bool:
    """Whether a path is served by one of the prefixes.

    "/login" is itself and "/login/…", but not "/logins".
    """
    return any(
        path.startswith(prefix)
        if prefix.endswith("/")
        else path == prefix or path.startswith(f"{prefix}/")
        for prefix in prefixes
    )
