"""Files that pages save when they are only looked at, as a thumbnail: kept in memory.

They may be meant for a folder that another user serves from, or for a bucket.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

SAVED = "a file"


class Files:
    """Takes the place of saving and deleting, in every storage; what is saved can be read again."""

    def __init__(self) -> None:
        self.kept: dict[tuple[type[Storage], str], bytes] = {}
        # What one page did; shared with what it writes to the database.
        self.seen: list[str] = []

    def hold(self) -> None:
        files = self

        def save(self: Storage, name: str | None, content: Any, max_length: Any = None) -> str:
            name = str(name or content.name)
            with suppress(Exception):
                content.seek(0)
            files.kept[type(self), name] = _bytes(content)
            files.note()
            return name

        def reopened(original: Any) -> Any:
            def open_(self: Storage, name: str, mode: str = "rb") -> Any:
                kept = files.kept.get((type(self), str(name)))
                return original(self, name, mode) if kept is None else ContentFile(kept, name)

            return open_

        def delete(self: Storage, name: str) -> None:
            files.note()

        for cls in _with_subclasses(Storage):
            for name, instead in {"save": save, "delete": delete}.items():
                if name in vars(cls):
                    setattr(cls, name, instead)
            if "open" in vars(cls):
                setattr(cls, "open", reopened(vars(cls)["open"]))  # noqa: B010 - for mypy

    def note(self) -> None:
        if SAVED not in self.seen:
            self.seen.append(SAVED)


def _bytes(content: Any) -> bytes:
    read = content.read()
    return read.encode() if isinstance(read, str) else bytes(read)


def _with_subclasses(cls: type[Storage]) -> Iterator[type[Storage]]:
    yield cls
    for sub in cls.__subclasses__():
        yield from _with_subclasses(sub)
