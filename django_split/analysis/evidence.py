"""Where something of the site is written: "mysite/views.py:12", without this machine's folders."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Hashable
from contextlib import suppress
from types import FunctionType
from typing import Any

from django_split.analysis.source import line_of_class


def place(thing: Any) -> str:
    """The file and line of a class, a function or a module; empty where Python does not know.

    Of what was written: the function below its decorators, the class of an `as_view()`.
    """
    return _place(thing) if isinstance(thing, Hashable) else ""


@functools.cache
def _place(thing: Any) -> str:
    if inspect.isroutine(thing):
        cls = getattr(thing, "view_class", None) or getattr(thing, "cls", None)
        thing = cls or inspect.unwrap(thing)
    # From the trees that are read anyway: `inspect` parses a whole file for each class.
    if isinstance(thing, type):
        written = line_of_class(thing)
        return at(*written) if written else ""
    if isinstance(thing, FunctionType):
        return at(thing.__code__.co_filename, thing.__code__.co_firstlineno)
    with suppress(TypeError, OSError):
        file = inspect.getsourcefile(thing)
        if file:
            return at(file, 1 if inspect.ismodule(thing) else inspect.getsourcelines(thing)[1])
    return ""


def at(file: str, line: int) -> str:
    return f"{relative(file)}:{line}"


def relative(file: str) -> str:
    """A file's path from the folder on sys.path that it was imported from.

    A plan is compared from one deploy to the next: it must not name a release's own folder.
    """
    path = os.path.abspath(file)
    for folder in _folders(tuple(sys.path)):
        if path.startswith(folder + os.sep):
            return path[len(folder) + 1 :]
    return path


@functools.cache
def _folders(path: tuple[str, ...]) -> list[str]:
    """sys.path's folders, the innermost first."""
    return sorted({os.path.abspath(entry) for entry in path}, key=len, reverse=True)
