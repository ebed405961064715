"""Ghosts: URLs that main can reverse, and answers with 404."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from django.urls import URLPattern, URLResolver, path, re_path

from django_split import runtime
from django_split.mounts import AnyPattern
from django_split.plan import Ghost


def ghost(request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
    raise Http404("Main does not serve this page.")


# A POST without a token is a 404 too, not CSRF's 403: nothing here may look as if it were served.
ghost.csrf_exempt = True  # type: ignore[attr-defined]
# Nor may CommonMiddleware redirect /admin to /admin/.
ghost.should_append_slash = False  # type: ignore[attr-defined]
# LoginRequiredMiddleware of a site's own would otherwise redirect, and so tell what is there.
ghost.login_required = False  # type: ignore[attr-defined]


def of(patterns: Iterable[AnyPattern], namespace: str | None = None) -> list[AnyPattern]:
    """Ghosts of these patterns, and of those that the plan has for the namespace.

    The plan is needed for a Django admin: on main nothing is registered, so nothing is known of its
    models' URLs.
    """
    clones = [ghost_of(pattern) for pattern in patterns]
    present = {pattern.name for pattern in clones if isinstance(pattern, URLPattern)}
    planned = [
        _planned(item)
        for mount in runtime.plan().main.urls.mounts
        if namespace is not None and mount.namespace == namespace
        for item in mount.ghosts
        if item.name not in present
    ]
    # Planned ones first: among the clones may be a site's catch-all.
    return [*planned, *clones]


def resolver_of(resolver: URLResolver, patterns: Sequence[AnyPattern]) -> URLResolver:
    """The same resolver with other patterns below it."""
    return URLResolver(
        resolver.pattern,
        list(patterns),
        resolver.default_kwargs,
        resolver.app_name,
        resolver.namespace,
    )


def ghost_of(pattern: AnyPattern) -> AnyPattern:
    """The same pattern, and all below it, under the same names."""
    if isinstance(pattern, URLResolver):
        return resolver_of(pattern, [ghost_of(item) for item in pattern.url_patterns])
    return URLPattern(pattern.pattern, ghost, pattern.default_args, pattern.name)


def _planned(item: Ghost) -> URLPattern:
    if item.regex is not None:
        return re_path(item.regex, ghost, name=item.name)
    return path(item.route or "", ghost, name=item.name)
