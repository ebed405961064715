"""What to say when a base does not start."""

from __future__ import annotations

import difflib
import importlib.util
import pkgutil
import sys
import traceback
from types import TracebackType


def describe(error: BaseException, settings_module: str) -> str:
    """One message:

    what is wrong (the traceback's last line), where (file:line), and what to do if that is known.
    """
    missing = isinstance(error, ModuleNotFoundError) and error.name
    if missing and (settings_module == missing or settings_module.startswith(f"{missing}.")):
        near = _nearest(settings_module)
        return f'"{settings_module}": no module of that name on sys.path' + (
            f" (did you mean {near}?)" if near else ""
        )
    last = traceback.format_exception_only(error)[-1].strip()
    return f'"{settings_module}" does not start: {last} ({_place(error, error.__traceback__)})'


def _place(error: BaseException, trace: TracebackType | None) -> str:
    """The innermost line of the site's own code: that is where the operator looks."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frame = own_frame(trace)
    return f"{frame.filename}:{frame.lineno}" if frame else "no place"


def own_frame(trace: TracebackType | None) -> traceback.FrameSummary | None:
    """The innermost frame of the site's own code, or else the innermost of all."""
    frames = traceback.extract_tb(trace)
    # Neither importlib's frozen frames, nor the standard library, nor installed packages, nor this
    # one.
    ours = __file__.rpartition("/analysis/")[0]
    strange = ("<", sys.base_prefix, sys.prefix, ours)
    own = [
        frame
        for frame in frames
        if not frame.filename.startswith(strange) and "/site-packages/" not in frame.filename
    ]
    return next(reversed(own or [*frames]), None)


def _nearest(dotted: str) -> str | None:
    """The module with the nearest name:

    among the packages on sys.path, or in the last package that exists.
    """
    package, _, last = dotted.rpartition(".")
    paths: list[str] | None = None
    if package:
        try:
            spec = importlib.util.find_spec(package)
        except ImportError:
            spec = None
        if spec is None:
            near = _nearest(package)
            return f"{near}.{last}" if near else None
        paths = list(spec.submodule_search_locations or [])
    names = [module.name for module in pkgutil.iter_modules(paths)]
    near_names = difflib.get_close_matches(last, names, n=1, cutoff=0.7)
    return f"{package}.{near_names[0]}".lstrip(".") if near_names else None
