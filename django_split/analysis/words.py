"""What a URL or a view says it does, by its words."""

from __future__ import annotations

import re
from itertools import pairwise

# What a visitor would not want done by looking, beyond a row that is not written here anyway.
# Whole words: "/removals/" and "/confirmation/" are pages like any other.
NEVER = frozenset(
    {
        *("logout", "logoff", "signout", "impersonate", "hijack", "revoke", "disconnect"),
        *("activate", "deactivate", "confirm", "approve", "reject", "cancel", "disable"),
        *("delete", "remove", "destroy", "erase", "purge", "flush", "unsubscribe", "unregister"),
        *("pay", "refund", "webhook", "cron", "reindex", "shutdown", "restart"),
    }
)
PAIRS = frozenset({("log", "out"), ("sign", "out"), ("log", "off"), ("opt", "out")})

LOGIN = frozenset(
    {
        *("login", "logon", "signin", "sso", "oauth", "oauth2", "oidc", "saml", "saml2", "auth"),
        *("authenticate", "authentication", "authorize", "authorise"),
    }
)
LOGIN_PAIRS = frozenset({("log", "in"), ("log", "on"), ("sign", "in")})

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+2?|[0-9]+")


def words(text: str) -> list[str]:
    """Its words in lower case: "PostDeleteView" has three."""
    return [word.lower() for word in WORD.findall(text)]


def never(*texts: str) -> bool:
    """Whether a page must not be asked for, by its path or a name of its."""
    return any(_has(text, NEVER, PAIRS) for text in texts)


def login(*texts: str) -> bool:
    return any(_has(text, LOGIN, LOGIN_PAIRS) for text in texts)


def _has(text: str, single: frozenset[str], pairs: frozenset[tuple[str, str]]) -> bool:
    found = words(text)
    return not single.isdisjoint(found) or not pairs.isdisjoint(pairwise(found))
