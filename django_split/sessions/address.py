"""Where the session store is: a URL, read and judged once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FORMS = (
    "unix:///run/site/store/store.sock?db=0, redis://host:6379/0, rediss://host:6379/0 (TLS), "
    "redis+sentinel://host:26379,host:26379/name?db=0 or rediss+sentinel://… (TLS)"
)
REDIS_PORT, SENTINEL_PORT = 6379, 26379


@dataclass(frozen=True)
class Address:
    """`path` is a unix socket's; else `hosts` has one host, or with `service` the Sentinels."""

    path: str = ""
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    tls: bool = False
    db: int = 0

    def __str__(self) -> str:
        hosts = ", ".join(f"{host}:{port}" for host, port in self.hosts)
        return f"Sentinel's {self.service} ({hosts})" if self.service else self.path or hosts


def parse(url: str) -> Address:
    """Raises ImproperlyConfigured, which says what is wrong and which forms there are."""
    try:
        return _parse(urlsplit(url))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"The session store's URL {_without_secret(url)!r}, of DJANGO_SPLIT_SESSIONS, is no "
            f"such URL: {error}. Write one of {FORMS}."
        ) from error


def _parse(url: SplitResult) -> Address:
    if "@" in url.netloc:
        raise ValueError(
            "it holds a user or a password; they belong into the environment, as "
            "DJANGO_SPLIT_STORE_USERNAME and DJANGO_SPLIT_STORE_PASSWORD"
        )
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    db = options.pop("db", None)
    if options:
        raise ValueError(f"the option {', '.join(options)} is unknown; there is only db")
    path = unquote(url.path)
    if url.scheme == "unix":
        if url.netloc or not path.strip("/"):
            raise ValueError("the path of a socket begins with a third slash")
        return Address(path=path, db=_number(db or "0"))
    if url.scheme in ("redis", "rediss"):
        hosts = _hosts(url.netloc, REDIS_PORT)
        if len(hosts) > 1:
            raise ValueError(f"several hosts need {url.scheme}+sentinel://")
        if db is None:
            db = path.strip("/")
        return Address(hosts=hosts, tls=url.scheme == "rediss", db=_number(db or "0"))
    if url.scheme in ("redis+sentinel", "rediss+sentinel"):
        service = path.strip("/")
        if not service or "/" in service:
            raise ValueError("its path is to be the name by which Sentinel knows the primary")
        tls = url.scheme == "rediss+sentinel"
        return Address("", _hosts(url.netloc, SENTINEL_PORT), service, tls, _number(db or "0"))
    raise ValueError(f"the scheme {url.scheme!r} is unknown")


def _hosts(netloc: str, port: int) -> tuple[tuple[str, int], ...]:
    hosts = []
    for place in netloc.split(","):
        one = urlsplit(f"//{place}")  # reads [::1]:6379 as well, and refuses a port beyond 65535
        if not one.hostname:
            raise ValueError("a host is missing")
        hosts.append((one.hostname, one.port or port))
    return tuple(hosts)


def _number(db: str) -> int:
    if not (db.isascii() and db.isdigit()):
        raise ValueError(f"the database {db!r} is no number")
    return int(db)


def _without_secret(url: str) -> str:
    before, at, after = url.rpartition("@")
    return f"{before.split('//')[0]}//…@{after}" if at else url
