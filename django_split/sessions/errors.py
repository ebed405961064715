"""What can go wrong between Django and the session store."""

from __future__ import annotations


class StoreError(Exception):
    """The session store did not do what it was asked."""


class StoreUnavailableError(StoreError):
    """It is unreachable, hung, full, read-only, or denies us; `reason` says which, for the log.

    Not a word about the session: whether there is one is unknown, so nobody may be signed out.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotJSONError(TypeError):
    """A session holds what JSON cannot; `key` is the session's key that leads to it."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key

    def __reduce__(self) -> tuple[type[NotJSONError], tuple[str, str]]:
        return type(self), (self.key, str(self))
