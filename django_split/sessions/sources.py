"""Where the unsplit site keeps its sessions, and how they are read from there, batch by batch."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.file import SessionStore as Files
from django.core import signing
from django.core.cache import CacheHandler
from django.core.cache.backends.redis import RedisCache
from django.db import router
from django.utils import timezone

from django_split.sessions.base import Base
from django_split.sessions.database import Table, model_of
from django_split.sessions.listing import Listing, UnlistableError
from django_split.sessions.listing_cache import CacheListing
from django_split.sessions.listing_store import StoreListing
from django_split.sessions.redis import SessionStore as OurStore
from django_split.sessions.serializers import unpickles
from django_split.sessions.store import Store

# Above that, the progress has no end that it knows.
COUNTED = 1_000_000
KEY = re.compile(r"[a-z0-9]{8,}", re.ASCII)


class UnreadableError(Exception):
    """Sessions that nobody can list; the message says why, and what to do."""


class UndecodableError(Exception):
    """One session that the base itself could not read."""


@dataclass
class Found:
    """A live session as the base has it.

    `version` changes with what it holds. `ends` and `written` are in unix seconds; `written` is
    None where nobody has noted it. `raw` is for the source's `decode`.
    """

    key: str
    version: str
    ends: float
    written: int | None = None
    raw: Any = field(default=None, repr=False)

    def life(self) -> int:
        """Whole seconds that are left."""
        return int(self.ends - time.time())


class Source(Protocol):
    """`place` says where, for people."""

    place: str

    def count(self) -> int | None:
        """How many live; None for too many to count, or unknown."""

    def batches(self, size: int) -> Iterator[list[Found]]:
        """All that live from beginning to end, at least once; within the base's settings."""

    def decode(self, found: Found) -> dict[str, Any]:
        """The data of one; within the base's settings. Raises UndecodableError."""

    def living(self, keys: Sequence[str]) -> set[str] | None:
        """Which of these keys have a live session; None where nobody can tell in good time."""


def source_of(base: Base, destination: tuple[str, str]) -> Source | None:
    """The base's sessions; None where they are in the `destination`, a URL and prefix, already.

    Raises UnreadableError for what cannot be listed.
    """
    engine = import_module(base.engine).SessionStore
    if model := model_of(base.engine):
        return TableSource(Table(model, router.db_for_write(model) or "default"), engine)
    if issubclass(engine, Files):
        return FileSource(base, engine)
    said = base.value("DJANGO_SPLIT_SESSIONS") or {}
    place = (said.get("url", ""), said.get("prefix", ""))
    if issubclass(engine, OurStore):
        if place == destination:
            return None
        return ListedSource(base.engine, StoreListing(engine, Store(*place)))
    return ListedSource(base.engine, _listing(base, engine))


class TableSource:
    """Rows, by their key: a page is as quick at the end of a million as at the beginning."""

    def __init__(self, table: Table, engine: type[SessionBase]) -> None:
        self._table, self._engine = table, engine
        self.place = f"{table.name} (database {table.alias})"

    def count(self) -> int | None:
        number = self._live()[: COUNTED + 1].count()
        return number if number <= COUNTED else None

    def batches(self, size: int) -> Iterator[list[Found]]:
        rows = self._live().order_by("pk")
        found = list(rows.values_list("pk", "session_data", "expire_date")[:size])
        while found:
            yield [_of_row(*row) for row in found]
            # Now, not as it was at the beginning: nothing that has expired since is moved.
            rows = self._live().order_by("pk").filter(pk__gt=found[-1][0])
            found = list(rows.values_list("pk", "session_data", "expire_date")[:size])

    def decode(self, found: Found) -> dict[str, Any]:
        return decoded(self._engine(), found.raw)

    def living(self, keys: Sequence[str]) -> set[str]:
        return set(self._live().filter(pk__in=keys).values_list("pk", flat=True))

    def _live(self) -> Any:
        # Where they are written: a replica of the database is late.
        rows = self._table.model._default_manager.using(self._table.alias)
        return rows.filter(expire_date__gt=timezone.now())


