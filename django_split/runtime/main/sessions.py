"""Main's SESSION_ENGINE: a session that lives for one request and is stored nowhere.

A real `SessionBase`, because sites' own code reads and writes it within a request (FACTS A4). What
is in it at the request's end is lost, which the stand-in middleware does not keep to itself.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from django_split.runtime.main import losses


class SessionStore(SessionBase):
    # Where it was written to first, "module:line".
    place = ""
    # Whether the middleware looks at what is left in it.
    in_request = False

    def __init__(self, session_key: str | None = None) -> None:
        # A browser may send the key of a session that it has elsewhere: it means nothing here.
        super().__init__(None)

    # Everything that writes sets it.
    @property
    def modified(self) -> bool:
        return self._modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self._modified = value
        if value and not self.place:
            self.place = _writer()

    def lost(self) -> list[str]:
        """The keys of what Django would have kept; what was deleted again is no loss."""
        if not self.modified:
            return []
        # A session that was only created: some sites keep its key, for a basket.
        return sorted(map(str, self.keys())) or (["session_key"] if self.session_key else [])

    def exists(self, session_key: str) -> bool:
        return False

    def load(self) -> dict[str, Any]:
        return {}

    def create(self) -> None:
        # A key that nobody else has: without one all visitors would share what hangs on it.
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
        if not self.in_request and self.keys():
            losses.record(None, self.lost(), self.place)

    def delete(self, session_key: str | None = None) -> None:
        pass

    @classmethod
    def clear_expired(cls) -> None:
        pass


def _writer() -> str:
    """The site's own line that writes, or else the package's that does it for the site."""
    frame: FrameType | None = sys._getframe(2)
    first = ""
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name.startswith(("django.core.handlers.", "asgiref.")):
            break  # above are the middlewares, which call the view
        if not name.startswith((__name__, "django.contrib.sessions.")):
            first = first or f"{name}:{frame.f_lineno}"
            if not name.startswith("django."):
                return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return first
