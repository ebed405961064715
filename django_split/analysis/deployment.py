"""What the operator says about where a site is deployed: deploy.json."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from django_split.mounts import PLAIN_PATH

ENGINES = {
    "redis": "django_split.sessions.redis",
    "redis_db": "django_split.sessions.redis_db",
    "cache": "django.contrib.sessions.backends.cache",
    "cached_db": "django.contrib.sessions.backends.cached_db",
}
# Django's own engine that does the same over any cache: in a store that is no Redis.
OVER_A_CACHE = {"redis": "cache", "redis_db": "cached_db"}
# Those that write to the database, too.
WITH_A_TABLE = ("redis_db", "cached_db")
# What a laptop's admin keeps: the engine that the base has.
BASES = "base"
STORES = {
    "redis": "unix:///run/{site}/{store}/store.sock?db=0",
    "memcached": "unix:/run/{site}/{store}/store.sock",
    # On a laptop: the process's own memory in front of the database.
    "local": "",
}
# Seconds without a request, and since the login, that a session of the admin's may last; 0 is off.
PRESETS = {"default": (0, 0), "hardened": (30 * 60, 12 * 60 * 60)}


# It becomes part of cookie names.
SITE = re.compile(r"[A-Za-z0-9_-]+\Z")


class DeploymentError(Exception):
    """deploy.json says something that cannot be. The message names the place."""


@dataclass
class Session:
    """What is left out follows from the rest:

    a deployment without hosts is a laptop, which has no store of its own. There an empty engine
    stands for what suits the base's. `page` is where the Sessions page reaches the store as the
    user of that name, who may list keys; without it the page may do no more than the engine.
    """

    engine: str = ""
    store: str = ""
    url: str = ""
    key_prefix: str = ""
    page: str = ""


@dataclass
class Deployment:
    """Everything is optional:

    what is left out is not derived. Paths are absolute directories on the host.
    """

    site: str = ""
    hosts: list[str] = field(default_factory=list)
    scheme: str = "http"
    port: int = 0
    source_root: str = ""
    static_root: str = ""
    media_root: str = ""
    data_root: str = ""
    var_root: str = ""
    admin_path: str = ""
    admin_extra_prefixes: list[str] = field(default_factory=list)
    admin_urlconfs: list[str] = field(default_factory=list)
    admin_host: str = ""
    admin_cache: str = "shared"
    admin_cookie_samesite: str = "Lax"
    admin_secret_key: str = "shared"  # noqa: S105 - who has which, not the key
    main_closed_prefixes: list[str] = field(default_factory=list)
    # Dotted names of views, in which * stands for anything.
    main_closed_views: list[str] = field(default_factory=list)
    main_anonymous_views: list[str] = field(default_factory=list)
    session: Session = field(default_factory=Session)
    session_preset: str = "default"
    # Seconds; 0 for what the preset has.
    session_idle_timeout: int = 0
    session_absolute_timeout: int = 0
    # Whether address and browser are kept in a session, for the Sessions page.
    session_record_client: bool = False
    # An engine, or none: main's own sessions, in a store of their own.
    public_sessions: str = "none"
    public_session: Session = field(default_factory=Session)

    @classmethod
    def read(cls, data: Mapping[str, Any], default_site: str) -> Deployment:
        """Check deploy.json's content and fill in what follows from it. Raises DeploymentError."""
        values = _checked(cls, data, "")
        for name in ("session", "public_session"):
            session = values.pop(name, None) or {}
            values[name] = Session(**_checked(Session, session, f"{name}."))
        deployment = cls(**values)
        deployment.site = deployment.site or default_site
        public = deployment.public_session
        public.engine = public.engine or deployment.public_sessions
        for session in (deployment.session, public):
            session.store = session.store or ("redis" if deployment.hosts else "local")
            default = {"local": "", "memcached": "cache"}.get(session.store, "redis")
            session.engine = session.engine or default
        deployment._check()
        for session, store in ((deployment.session, "store"), (public, "public")):
            if session.store == "local":
                session.engine = OVER_A_CACHE.get(session.engine, session.engine)
            url = STORES[session.store].format(site=deployment.site, store=store)
            if session.store == "redis" and store == "store" and not session.url:
                session.page = session.page or url
            session.url = session.url or url
            session.key_prefix = session.key_prefix or deployment.site
        return deployment

    @property
    def has_public_sessions(self) -> bool:
        return self.public_sessions != "none"

    @property
    def has_own_key(self) -> bool:
        """Whether the admin signs with a key that main does not know."""
        return self.admin_secret_key != "shared"  # noqa: S105

    @property
    def timeouts(self) -> tuple[int, int]:
        """Seconds without a request, and since the login; 0 is no limit but the cookie's age."""
        idle, absolute = PRESETS[self.session_preset]
        return self.session_idle_timeout or idle, self.session_absolute_timeout or absolute

    def origins(self, *hosts: str) -> list[str]:
        """The origins that browsers name in a POST: scheme and port belong to them.

        Of these hosts, or else of all public ones.
        """
        standard = {"http": 80, "https": 443}[self.scheme]
        port = "" if self.port in (0, standard) else f":{self.port}"
        return [
            f"{self.scheme}://{'*' + host if host.startswith('.') else host}{port}"
            for host in hosts or self.hosts
            if host != "*"
        ]

    def _check(self) -> None:
        if not SITE.match(self.site):
            raise DeploymentError(f"site: {self.site!r} may hold letters, digits, - and _ only")
        _one_of("scheme", self.scheme, ["http", "https"])
        if self.session.engine or self.session.store != "local":
            _one_of("session.engine", self.session.engine, ENGINES)
        _one_of("session.store", self.session.store, STORES)
        _one_of("public_session.store", self.public_session.store, STORES)
        _one_of("public_sessions", self.public_sessions, ["none", *ENGINES])
        for place, session in (
            ("session.engine", self.session),
            ("public_sessions", self.public_session),
        ):
            _check_served(place, session)
        _one_of("admin_cache", self.admin_cache, ["shared", "own"])
        _one_of("admin_secret_key", self.admin_secret_key, ["shared", "own"])
        _one_of("admin_cookie_samesite", self.admin_cookie_samesite, ["Lax", "Strict"])
        _one_of("session_preset", self.session_preset, PRESETS)
        for name in ("session_idle_timeout", "session_absolute_timeout"):
            if getattr(self, name) < 0:
                raise DeploymentError(f"{name}: {getattr(self, name)} is less than no time")
        for name in ("admin_extra_prefixes", "main_closed_prefixes"):
            for prefix in getattr(self, name):
                _check_path(name, prefix)
        if self.admin_path:
            _check_path("admin_path", self.admin_path)


