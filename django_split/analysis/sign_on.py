"""Single sign-on: another site sends the browser back here, and the session must come along.

A cookie that is SameSite=Strict does not come with a request that another site began, so that the
answer of the provider finds no session in which it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from django_split.analysis.anatomy import view
from django_split.analysis.deployment import Deployment, DeploymentError
from django_split.analysis.evidence import place
from django_split.analysis.routes import Route
from django_split.analysis.source import home

# Of the packages in `logins.VIEWS` those that take people back from a provider, or from their mail.
PROVIDERS = (
    "allauth.socialaccount.*",
    "django_auth_adfs.views",
    "django_cas_ng.views",
    "django_saml2_auth.views",
    "djangosaml2.views",
    "esia.views",
    "magiclink.views",
    "microsoft_auth.views",
    "mozilla_django_oidc.views",
    "onelogin.*",
    "sesame.views",
    "simple_sso.*",
    "social_django.views",
)


def check(deployment: Deployment, served: Iterable[Route]) -> None:
    """Refuse a cookie that is not sent, of URLs that the admin serves. Raises DeploymentError."""
    if deployment.admin_cookie_samesite != "Strict":
        return
    if found := next(find(served), None):
        known = ", ".join(part for part in (found.view, place(found.callback)) if part)
        raise DeploymentError(
            f"admin_cookie_samesite: 'Strict' would keep people from signing in at {found.url} "
            f"({known}): another site sends them back, and a Strict cookie does not come along. "
            "Take 'Lax'"
        )


def find(routes: Iterable[Route]) -> Iterator[Route]:
    """Those of the routes whose view, or a class or function under it, is a provider's."""
    for route in routes:
        layers = view(route.callback).layers
        modules = [base.__module__ for cls in layers.classes for base in cls.__mro__]
        modules += [home(function) for function in layers.functions]
        if any(fnmatchcase(module, known) for module in modules for known in PROVIDERS):
            yield route
