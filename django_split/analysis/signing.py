"""What signs with SECRET_KEY (FACTS A20).

With one key for both instances, what main signs the admin accepts: a password-reset token too.
With a key of the admin's own, what one signs is worthless to the other, as Wagtail's image URLs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from django.conf import settings

from django_split import findings as kinds
from django_split.analysis.deployment import Deployment
from django_split.analysis.evidence import at, place
from django_split.analysis.modules import (
    Module,
    aliases,
    constant,
    dotted,
    is_admins,
    loaded,
    stands_for,
)
from django_split.analysis.routes import Route
from django_split.findings import Finding

SIGNERS = {
    "django.core.signing.Signer": "Signer",
    "django.core.signing.TimestampSigner": "TimestampSigner",
    "django.core.signing.dumps": "signing.dumps",
    "django.core.signing.loads": "signing.loads",
    "django.core.signing.get_cookie_signer": "get_cookie_signer",
    "django.utils.crypto.salted_hmac": "salted_hmac",
    "django.contrib.auth.tokens.PasswordResetTokenGenerator": "PasswordResetTokenGenerator",
    "django.contrib.auth.tokens.default_token_generator": "default_token_generator",
    "django.conf.settings.SECRET_KEY": "settings.SECRET_KEY",
}
COOKIES = frozenset({"set_signed_cookie", "get_signed_cookie"})
WORDS = re.compile(
    r"\b(signing|salted_hmac|PasswordResetTokenGenerator|default_token_generator"
    r"|[sg]et_signed_cookie|SECRET_KEY)\b"
)
RESETS = "django.contrib.auth.views.PasswordReset"

OWN = "with a key of the admin's own, what one instance signs means nothing to the other"
SHARED = (
    "with one key for both, a token that main signs sets a password in the admin "
    "(admin_secret_key: own gives the admin one of its own)"
)
APART = "the admin has a key of its own, and takes no token that main signs"


def find(public: list[Route], deployment: Deployment) -> list[Finding]:
    """One finding for each module, setting and URL of main that signs with SECRET_KEY."""
    return [*_modules(), *_settings(), *_resets(public, deployment)]


def _modules() -> Iterator[Finding]:
    for module in loaded():
        if is_admins(module.name) or not WORDS.search(module.text):
            continue
        found = dict(_signs(module))
        if found:
            first = min(found.values())
            what = f"{module.name} signs with SECRET_KEY ({', '.join(sorted(found))}): {OWN}"
            yield Finding(kinds.SIGNS, what, where=at(module.file, first))


def _signs(module: Module) -> Iterator[tuple[str, int]]:
    """What a module signs with, each with the line; the first of several is the last to come."""
    names = aliases(module)
    nodes = (
        [node for node in ast.walk(module.tree) if hasattr(node, "lineno")] if module.tree else []
    )
    for node in sorted(nodes, key=lambda node: -node.lineno):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            if (name := stands_for(node, names)) in SIGNERS:
                yield SIGNERS[name], node.lineno
            if isinstance(node, ast.Attribute) and node.attr in COOKIES:
                yield node.attr, node.lineno
        elif isinstance(node, ast.Call) and _asks_for_the_key(node):
            yield "settings.SECRET_KEY", node.lineno


def _asks_for_the_key(call: ast.Call) -> bool:
    name = call.args[1] if dotted(call.func) == "getattr" and len(call.args) > 1 else None
    return bool(constant(name) == "SECRET_KEY")


def _settings() -> Iterator[Finding]:
    """Settings that hold the same key, as that of a token library: `own` does not change them."""
    key = settings.SECRET_KEY
    for name in dir(settings):
        if name.isupper() and name != "SECRET_KEY" and not name.startswith("DJANGO_SPLIT"):
            for path in _places(name, getattr(settings, name), key):
                what = f"{path} is SECRET_KEY too: a key of the admin's own does not change it"
                yield Finding(kinds.SIGNS, what)


def _places(path: str, value: object, key: object, depth: int = 0) -> Iterator[str]:
    if type(value) is str:
        if value and value == key:
            yield path
    elif type(value) is dict and depth < 6:
        for name, item in value.items():
            yield from _places(f"{path}.{name}", item, key, depth + 1)
    elif type(value) in (list, tuple) and depth < 6:
        for item in value:  # type: ignore[attr-defined]
            yield from _places(path, item, key, depth + 1)


def _resets(public: list[Route], deployment: Deployment) -> Iterator[Finding]:
    """Django's own password reset, where main serves it."""
    for route in public:
        if route.view.startswith(RESETS):
            risk = APART if deployment.has_own_key else SHARED
            what = f"a password reset is signed with SECRET_KEY: {risk}"
            where = place(route.callback)
            yield Finding(kinds.SIGNS, what, url=route.url, view=route.view, where=where)
            return
