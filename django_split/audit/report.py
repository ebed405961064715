"""An audit for people: what is in force and where it is said, the figures, and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django_split.audit import conditions, facts
from django_split.audit.advice import changes
from django_split.audit.facts import Setting, Site, Table
from django_split.audit.report_pages import show_pages
from django_split.layout import BOLD, YELLOW, Sheet
from django_split.sessions.layout import size

LABEL = 13
KINDS = {
    facts.DATABASE: "in the database, a query for each request that has one",
    facts.CACHED_DATABASE: "in a cache, and in the database behind it",
    facts.CACHE: "in a cache",
    facts.FILES: "in files",
    facts.COOKIES: "in the cookie itself: signed, not secret; a logout cannot take a copy back",
    facts.REDIS: "in a Redis of their own, as JSON",
    facts.REDIS_DATABASE: "in a Redis of their own, as JSON, and in the database behind it",
    facts.NOWHERE: "nowhere: main keeps no sessions",
    facts.OTHER: "in a store that django-split does not know",
    facts.BROKEN: "nowhere: the engine cannot be imported",
}
DEFAULT = "Django's default"
UNSET_ENGINE = "not set, so the database: you are likely doing this"
NAMED = 5
DAY = 86_400

Row = tuple[str, str]


def show(site: Site, sheet: Sheet) -> None:
    """Print one site's report."""
    sheet.line(site.settings, style=BOLD)
    if site.broken:
        sheet.sentence(site.broken, 2, YELLOW)
        return
    _rows(sheet, [*_engine(site), *_cookie(site)])
    if site.table is not None:
        _table(sheet, site, site.table)
    if site.pages is not None:
        show_pages(sheet, site.pages)
    _changes(sheet, site)


def summary(sites: Sequence[Site], sheet: Sheet) -> None:
    """A row for each of several sites."""
    sheet.heading("summary")
    wide = max(len(site.settings) for site in sites)
    for site in sites:
        what = "cannot be looked at" if site.broken else _in_a_row(site)
        sheet.verbatim(f"{site.settings.ljust(wide)}  {what}", 2)


def _in_a_row(site: Site) -> str:
    kind = site.store.kind if site.store else ""
    held = [name for name, holds in conditions.holding(site).items() if holds]
    table = site.table
    rows = f", {_number(table.rows, table.exact)} rows" if table and table.rows is not None else ""
    return f"{kind}{rows}: {', '.join(held) or 'nothing to change'}"


def _rows(sheet: Sheet, rows: Sequence[Row]) -> None:
    for label, text in rows:
        sheet.row(label, text, LABEL, indent=2)


def _engine(site: Site) -> Iterator[Row]:
    store = site.store
    if store is None:
        return
    engine = site.values["SESSION_ENGINE"]
    yield "sessions", KINDS[store.kind]
    said = _said(engine) if engine.is_set else UNSET_ENGINE
    yield "engine", f"{store.engine} ({said})"
    if store.error:
        yield "", store.error
    if not site.middleware:
        yield "", "no SessionMiddleware in MIDDLEWARE: no request has a session"
    if cache := store.cache:
        where = _said(site.values["CACHES"])
        yield "cache", f'CACHES["{cache.alias}"], {cache.backend} ({where})'
        yield "", "; ".join(filter(None, [cache.place, _reach(cache), cache.error]))
        yield "", cache.pickles or "does not pickle"
    if store.files:
        count = f"{store.files.count:,}{'' if store.files.complete else ' and more'}"
        told = store.files.error or f"{count} files, {size(store.files.bytes)}"
        yield "folder", f"{store.files.folder}: {told}"
    if store.place:
        yield "store", store.place
    serializer = site.values["SESSION_SERIALIZER"]
    unpickles = ": it unpickles" if site.unpickles else ""
    yield "serializer", f"{serializer.value}{unpickles} ({_said(serializer)})"


def _reach(cache: facts.Cache) -> str:
    if cache.reach == facts.PROCESS:
        return "in each process's own memory"
    if cache.reach == facts.NOBODY:
        return "keeps nothing"
    if cache.reach == facts.TABLE:
        return "a table of the database"
    return "for sessions alone" if cache.alone else "used for other things, too"


def _cookie(site: Site) -> Iterator[Row]:
    value = {name: setting.value for name, setting in site.values.items()}
    secure = "Secure" if value["SESSION_COOKIE_SECURE"] else "not Secure"
    http_only = "HttpOnly" if value["SESSION_COOKIE_HTTPONLY"] else "not HttpOnly"
    domain = value["SESSION_COOKIE_DOMAIN"] or "this host only"
    age = float(value["SESSION_COOKIE_AGE"] or 0)
    ends = ", or until the browser is closed" if value["SESSION_EXPIRE_AT_BROWSER_CLOSE"] else ""
    yield (
        "cookie",
        f"{value['SESSION_COOKIE_NAME']}: {secure}, {http_only}, "
        f"SameSite={value['SESSION_COOKIE_SAMESITE']}, path {value['SESSION_COOKIE_PATH']}, "
        f"{domain}",
    )
    yield "lasts", f"{_span(age)}{ends} ({_said(site.values['SESSION_COOKIE_AGE'])})"
    if value["SESSION_SAVE_EVERY_REQUEST"]:
        every = site.values["SESSION_SAVE_EVERY_REQUEST"]
        yield "", f"saved by every request ({_said(every)})"
    for name in (name for name in site.values if name.startswith("SESSION_COOKIE_")):
        if site.values[name].is_set and name not in ("SESSION_COOKIE_AGE",):
            yield "", f"{name} = {value[name]!r} ({_said(site.values[name])})"


