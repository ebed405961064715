"""Main's SESSION_ENGINE: a session that lives for one request and is stored nowhere.

A real `SessionBase`, because sites' own code reads and writes it within a request (FACTS A4). A
session that is written to is reported by the stand-in middleware.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.base import SessionBase


class SessionStore(SessionBase):
    def __init__(self, session_key: str | None = None) -> None:
        # A browser may send the key of a session that it has elsewhere: it means nothing here.
        super().__init__(None)

    def exists(self, session_key: str) -> bool:
        return False

    def load(self) -> dict[str, Any]:
        return {}

    def create(self) -> None:
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        pass

    def delete(self, session_key: str | None = None) -> None:
        pass

    @classmethod
    def clear_expired(cls) -> None:
        pass
