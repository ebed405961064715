"""All sessions there are, a batch at a time, whatever engine keeps them.

Session keys are credentials. They stay in here and in `Kept`: what a page shows is a handle, and a
cursor never holds a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from django_split.sessions.database import model_of
from django_split.sessions.tracking import LOGIN_KEY

# How many sessions one step of a walk over all of them reads.
STEP = 1000


class UnlistableError(Exception):
    """The engine in force keeps sessions where nobody can list them; the message says why."""


@dataclass
class Kept:
    """A session as it is kept. `decode` gives its data; only what is looked into is decoded.

    `expires` in unix seconds, where it came along with the session.
    """

    key: str
    decode: Callable[[], dict[str, Any]]
    expires: int | None = None

    @cached_property
    def data(self) -> dict[str, Any]:
        return self.decode()

    @property
    def user_id(self) -> str:
        """As text; empty for an anonymous session."""
        return str(self.data.get(LOGIN_KEY, ""))


@dataclass(frozen=True)
class Batch:
    """Some sessions, and the cursor to go on with: empty at the end."""

    sessions: list[Kept]
    following: str


class Listing(Protocol):
    """Where sessions are listed and ended. What the store refuses is StoreUnavailableError."""

    def batch(self, cursor: str, size: int) -> Batch:
        """About `size` sessions from a cursor on; it begins with "".

        Raises ValueError for a cursor that is none.
        """

    def walk(self) -> Iterator[list[Kept]]:
        """All of them: each that is there from beginning to end comes at least once."""

    def expiries(self, sessions: Sequence[Kept]) -> list[int | None]:
        """When each is forgotten, in unix seconds; None where that is never or unknown."""

    def end(self, keys: Sequence[str]) -> None:
        """Take them out of the store, and out of the table where there is one."""


class ByCursor:
    """The walk of a listing whose batches reach everything."""

    def batch(self, cursor: str, size: int) -> Batch:
        raise NotImplementedError

    def walk(self) -> Iterator[list[Kept]]:
        batch = self.batch("", STEP)
        yield batch.sessions
        while batch.following:
            batch = self.batch(batch.following, STEP)
            yield batch.sessions


def current() -> Listing:
    """The listing of the engine in force. Raises UnlistableError."""
    from django_split.sessions.listing_cache import CacheListing
    from django_split.sessions.listing_store import StoreListing
    from django_split.sessions.listing_table import TableListing

    store = import_module(settings.SESSION_ENGINE).SessionStore
    # Where there is a table, it has them all: also those that the store has lost.
    if model := model_of(settings.SESSION_ENGINE):
        return TableListing(store, model)
    if listing := StoreListing.of_settings(store):
        return listing
    prefix = getattr(store, "cache_key_prefix", None)
    if prefix is None:
        raise UnlistableError(
            _("The engine %s keeps sessions where they cannot be listed.") % settings.SESSION_ENGINE
        )
    cache = caches[settings.SESSION_CACHE_ALIAS]
    if not isinstance(cache, RedisCache):
        kind = f"{type(cache).__module__}.{type(cache).__qualname__}"
        raise UnlistableError(
            _("Sessions are in a cache (%s) that cannot list what it holds.") % kind
        )
    return CacheListing(store, cache, prefix)


class Handles:
    """What a page calls a session: digests that only this site's secret key makes from a key."""

    def __init__(self) -> None:
        self._mac = salted_hmac("django_split.sessions.handles", "", algorithm="sha256")

    def of(self, key: str) -> str:
        mac = self._mac.copy()
        mac.update(key.encode(errors="surrogatepass"))
        return mac.hexdigest()


def find(listing: Listing, handle: str, cursor: str) -> Kept | None:
    """The session with a handle: first where the cursor points, then everywhere."""
    handles = Handles()

    def among(sessions: list[Kept]) -> Kept | None:
        return next((kept for kept in sessions if handles.of(kept.key) == handle), None)

    if found := among(listing.batch(cursor, STEP).sessions):
        return found
    return next((found for sessions in listing.walk() if (found := among(sessions))), None)