def _table(sheet: Sheet, site: Site, table: Table) -> None:
    sheet.heading(f'table {table.name} in the database "{table.alias}" ({table.vendor})')
    if table.error and not table.exists:
        sheet.sentence(f"not looked at: {table.error}", 2, YELLOW)
        return
    if not table.exists:
        sheet.line("there is none", 2)
        return
    _rows(sheet, list(_figures(table)))
    if table.error:
        sheet.sentence(f"not all is known: {table.error}", 2, YELLOW)
    known = site.connection
    of_requests = site.store is not None and site.store.kind == facts.DATABASE
    if known and known.vendor != "sqlite" and known.max_age is not None and of_requests:
        age = "a new one for each request" if not known.max_age else f"kept for {known.max_age:g} s"
        pool = "from a pool" if known.pool else age
        where = _said(site.values["DATABASES"])
        _rows(sheet, [("connection", f"{pool} (CONN_MAX_AGE = {known.max_age:g}; {where})")])
    if site.cleaning:
        _rows(sheet, list(_cleaning(site.cleaning)))


def _figures(table: Table) -> Iterator[Row]:
    if table.rows is not None:
        rows, live, expired = table.rows, table.live or 0, table.expired or 0
        how = "" if table.exact else f" (from a sample of {table.sampled:,}; --exact counts them)"
        yield "rows", f"{_number(rows, table.exact)}{how}"
        if rows:
            yield "live", f"{_number(live, table.exact)} ({live / rows:.0%})"
            yield "expired", f"{_number(expired, table.exact)} ({expired / rows:.0%})"
    if table.oldest_expired_days is not None:
        days, date = table.oldest_expired_days, table.oldest_expiry.partition("T")[0]
        told = f"expired {date}, {days:,.0f}" if days > 0 else f"expires {date}, in {-days:,.0f}"
        yield "oldest", f"{told} days{' ago' if days > 0 else ''}"
    yield from _held(table.payload)
    if table.size.table is not None:
        yield "size", _sizes(table)
    if table.rows:
        yield (
            "growth",
            f"{_number(round(table.per_day or 0), table.exact)} rows a day; last saved on each of "
            f"the last {len(table.days)} days: {' '.join(f'{count:,}' for count in table.days)}",
        )


def _held(payload: facts.Payload) -> Iterator[Row]:
    if payload.error:
        yield "anonymous", f"not known: {payload.error}"
        return
    read = payload.rows - payload.undecodable - payload.large
    if payload.rows:
        share = f"{payload.anonymous / read:.0%} are nobody's" if read else "none could be read"
        yield "anonymous", f"{share}, of {read:,} rows that were read"
        if payload.undecodable:
            yield "", f"{payload.undecodable:,} are not signed by this SECRET_KEY"
        if payload.large:
            yield "", f"{payload.large:,} are too large to read"
        if payload.keys:
            held = ", ".join(f"{name} ({share:.0%})" for name, share in payload.keys.items())
            yield "", f"these hold {held}"
        largest = size(payload.largest_bytes)
        yield "a session", f"{size(payload.average_bytes)} on average, {largest} the largest read"


def _sizes(table: Table) -> str:
    in_table, in_indexes = table.size.table or 0, table.size.indexes or 0
    if table.size.whole:
        return f"{size(in_table)}, of everything in the file: this SQLite does not tell of tables"
    each = f"; {size(round((in_table + in_indexes) / table.rows))} a row" if table.rows else ""
    return (
        f"{size(in_table + in_indexes)} (table {size(in_table)}, indexes {size(in_indexes)}){each}"
    )


def _cleaning(cleaning: facts.Cleaning) -> Iterator[Row]:
    for number, (place, what) in enumerate(cleaning.found[:NAMED]):
        yield "cleaned by" if number == 0 else "", f"{what} ({place})"
    if not cleaning.found:
        yield "cleaned by", "nothing that was found"
    yield "", f"looked at: {', '.join(cleaning.looked_at)}"
    if cleaning.not_readable:
        yield "", f"not readable: {', '.join(cleaning.not_readable)}"


def _changes(sheet: Sheet, site: Site) -> None:
    made = changes(site)
    sheet.heading("what to change, the most worthwhile first" if made else "nothing to change")
    for number, change in enumerate(made, 1):
        named = f"  [{change.condition}]" if change.condition else ""
        sheet.sentence(f"{number}. {change.what}{named}", 2, YELLOW)
        sheet.line(change.why, 5)
        if change.settings:
            now = f" (now {change.where})" if change.where else ""
            sheet.line(f"in {site.settings}{now}:", 5)
            for line in change.settings:
                sheet.verbatim(line, 9)
        for line in change.commands:
            sheet.verbatim(f"$ {line}", 7)


def _said(setting: Setting) -> str:
    if not setting.is_set:
        return DEFAULT
    return setting.where or "set, by code that does not name it"


def _span(seconds: float) -> str:
    if seconds >= DAY:
        return f"{seconds / DAY:g} days" if seconds % DAY == 0 else f"{seconds / DAY:.1f} days"
    return f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds / 60:g} minutes"


def _number(number: int | None, exact: bool) -> str:
    return f"{'' if exact else 'about '}{number or 0:,}"