class FileSource:
    """The files of Django's engine `file`."""

    def __init__(self, base: Base, engine: type[Files]) -> None:
        with base.in_force():
            store = engine()
        self._engine, self._prefix = engine, store.file_prefix
        self.place = self._folder = store.storage_path

    def count(self) -> int | None:
        return None

    def batches(self, size: int) -> Iterator[list[Found]]:
        batch: list[Found] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                key = entry.name.removeprefix(self._prefix)
                if key == entry.name or not KEY.fullmatch(key):
                    continue
                if (found := self._read(key, entry.path)) is not None:
                    batch.append(found)
                if len(batch) == size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def decode(self, found: Found) -> dict[str, Any]:
        return decoded(self._engine(), found.raw)

    def living(self, keys: Sequence[str]) -> set[str]:
        paths = {key: os.path.join(self._folder, self._prefix + key) for key in keys}
        return {key for key, path in paths.items() if self._read(key, path) is not None}

    def _read(self, key: str, path: str) -> Found | None:
        """None for one that has ended, or never held anything."""
        try:
            with open(path, encoding="ascii") as file:
                raw, modified = file.read(), os.fstat(file.fileno()).st_mtime
        except (OSError, UnicodeDecodeError):
            return None  # ended meanwhile, or no file of the engine's
        store = self._engine(key)
        try:
            data = decoded(store, raw) if raw else {}
        except UndecodableError:
            data = {"undecodable": True}
        if not data:
            return None
        # As the engine has it: the time of the file counts, where the session says nothing.
        if expiry := data.get("_session_expiry"):
            ends = time.time() + store.get_expiry_age(expiry=expiry)
        else:
            ends = modified + store.get_session_cookie_age()
        if ends <= time.time():
            return None
        return Found(key, _digest(raw), ends, int(modified), raw)


class ListedSource:
    """What the Sessions page can list too: a Redis, of our engines' or of a cache's."""

    def __init__(self, place: str, listing: Listing) -> None:
        self.place, self._listing = place, listing

    def count(self) -> int | None:
        return None

    def batches(self, size: int) -> Iterator[list[Found]]:
        for sessions in self._listing.walk():
            kept = [one for one in sessions if KEY.fullmatch(one.key)]
            for one, ends in zip(kept, self._listing.expiries(kept), strict=True):
                one.expires = ends
            found = [
                Found(one.key, _digest(repr(one.data)), one.expires, None, one)
                for one in kept
                if one.expires is not None
            ]
            for start in range(0, len(found), size):
                yield found[start : start + size]

    def decode(self, found: Found) -> dict[str, Any]:
        data: dict[str, Any] = found.raw.data
        return data

    def living(self, keys: Sequence[str]) -> set[str] | None:
        return None


def decoded(store: SessionBase, text: str) -> dict[str, Any]:
    """What `store.decode` gives, but with an error for what it would take for an empty session."""
    if type(store).decode is not SessionBase.decode:
        if data := store.decode(text):
            return data
        raise UndecodableError("its engine's decode() gives nothing")
    try:
        # As SessionBase.decode() does it, without its log line for each.
        data = signing.loads(text, salt=store.key_salt, serializer=store.serializer)
    except signing.BadSignature as error:
        raise UndecodableError("signed with another SECRET_KEY, or damaged") from error
    except Exception as error:
        raise UndecodableError(f"{type(error).__name__} in its serializer") from error
    if not isinstance(data, dict):
        raise UndecodableError(f"a {type(data).__name__}, not a session")
    return data


def _of_row(key: str, raw: str, expires: Any) -> Found:
    ends = time.time() + (expires - timezone.now()).total_seconds()
    return Found(key, _digest(raw), ends, _written(raw), raw)


def _written(raw: str) -> int | None:
    """When Django signed it: data, time and signature stand one behind the other."""
    parts = raw.rsplit(":", 2)
    try:
        return signing.b62_decode(parts[1]) if len(parts) == 3 else None
    except ValueError:
        return None


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()[:16]


def _listing(base: Base, engine: Any) -> Listing:
    prefix = getattr(engine, "cache_key_prefix", None)
    if prefix is None:
        raise UnreadableError(
            f"{base.engine} keeps sessions where nobody can list them (in the visitors' own "
            "cookies, for one). Who works in the admin has to sign in once more; nothing is lost."
        )
    alias = str(base.value("SESSION_CACHE_ALIAS"))
    cache = CacheHandler(base.value("CACHES"))[alias]
    if not isinstance(cache, RedisCache):
        raise UnreadableError(
            f"{base.engine} keeps sessions in a cache that cannot list what it holds "
            f"(CACHES[{alias!r}], {type(cache).__module__}.{type(cache).__qualname__}). Let the "
            'site run with SESSION_ENGINE = "django.contrib.sessions.backends.cached_db" for as '
            "long as people are to stay signed in, then move; or have them sign in once more."
        )
    if unpickles(getattr(cache, "_options", {}).get("serializer", _PICKLES)):
        raise UnreadableError(
            f"CACHES[{alias!r}] pickles, and unsigned: who can write to it would run code in the "
            "admin. Give it OPTIONS = {'serializer': 'django_split.sessions.serializers."
            "JSONSerializer'} and let people sign in again, or have them do so after the split."
        )
    try:
        return CacheListing(engine, cache, prefix)
    except UnlistableError as error:
        raise UnreadableError(str(error)) from error


# What Django's RedisCache does when it is told nothing.
_PICKLES = "django.core.cache.backends.redis.RedisSerializer"
