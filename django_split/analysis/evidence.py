"""Where something of the site is written: "mysite/views.py:12", without this machine's folders."""

from __future__ import annotations

import inspect
import os
import sys
from contextlib import suppress
from typing import Any


def place(thing: Any) -> str:
    """The file and line of a class, a function or a module; empty where Python does not know.

    Of what was written: the function below its decorators, the class of an `as_view()`.
    """
    if inspect.isroutine(thing):
        cls = getattr(thing, "view_class", None) or getattr(thing, "cls", None)
        thing = cls or inspect.unwrap(thing)
    with suppress(TypeError, OSError):
        file = inspect.getsourcefile(thing)
        if file:
            line = 1 if inspect.ismodule(thing) else inspect.getsourcelines(thing)[1]
            return at(file, line)
    return ""


def at(file: str, line: int) -> str:
    return f"{relative(file)}:{line}"


def relative(file: str) -> str:
    """A file's path from the folder on sys.path that it was imported from.

    A plan is compared from one deploy to the next: it must not name a release's own folder.
    """
    path = os.path.abspath(file)
    folders = sorted({os.path.abspath(entry) for entry in sys.path}, key=len, reverse=True)
    for folder in folders:
        if path.startswith(folder + os.sep):
            return path[len(folder) + 1 :]
    return path