def _check_served(place: str, session: Session) -> None:
    if session.store == "memcached" and session.engine in OVER_A_CACHE:
        raise DeploymentError(
            f"{place}: {session.engine!r} keeps sessions in Redis, and the store is memcached: "
            f"there it is {OVER_A_CACHE[session.engine]!r}"
        )


def _check_path(name: str, path: str) -> None:
    if not PLAIN_PATH.match(str(path)) or "//" in path:
        raise DeploymentError(
            f"{name}: {path!r} must be a path that begins with / and holds only letters, digits "
            "and . _ ~ - /"
        )
    if path == "/":
        raise DeploymentError(f"{name}: / is the whole site")


def _one_of(name: str, value: str, allowed: Mapping[str, Any] | list[str]) -> None:
    if value not in allowed:
        raise DeploymentError(f"{name}: {value!r} is not one of {', '.join(allowed)}")


def _checked(cls: type[Any], data: Any, place: str) -> dict[str, Any]:
    """The known keys of a table, each with a value of the right type. None counts as left out."""
    if not isinstance(data, Mapping):
        raise DeploymentError(f"{place.rstrip('.') or 'deploy'}: must be an object")
    hints = get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    for key, value in data.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            meant = f" Did you mean {place}{near[0]}?" if near else ""
            raise DeploymentError(f"{place}{key}: no such key.{meant}")
        expected = {list[str]: list, Session: dict}.get(hints[key], hints[key])
        if value is not None and (
            not isinstance(value, expected) or (expected is int and isinstance(value, bool))
        ):
            raise DeploymentError(
                f"{place}{key}: must be {expected.__name__}, not {type(value).__name__}"
            )
    return {key: value for key, value in data.items() if value is not None}
