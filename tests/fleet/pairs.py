"""The choices of one server, and rows in which every two of them meet (tests/house proves it)."""

from __future__ import annotations

from typing import NamedTuple

from .images import Release


class Choices(NamedTuple):
    """One server: `session_store`, `session_engine`, `site_database`, its Debian, `proxy_tls`."""

    store: str
    engine: str
    database: str
    release: Release
    tls: str

    @property
    def name(self) -> str:
        return "-".join(self)


# Seen in `make test` already: test_newcomer.py, and the two of test_server.py.
EVERY_DAY = (
    Choices("redis", "redis", "url", "bookworm", "none"),
    Choices("redis", "redis", "postgresql", "bookworm", "none"),
    Choices("valkey", "cached_db", "postgresql", "trixie", "files"),
)
# What is left of the pairs: test_pairs.py, in `make soak`.
SOAK = (
    Choices("memcached", "cache", "url", "trixie", "files"),
    Choices("valkey", "redis_db", "url", "trixie", "none"),
    Choices("redis", "redis_db", "postgresql", "bookworm", "files"),
    Choices("memcached", "cached_db", "postgresql", "bookworm", "none"),
    Choices("redis", "cache", "postgresql", "bookworm", "none"),
    Choices("redis", "cached_db", "url", "trixie", "files"),
    Choices("valkey", "redis", "postgresql", "trixie", "files"),
    Choices("valkey", "cache", "postgresql", "trixie", "none"),
)


def served(choices: Choices) -> bool:
    """Whether preflight lets a server be so."""
    if choices.store == "memcached":
        return choices.engine in ("cache", "cached_db")
    return choices.store != "valkey" or choices.release != "bookworm"
