"""Who is signed in: sessions with their users, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from time import monotonic, time
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from django_split.runtime.admin.browsers import browser
from django_split.sessions import tracking
from django_split.sessions.listing import STEP, Handles, Kept, Listing
from django_split.sessions.tracking import Limits

# Rows that a page has, or a few more: a step cannot be split.
ROWS = 100
# Seconds that one page may look for its rows.
PATIENCE = 2.0
# So many users may a search mean.
NAMESAKES = 1000


@dataclass(frozen=True)
class Row:
    """A signed-in session as the page shows it. No session key is in it."""

    handle: str
    user_id: str
    user: Any  # None for one that is gone
    mine: bool
    since: datetime | None
    seen: datetime | None
    expires: datetime | None
    # Why it will not be taken any more, though it is still kept; empty for a good one.
    void: str
    address: str
    agent: str

    @property
    def name(self) -> str:
        return self.user.get_username() if self.user else ""

    @property
    def ago(self) -> str:
        if self.seen is None:
            return ""
        if time() - self.seen.timestamp() < 60:
            return _("just now")
        return _("%s ago") % timesince(self.seen, depth=1)

    @property
    def browser(self) -> str:
        return browser(self.agent)


@dataclass
class Page:
    """`looked` sessions were looked at, `anonymous` of them nobody's; `following` is a cursor.

    `hurried` where the time was over before the page was full.
    """

    rows: list[Row] = field(default_factory=list)
    looked: int = 0
    anonymous: int = 0
    following: str = ""
    hurried: bool = False

    @property
    def clients(self) -> bool:
        return any(row.address or row.agent for row in self.rows)


def page(
    listing: Listing, cursor: str, mine: str, wanted: Collection[str] | None, patience: float
) -> Page:
    """The signed-in sessions from a cursor on, the last seen first.

    `mine` is the key of the session that asks; `wanted` are ids of users, None for all.
    """
    deadline = monotonic() + patience
    found, size, made = dict[str, Kept](), ROWS, Page(following=cursor)
    while True:
        batch = listing.batch(made.following, size)
        made.following = batch.following
        made.looked += len(batch.sessions)
        for kept in batch.sessions:
            if not kept.user_id:
                made.anonymous += 1
            elif wanted is None or kept.user_id in wanted:
                found[kept.key] = kept
        if not made.following or len(found) >= ROWS:
            break
        if monotonic() > deadline:
            made.hurried = True
            break
        size = min(size * 2, STEP)
    made.rows = _rows(listing, list(found.values()), mine)
    return made


def named(text: str) -> tuple[set[str], bool]:
    """The ids of users whose name has a text in it, as in sessions; and if there are more."""
    model: Any = get_user_model()
    matches = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__icontains": text})
    found = list(matches[: NAMESAKES + 1])
    return {id_of(user) for user in found[:NAMESAKES]}, len(found) > NAMESAKES


def users(ids: Collection[str]) -> dict[str, Any]:
    """The users with these ids, as sessions have them. Those who are gone are missing."""
    model: Any = get_user_model()
    key, keys = model._meta.pk, []
    for text in ids:
        try:
            value = key.to_python(text)
            key.run_validators(
                value
            )  # a number that the database has no room for is an error there
        except ValidationError:
            continue  # of another user model, before this one
        keys.append(value)
    try:
        found = model._default_manager.in_bulk(keys)
    except OverflowError:
        return {}  # SQLite's, whose range of numbers Django validates from 5.0 on
    return {id_of(user): user for user in found.values()}


def id_of(user: Any) -> str:
    """As django.contrib.auth.login writes it into the session."""
    return str(user._meta.pk.value_to_string(user))


def _rows(listing: Listing, sessions: Sequence[Kept], mine: str) -> list[Row]:
    handles, limits, now = Handles(), Limits.current(), int(time())
    known = users({kept.user_id for kept in sessions})
    rows = []
    for kept, expires in zip(sessions, listing.expiries(sessions), strict=True):
        user = known.get(kept.user_id)
        # Times that are missing are shown as missing, though its next request would begin now.
        record, mended = tracking.read(kept.data, now)
        limit = None if mended else limits.end(record)
        rows.append(
            Row(
                handle=handles.of(kept.key),
                user_id=kept.user_id,
                user=user,
                mine=kept.key == mine,
                since=None if mended else _date(record["since"]),
                seen=None if mended else _date(record["seen"]),
                expires=_date(min((end for end in (limit, expires) if end), default=None)),
                void=_void(user, kept.data, limits.passed(record, now) is not None),
                address=str(record.get("address", "")),
                agent=str(record.get("agent", "")),
            )
        )
    return sorted(rows, key=_recency, reverse=True)


def _recency(row: Row) -> tuple[bool, float]:
    return row.mine, row.seen.timestamp() if row.seen else 0.0


def _void(user: Any, data: dict[str, Any], timed_out: bool) -> str:
    if user is None:
        return _("The user has been deleted.")
    if not user.is_active:
        return _("The user is not active.")
    if not _password_stands(user, str(data.get(HASH_SESSION_KEY, ""))):
        return _("The password was changed since.")
    if timed_out:
        return _("Past its limit: ends with its next request.")
    return ""


def _password_stands(user: Any, written: str) -> bool:
    """As django.contrib.auth.get_user decides it, without writing anything."""
    if not hasattr(user, "get_session_auth_hash"):
        return True
    if constant_time_compare(written, user.get_session_auth_hash()):
        return True
    fallbacks: Callable[[], Any] = getattr(user, "get_session_auth_fallback_hash", lambda: ())
    return any(constant_time_compare(written, one) for one in fallbacks())


def _date(moment: int | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return datetime.fromtimestamp(moment, tz=timezone.utc if settings.USE_TZ else None)
    except (OverflowError, OSError, ValueError):
        return None  # beyond the calendar: as good as never
