"""Why main does not start: what is missing, and whose code could not do without it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from types import TracebackType

import django

from django_split.analysis.evidence import at
from django_split.analysis.imports import App
from django_split.analysis.modules import is_standard
from django_split.analysis.source import is_installed, is_machinery

MACHINERY = tuple(
    os.path.dirname(os.path.abspath(file)) + os.sep
    for file in (django.__file__, os.path.dirname(__file__))
)


@dataclass(frozen=True)
class Blame:
    """`app` is the entry of the app whose code raised, `missing` that of the one it wanted."""

    error: str
    where: str
    app: str = ""
    missing: str = ""


def blame(error: BaseException, installed: Iterable[str], gone: Sequence[App]) -> Blame:
    """Say what an error in main's process comes from.

    Takes the base's INSTALLED_APPS, for an app that was dropped may be used still, and the apps
    that main can keep the models of.
    """
    chain = list(_chain(error))
    missing = ((link, entry) for link in chain if (entry := _missing(link, gone)))
    cause, entry = next(missing, (error, ""))
    traces = [cause.__traceback__, error.__traceback__]
    return Blame(
        error=traceback.format_exception_only(cause)[-1].strip(),
        where=next((place for trace in traces if (place := _place(trace))), ""),
        app=owner(traces, folders(installed)),
        missing=entry,
    )


def _place(trace: TracebackType | None) -> str:
    """The innermost line of the site's own code, else of a package's; Django's says nothing."""
    frames = list(_foreign(trace))
    own = [frame for frame in frames if not is_installed(frame.filename)]
    for frame in reversed(own or frames):
        return at(frame.filename, frame.lineno or 1)
    return ""


def _foreign(trace: TracebackType | None) -> Iterator[traceback.FrameSummary]:
    for frame in traceback.extract_tb(trace):
        if not frame.filename.startswith("<") and not _is_machinery(frame.filename):
            yield frame


def _is_machinery(file: str) -> bool:
    """Whether a file is Python's, Django's or ours."""
    path = os.path.abspath(file)
    return is_standard(path) or path.startswith(MACHINERY)


def owner(traces: Iterable[TracebackType | None], apps: Mapping[str, list[str]]) -> str:
    """The app of somebody else's whose code raised, or an empty text.

    The innermost frame counts that is in an app, or in the site's own code: that is nobody else's.
    """
    for trace in traces:
        for frame in reversed(list(_foreign(trace))):
            if not is_installed(frame.filename):
                return ""
            if app := app_of(frame.filename, apps):
                return app
    return ""


def app_of(file: str, apps: Mapping[str, list[str]]) -> str:
    """The app, of those with their folders, that a file is in; an empty text for none."""
    path = os.path.abspath(file)
    found = [
        (len(folder), entry)
        for entry, places in apps.items()
        for folder in places
        if path.startswith(folder + os.sep)
    ]
    return max(found)[1] if found else ""


def folders(installed: Iterable[str]) -> dict[str, list[str]]:
    """Where the apps of an INSTALLED_APPS lie, but Django's and ours. Nothing is imported."""
    found = {}
    for entry in installed:
        top, *rest = entry.split(".")
        if is_machinery(top) or top == "django_split":
            continue
        loaded = sys.modules.get(top)
        spec = None if loaded else PathFinder.find_spec(top)
        searched = getattr(spec, "submodule_search_locations", None)
        places = list(getattr(loaded, "__path__", None) or searched or ())
        for part in rest:  # as far as there are folders: the end may be a module and a class
            places = [
                inner for place in places if os.path.isdir(inner := os.path.join(place, part))
            ] or places
        found[entry] = [os.path.abspath(place) for place in places]
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _missing(error: BaseException, gone: Sequence[App]) -> str:
    return next((app.entry for app in gone if app.is_missed_by(str(error))), "")
