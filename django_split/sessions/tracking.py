"""The bookkeeping inside a signed-in session, and what the limits make of it.

One key, RECORD, holds {"since": unix seconds of the login, "seen": unix seconds of the last request
that was written down} and, where it is asked for, {"address": text, "agent": text}. Other keys in
it are other parts' (`moved`), and stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

from django.conf import settings

RECORD = "_split"
# As django.contrib.auth.SESSION_KEY, which cannot be imported before apps are loaded.
LOGIN_KEY = "_auth_user_id"

AGENT_LENGTH = 200
# A request writes itself down at most so often, or reading a page would be two commands each time.
GRAIN = 60.0

Limit = Literal["idle", "absolute"]


@dataclass(frozen=True)
class Limits:
    """What DJANGO_SPLIT_SESSIONS says of signed-in sessions. Seconds; 0 is no limit."""

    idle: int = 0
    absolute: int = 0
    record_client: bool = False

    @classmethod
    def current(cls) -> Limits:
        said: Mapping[str, Any] = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
        return cls(
            int(said.get("idle", 0)),
            int(said.get("absolute", 0)),
            bool(said.get("record_client", False)),
        )

    @property
    def grain(self) -> float:
        """Seconds that `seen` may be old. A tenth of the idle limit, so that it stays one."""
        return min(GRAIN, self.idle / 10) if self.idle else GRAIN

    def passed(self, record: Mapping[str, Any], now: int) -> Limit | None:
        """The limit that a session is past."""
        if self.absolute and now - record["since"] > self.absolute:
            return "absolute"
        if self.idle and now - record["seen"] > self.idle:
            return "idle"
        return None

    def end(self, record: Mapping[str, Any]) -> int | None:
        """When a session passes a limit if nobody uses it any more, in unix seconds."""
        ends = []
        if self.idle:
            ends.append(record["seen"] + self.idle)
        if self.absolute:
            ends.append(record["since"] + self.absolute)
        return min(ends, default=None)


def read(session: Mapping[str, Any], now: int) -> tuple[dict[str, Any], bool]:
    """A session's record, made whole, and whether it has to be written down as it is now.

    A session that has none begins now: it may have been signed in when nobody kept one. So does a
    time that lies ahead, because the clock was set back.
    """
    found = session.get(RECORD)
    record: dict[str, Any] = dict(found) if isinstance(found, dict) else {}
    mended = False
    for name in ("since", "seen"):
        moment: Any = record.get(name)
        # NaN is a number that no comparison holds for.
        is_time = isinstance(moment, int | float) and not isinstance(moment, bool)
        if not is_time or not 0 <= moment <= now + GRAIN:
            record[name], mended = now, True
        else:
            # Another host's clock may be a little ahead of this one's.
            record[name] = min(int(moment), now)
    return record, mended


def touched(
    record: Mapping[str, Any], now: int, client: Mapping[str, str] | None
) -> dict[str, Any]:
    """The record after a request, with what is known of the client or, if None, without."""
    kept = {name: value for name, value in record.items() if name not in ("address", "agent")}
    return {**kept, "seen": now, **(client or {})}


def client(meta: Mapping[str, Any]) -> dict[str, str]:
    """Address and browser of a request's META."""
    return {"address": _address(meta), "agent": meta.get("HTTP_USER_AGENT", "")[:AGENT_LENGTH]}


def _address(meta: Mapping[str, Any]) -> str:
    direct = meta.get("REMOTE_ADDR", "")
    if not direct:
        # A unix socket's peer has no address. Who is at the other end is our nginx, which replaces
        # this header; the last entry, because that is the one a proxy writes.
        direct = meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(direct))
    except ValueError:
        return ""
