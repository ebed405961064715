"""What to change, in order of worth, with what to type. Plain functions of what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django_split.audit import conditions, facts
from django_split.audit.facts import Site
from django_split.audit.tally import SIGNED_IN, WITH_COOKIE, WITHOUT_COOKIE, giving_sessions, tally
from django_split.sessions.layout import size

# Pages that are named in a sentence, and bytes from which on they are.
NAMED = 3
WORTH_TELLING = 2**20
MESSAGES_IN_COOKIES = "django.contrib.messages.storage.cookie.CookieStorage"


@dataclass(frozen=True)
class Change:
    """`settings` are lines to type; `where` says what there is of them; `commands` come after.

    `condition` is the name of what no longer holds then; empty for what is merely worth doing.
    """

    condition: str
    what: str
    why: str
    where: str = ""
    settings: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def changes(site: Site) -> list[Change]:
    """None for a site that is broken, or that has no sessions to keep."""
    if site.broken or (site.store and site.store.kind == facts.NOWHERE):
        return []
    holds = conditions.holding(site)
    made = [ADVICE[name](site) for name in conditions.CONDITIONS if holds[name]]
    return [*made, *_split(site)]


def _unshared(site: Site) -> Change:
    reach = site.store.cache.reach if site.store and site.store.cache else facts.NOBODY
    return Change(
        conditions.UNSHARED,
        "keep sessions where every process finds them",
        "the cache keeps nothing, so nobody stays signed in"
        if reach == facts.NOBODY
        else "each process has a memory of its own: people are signed out whenever another one "
        "answers, and all of them at each restart",
        _where(site, "CACHES"),
        _in_redis(site),
        _then_migrate(site, moves=False),
    )


def _pickle(site: Site) -> Change:
    cache = site.store.cache if site.store else None
    if site.unpickles:
        return Change(
            conditions.PICKLE,
            "let no session be unpickled",
            "whoever can write the store, or learns SECRET_KEY, runs code in the site; sessions "
            "that are stored now end",
            _where(site, "SESSION_SERIALIZER"),
            ['SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"'],
        )
    alias = cache.alias if cache else "default"
    why = (
        f'CACHES["{alias}"] {cache.pickles if cache else "pickles"}, whatever SESSION_SERIALIZER '
        "says: whoever can write there runs code in the site, before any login"
    )
    if cache and cache.backend == "django.core.cache.backends.redis.RedisCache":
        lines = [
            f'CACHES["{alias}"].setdefault("OPTIONS", {{}})["serializer"] = '
            '"django_split.sessions.serializers.JSONSerializer"'
        ]
    else:
        lines = _in_redis(site)
    return Change(
        conditions.PICKLE,
        "keep sessions in a cache as JSON",
        f"{why}; sessions that are stored now end",
        _where(site, "CACHES"),
        lines,
    )


def _database_sessions(site: Site) -> Change:
    return Change(
        conditions.DATABASE_SESSIONS,
        "keep sessions in a store of their own, not in the database",
        "; ".join(_cost(site)),
        _where(site, "SESSION_ENGINE"),
        _in_redis(site),
        _then_migrate(site, moves=True),
    )


def _cost(site: Site) -> Iterator[str]:
    """What database sessions cost this very site."""
    pages = site.pages
    said = False
    for who, whom in ((WITH_COOKIE, "with a session cookie"), (SIGNED_IN, "signed in")):
        counted = tally(pages, who) if pages else None
        if counted and counted.session_queries:
            said = True
            yield (
                f"{counted.session_queries:g} of {counted.queries:g} queries of a page are the "
                f"session's for a visitor {whom}"
            )
    if not said:
        yield "a query for each request that has a session, and a write for each change"
    taken = _bytes(site)
    if taken >= WORTH_TELLING:
        yield f"the table takes {size(taken)}"


def _bytes(site: Site) -> int:
    told = site.table.size if site.table else facts.Size()
    return 0 if told.whole else (told.table or 0) + (told.indexes or 0)


def _insecure_cookie(site: Site) -> Change:
    right = {
        "SESSION_COOKIE_SECURE": ("True", "it goes over plain HTTP, too, for anyone to read"),
        "SESSION_COOKIE_HTTPONLY": ("True", "any script in a page can read it"),
        "SESSION_COOKIE_SAMESITE": ('"Lax"', "other sites' pages can send it along with a POST"),
    }
    faults = conditions.cookie_faults(site)
    only_tls = "SESSION_COOKIE_SECURE" in faults
    return Change(
        conditions.INSECURE_COOKIE,
        "protect the session cookie" + (", where the site is served over TLS" if only_tls else ""),
        "; ".join(right[name][1] for name in faults),
        next((place for name in faults if (place := _where(site, name))), ""),
        [f"{name} = {right[name][0]}" for name in faults],
    )


def _expired_rows(site: Site) -> Change:
    table = site.table
    assert table is not None  # noqa: S101 - the condition is about it
    days = table.oldest_expired_days or 0
    rows = f"{table.expired:,} rows have expired" if table.expired else "rows have expired"
    about = "" if table.exact else "about "
    taken = round(_bytes(site) * table.expired / table.rows) if table.rows and table.expired else 0
    space = f"about {size(taken)}" if taken >= WORTH_TELLING else "space"
    unused = site.store is not None and site.store.kind not in facts.IN_A_TABLE
    return Change(
        conditions.EXPIRED_ROWS,
        "remove the rows that have expired" + (", which no engine uses now" if unused else ""),
        f"{about}{rows}, the oldest {days:,.0f} days ago: {space} that "
        "backups and caches carry along",
        commands=[f"django-split sessions purge --settings {site.settings}"],
    )


def _no_cleanup(site: Site) -> Change:
    daily = f"17 4 * * *  cd DIRECTORY && django-split sessions purge --settings {site.settings}"
    return Change(
        conditions.NO_CLEANUP,
        "remove expired rows every day",
        "Django never does by itself: a row goes only when somebody logs out",
        commands=[f"crontab -e   # {daily}"],
    )


def _connection_per_request(site: Site) -> Change:
    alias = site.connection.alias if site.connection else "default"
    return Change(
        conditions.CONNECTION_PER_REQUEST,
        "keep connections to the database open",
        "a session from a new connection takes seven times as long as from one that is open",
        _where(site, "DATABASES"),
        [
            f'DATABASES["{alias}"]["CONN_MAX_AGE"] = 60',
            f'DATABASES["{alias}"]["CONN_HEALTH_CHECKS"] = True',
        ],
    )


def _save_every_request(site: Site) -> Change:
    return Change(
        conditions.SAVE_EVERY_REQUEST,
        "save a session only when it changes",
        "each request of a visitor with a session writes a row",
        _where(site, "SESSION_SAVE_EVERY_REQUEST"),
        ["SESSION_SAVE_EVERY_REQUEST = False"],
    )


def _anonymous_sessions(site: Site) -> Change:
    given = giving_sessions(site.pages) if site.pages else []
    named = "; ".join(
        f"{page.path} ({page.where or page.view})" if page.view else page.path
        for page in given[:NAMED]
    )
    more = f" and {len(given) - NAMED} more" if len(given) > NAMED else ""
    lines = []
    if site.values["CSRF_USE_SESSIONS"].value:
        lines.append("CSRF_USE_SESSIONS = False")
    if str(site.values["MESSAGE_STORAGE"].value).endswith("SessionStorage"):
        lines.append(f'MESSAGE_STORAGE = "{MESSAGES_IN_COOKIES}"')
    return Change(
        conditions.ANONYMOUS_SESSIONS,
        "give a visitor no session before there is something to keep",
        f"every visitor and every crawler gets one from {named}{more}",
        _where(site, "CSRF_USE_SESSIONS") if lines else "",
        lines,
    )


def _shared_cache(site: Site) -> Change:
    alias = site.store.cache.alias if site.store and site.store.cache else "default"
    return Change(
        conditions.SHARED_CACHE,
        "keep sessions apart from what may be thrown away",
        f'CACHES["{alias}"] is used for other things, too: cache.clear(), or a full memory, signs '
        "people out",
        _where(site, "CACHES"),
        _in_redis(site),
        _then_migrate(site, moves=True),
    )


def _split(site: Site) -> Iterator[Change]:
    """Where visitors use no session, pages need none at all: that is what this project is for."""
    if site.instance or site.pages is None:
        return
    visitor = tally(site.pages, WITHOUT_COOKIE)
    if visitor.pages and not visitor.modified and not visitor.cookies:
        yield Change(
            "",
            "serve the public pages without sessions",
            "none of the pages that were asked keeps anything in a visitor's session: the admin "
            "alone needs one, and could run apart",
            commands=[f"django-split plan --settings {site.settings}"],
        )


def _where(site: Site, name: str) -> str:
    return site.values[name].where if name in site.values else ""


def _in_redis(site: Site) -> list[str]:
    name = site.settings.partition(".")[0]
    return [
        'SESSION_ENGINE = "django_split.sessions.redis"',
        "DJANGO_SPLIT_SESSIONS = {",
        f'    "url": "unix:///run/{name}/store.sock?db=0",  # a Redis for sessions alone',
        f'    "prefix": "{name}:session:",',
        "}",
        'MIDDLEWARE = ["django_split.sessions.guard.StoreGuardMiddleware", *MIDDLEWARE]',
    ]


def _then_migrate(site: Site, moves: bool) -> list[str]:
    migrate = f"django-split sessions migrate --settings {site.settings}"
    kept = [f"{migrate}   # nobody is signed out"] if moves else []
    return ["pip install 'django-split[redis]'", *kept]


ADVICE: dict[str, Callable[[Site], Change]] = {
    conditions.UNSHARED: _unshared,
    conditions.PICKLE: _pickle,
    conditions.DATABASE_SESSIONS: _database_sessions,
    conditions.INSECURE_COOKIE: _insecure_cookie,
    conditions.EXPIRED_ROWS: _expired_rows,
    conditions.NO_CLEANUP: _no_cleanup,
    conditions.CONNECTION_PER_REQUEST: _connection_per_request,
    conditions.SAVE_EVERY_REQUEST: _save_every_request,
    conditions.ANONYMOUS_SESSIONS: _anonymous_sessions,
    conditions.SHARED_CACHE: _shared_cache,
}
