"""Claims about main's own sessions, on a site that keeps them for its visitors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .probe import Instance, Running
from .row import Row, not_checked
from .site import Site

NAME, CLAIM = "main.sessions", "main's sessions are in a store of its own"
# Makes a session as a page of main would, looks where it is, and takes it away again.
PROGRAM = """
import json
from importlib import import_module
import django
django.setup()
from django.conf import settings
from django_split.sessions.locate import locate
Store = import_module(settings.SESSION_ENGINE).SessionStore
session = Store()
session.set_expiry(60)
session["django_split"] = "verify"
session.create()
key = session.session_key
try:
    stored = locate(key)["store"]
finally:
    session.delete()
kept = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
cache = settings.CACHES.get(settings.SESSION_CACHE_ALIAS, {})
print(json.dumps({
    "engine": settings.SESSION_ENGINE,
    "place": str(kept.get("url") or cache.get("LOCATION", "")),
    "stored": stored,
    "left": Store().exists(key),
}))
"""


def start(instance: Instance) -> Running:
    """Begin to ask main. Raises ProbeError."""
    return instance.start("main's sessions", ["-c", PROGRAM])


def row(site: Site, found: Mapping[str, Any] | str | None) -> Row:
    """What main did with a session. Without an answer it was not asked: check mode writes none."""
    if found is None:
        return not_checked(NAME, CLAIM, "it is a write, and this is check mode")
    if isinstance(found, str):
        return Row(NAME, CLAIM, False, found)
    engine = found["engine"].rpartition(".")[2]
    place = found["place"].removeprefix("unix://").removeprefix("unix:").partition("?")[0]
    right = found["stored"] is True and place == site["public_socket"] and not found["left"]
    seen = f"{engine}: {'in' if found['stored'] else 'not in'} {place or 'any store'}"
    seen += "; deleted, and still there" if found["left"] else ""
    return Row(NAME, CLAIM, right, seen)
