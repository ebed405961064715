"""What an audit found: plain data, which the site's processes write and the command reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Where sessions are kept.
DATABASE = "database"
CACHED_DATABASE = "cached database"
CACHE = "cache"
FILES = "files"
COOKIES = "cookies"
REDIS = "redis"
REDIS_DATABASE = "redis and database"
NOWHERE = "nowhere"  # main's stand-in
OTHER = "other"
BROKEN = "broken"

IN_A_TABLE = (DATABASE, CACHED_DATABASE, REDIS_DATABASE)

# Who reads a cache.
SHARED = "shared"
PROCESS = "process"
NOBODY = "nobody"
TABLE = "table"


@dataclass
class Setting:
    """A setting in force. `where` is the line that says it; empty where none was found.

    `is_set` is false for Django's default.
    """

    value: Any = None
    is_set: bool = False
    where: str = ""


@dataclass
class Cache:
    """The cache that keeps sessions. `pickles` says how; it is empty where it does not.

    `alone` says that nothing else is seen to use it.
    """

    alias: str
    backend: str
    place: str = ""
    alone: bool = False
    pickles: str = ""
    reach: str = SHARED
    error: str = ""


@dataclass
class Files:
    """The folder of the file engine. Not `complete`: there are more than were counted."""

    folder: str
    count: int = 0
    bytes: int = 0
    complete: bool = True
    error: str = ""


@dataclass
class Store:
    """Where sessions are: a kind of those above, and what that kind has to say of itself."""

    kind: str
    engine: str
    cache: Cache | None = None
    files: Files | None = None
    place: str = ""
    error: str = ""


@dataclass
class Connection:
    """The database of the session table, as settings have it."""

    alias: str
    vendor: str
    max_age: float | None
    pool: bool = False


@dataclass
class Payload:
    """What a sample of rows holds. Counts, of `rows` that were looked at."""

    rows: int = 0
    live: int = 0
    anonymous: int = 0
    anonymous_live: int = 0
    undecodable: int = 0
    large: int = 0
    average_bytes: int = 0
    largest_bytes: int = 0
    # Names that anonymous sessions hold, each with its share of them.
    keys: dict[str, float] = field(default_factory=dict)
    error: str = ""


@dataclass
class Size:
    """Bytes; None where the database does not tell. `whole`: of all that is in the SQLite file."""

    table: int | None = None
    indexes: int | None = None
    whole: bool = False


@dataclass
class Table:
    """The table of sessions. `error` says why something is not known; that is then None."""

    name: str
    alias: str
    vendor: str
    exists: bool = False
    exact: bool = False
    sampled: int = 0
    rows: int | None = None
    live: int | None = None
    expired: int | None = None
    oldest_expiry: str = ""
    oldest_expired_days: float | None = None
    per_day: float | None = None
    days: list[int] = field(default_factory=list)
    size: Size = field(default_factory=Size)
    payload: Payload = field(default_factory=Payload)
    error: str = ""


@dataclass
class Cleaning:
    """Whether anything removes expired rows. `found` are places, each with what stands there."""

    found: list[list[str]] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    not_readable: list[str] = field(default_factory=list)


@dataclass
class Visit:
    """One request: its database queries, and what became of the session."""

    status: int = 0
    queries: int = 0
    session_queries: int = 0
    user_queries: int = 0
    reads: int = 0
    writes: int = 0
    accessed: bool = False
    modified: bool = False
    cookie: bool = False
    varies: bool = False
    error: str = ""


@dataclass
class Page:
    """A page as three visitors got it; one that could not be had is missing."""

    path: str
    view: str = ""
    where: str = ""
    visits: dict[str, Visit] = field(default_factory=dict)


@dataclass
class Pages:
    asked: list[Page] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Site:
    """One settings module. `broken` says why it could not be looked at: then there is nothing else.

    `table` and `pages` are None where they were not looked at.
    """

    settings: str
    broken: str = ""
    django: str = ""
    instance: str = ""
    middleware: bool = False
    store: Store | None = None
    values: dict[str, Setting] = field(default_factory=dict)
    unpickles: bool = False
    connection: Connection | None = None
    table: Table | None = None
    cleaning: Cleaning | None = None
    pages: Pages | None = None

    def data(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def site(data: Mapping[str, Any]) -> Site:
    """A Site from what `data()` gave, after JSON."""
    found = Site(**data)
    found.values = {name: Setting(**value) for name, value in data.get("values", {}).items()}
    if store := data.get("store"):
        found.store = Store(**store)
        found.store.cache = Cache(**store["cache"]) if store.get("cache") else None
        found.store.files = Files(**store["files"]) if store.get("files") else None
    if connection := data.get("connection"):
        found.connection = Connection(**connection)
    if table := data.get("table"):
        size, payload = Size(**table["size"]), Payload(**table["payload"])
        found.table = Table(**{**table, "size": size, "payload": payload})
    if cleaning := data.get("cleaning"):
        found.cleaning = Cleaning(**cleaning)
    found.pages = pages(data["pages"]) if data.get("pages") else None
    return found


def pages(data: Mapping[str, Any]) -> Pages:
    asked = [
        Page(**{**page, "visits": {who: Visit(**one) for who, one in page["visits"].items()}})
        for page in data["asked"]
    ]
    return Pages(asked, list(data["notes"]))
