"""Which request has met a store that is away: noted where it happens, read by the guard.

A note and not the exception alone, because the exception does not always arrive: Django's cache
engine swallows it and takes the session for an unknown one, and what arrives has been made a 500.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# A list and not the error itself: sync_to_async runs in a copy of the context, which shares the
# list but not what is set there.
_under_way: ContextVar[list[Exception] | None] = ContextVar("django_split_outage", default=None)


def note(error: Exception) -> None:
    """Mark the request under way. Where no guard is around it (a command) nothing happens."""
    notes = _under_way.get()
    if notes is not None:
        notes.append(error)


def noted() -> Exception | None:
    """The first failure of the request under way."""
    notes = _under_way.get()
    return notes[0] if notes else None


@contextmanager
def watch() -> Iterator[list[Exception]]:
    """Collect what is noted while a request is answered."""
    notes: list[Exception] = []
    token = _under_way.set(notes)
    try:
        yield notes
    finally:
        _under_way.reset(token)
