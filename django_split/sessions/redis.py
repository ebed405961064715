"""SESSION_ENGINE: sessions in Redis. One command for a load, a save, a create.

Where the store is: DJANGO_SPLIT_SESSIONS; see store.py. StoreUnavailableError leaves every method
that asks it, because nobody is to be taken for signed out while nobody knows; guard.py makes a 503
of it. The async methods are SessionBase's, which call these in a thread.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.serializers import JSONSerializer

from django_split.sessions import codec, keys
from django_split.sessions.store import Store

# Django's own for what somebody may have tampered with.
suspicious = logging.getLogger("django.security.SuspiciousSession")


class SessionStore(SessionBase):
    """A session in the store of the settings."""

    if TYPE_CHECKING:  # SessionBase's, which its stubs do not know
        _session: dict[str, Any]

        def _get_session(self, no_load: bool = ...) -> dict[str, Any]: ...

    # For encode() and decode(). Whatever SESSION_SERIALIZER says: it may say pickle.
    serializer = JSONSerializer

    def __init__(self, session_key: str | None = None) -> None:
        # SessionBase's own, but for the import of SESSION_SERIALIZER: a tenth of a load.
        self._session_key = session_key
        self.accessed = False
        self.modified = False

    def load(self) -> dict[str, Any]:
        """The session's data; {} and no key for a session that is unknown or damaged."""
        data = self._read()
        if data is None:
            self._session_key = None
            return {}
        return data

    def exists(self, session_key: str) -> bool:
        return bool(session_key) and Store.current().exists(session_key)

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Raises NotJSONError, and Django's CreateError and UpdateError."""
        if self.session_key is None:
            return self.create()
        value = codec.dumps(self._get_session(no_load=must_create))
        if self.session_key is None:
            raise UpdateError  # loaded just now, and there was none
        self._write(self.session_key, value, self._life(), must_create)
        return None

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            Store.current().delete(key)

    @classmethod
    def clear_expired(cls) -> None:
        """Redis does that by itself."""

    def _get_new_session_key(self) -> str:
        # Whether it is free, SET NX says: nobody asks first.
        return keys.new()

    def _read(self) -> dict[str, Any] | None:
        value = Store.current().get(str(self.session_key))
        if value is None:
            return None
        try:
            return codec.loads(value)
        except ValueError:
            suspicious.warning("Session data corrupted")
            return None

    def _write(self, key: str, value: bytes, life: int, must_create: bool) -> None:
        if must_create:
            if not Store.current().add(key, value, life):
                raise CreateError
        elif not Store.current().replace(key, value, life):
            raise UpdateError

    def _life(self) -> int:
        """Seconds from now on, as get_expiry_age() has it."""
        if not self._session.get("_session_expiry"):
            return int(self.get_session_cookie_age())
        return int(self.get_expiry_age())
