"""Who we are to the store and to Sentinel: from the environment, never from a setting or a URL.

A setting is printed by tracebacks and `diffsettings`, and stands in a plan that people read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

STORE, SENTINEL = "DJANGO_SPLIT_STORE", "DJANGO_SPLIT_SENTINEL"


@dataclass(frozen=True)
class Credentials:
    """`auth` is what follows AUTH, `tls` the options of redis-py's SSLConnection."""

    auth: tuple[str, ...] = field(default=(), repr=False)
    tls: dict[str, Any] = field(default_factory=dict)


def of_store(username: str = "") -> Credentials:
    """The store's own user, or another one of its ACL: `page` has the variable …_PAGE_PASSWORD."""
    if not username:
        return _read(STORE, STORE)
    password = os.environ.get(f"{STORE}_{username.upper()}_PASSWORD", "")
    return Credentials((username, password), _tls(STORE))


def of_sentinel() -> Credentials:
    """Sentinel's users are its own; its certificates may have the store's authority."""
    return _read(SENTINEL, SENTINEL if f"{SENTINEL}_CA" in os.environ else STORE)


def _read(prefix: str, authority: str) -> Credentials:
    username = os.environ.get(f"{prefix}_USERNAME", "")
    password = os.environ.get(f"{prefix}_PASSWORD", "")
    # A user that needs no password takes any.
    auth = (username, password) if username else (password,) if password else ()
    return Credentials(auth, _tls(authority))


def _tls(prefix: str) -> dict[str, Any]:
    options: dict[str, Any] = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
    if authority := os.environ.get(f"{prefix}_CA"):
        options["ssl_ca_certs"] = authority
    return options
