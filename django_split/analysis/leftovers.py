"""Writes to the session that no URL is known for: middlewares, signals, code nothing leads to."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.urls import URLPattern, get_resolver
from django.utils.module_loading import import_string

from django_split import findings as kinds
from django_split.analysis import logins
from django_split.analysis.anatomy import Step, scope_of, steps_of, uses, view
from django_split.analysis.evidence import at
from django_split.analysis.follow import Reached, reached
from django_split.analysis.keeps import writes
from django_split.analysis.layers import peel
from django_split.analysis.objects import is_a, own_vars
from django_split.analysis.refusals import refusals
from django_split.analysis.routes import Route
from django_split.analysis.source import home, is_installed, is_machinery
from django_split.findings import Finding
from django_split.mounts import patterns_of

# What does not run in an instance, or in the admin's only.
NOT_SERVED = re.compile(r"(^|\.)(admin|conftest|management|migrations|tests?|test_\w+)(\.|\Z)")
OURS = "django_split"
MIDDLEWARE = "a middleware"


def find(routes: list[Route], told: set[str]) -> list[Finding]:
    """What middlewares do, and what the site's own code writes, less what is told already.

    `told` are places; those of a middleware and of the views that are not public are added.
    """
    found = [finding for entry, what in _everywhere() for finding in _at_all(entry, what, told)]
    own = [one for one in _written(map(Reached, _own_steps())) if one[2] not in told]
    if own:
        told.update(_of_other_views({id(route.callback) for route in routes}))
    for step, text, where in own:
        if where not in told:
            told.add(where)
            said = f"{step.name} writes {text}; no URL is known to lead there"
            found.append(Finding(kinds.MAYBE_SESSION, said, where=where))
    return found


def _everywhere() -> Iterator[tuple[str, str]]:
    """What runs at every request, or with every template."""
    yield from ((entry, MIDDLEWARE) for entry in settings.MIDDLEWARE)
    for engine in settings.TEMPLATES:
        for entry in engine.get("OPTIONS", {}).get("context_processors", ()):
            yield entry, "a context processor"


def _at_all(entry: str, what: str, told: set[str]) -> Iterator[Finding]:
    """What is done there with the session, and whom it lets in."""
    steps = list(reached(_steps(entry)))
    functions = set()
    for step, text, where in _written(steps):
        told.add(where)
        if step.function not in functions:
            functions.add(step.function)
            said = f"{entry}, {what}, writes {text} ({step.name})"
            yield Finding(kinds.MAYBE_SESSION, said, view=entry, where=where)
    if what != MIDDLEWARE:
        return
    if signs := next((evidence for item in steps for evidence in logins.by_calls(item)), None):
        said = f"{entry}, {what}, signs people in or out: {signs[0]}"
        yield Finding(kinds.MAYBE_SESSION, said, view=entry, where=signs[1])
    elif _is_named(entry, "RemoteUserMiddleware"):
        said = f"{entry}, {what}, signs people in whom the web server knows"
        yield Finding(kinds.MAYBE_SESSION, said, view=entry)
    # One of this name is known without looking into it.
    if not _is_named(entry, "LoginRequiredMiddleware"):
        yield from _refused(entry, steps)


def _is_named(entry: str, name: str) -> bool:
    with suppress(Exception):
        return name in {base.__name__ for base in getattr(import_string(entry), "__mro__", ())}
    return False


def _refused(entry: str, steps: list[Reached]) -> Iterator[Finding]:
    """A middleware that lets nobody in who is not signed in: to any page, or to some."""
    for item in steps:
        scope = scope_of(item.step) if item.speaks_for_its_caller else None
        for refusal in refusals(scope, item.step.is_decorator) if scope else ():
            if item.is_answer or refusal.raises:
                where = at(item.step.file, refusal.line)
                if refusal.everywhere:
                    said = f"MIDDLEWARE has {entry}: every page demands a login"
                    yield Finding(kinds.EVERYWHERE, said, view=entry, where=where)
                else:
                    said = f'{entry}, {MIDDLEWARE}, demands a user "if {refusal.condition}"'
                    yield Finding(kinds.RESTRICTION, said, view=entry, where=where)
                return


def _steps(entry: str) -> list[Step]:
    with suppress(Exception):
        made = import_string(entry)
        if not is_machinery(getattr(made, "__module__", "")):
            # A middleware that is a function makes the one that runs.
            steps = [Step(function, is_decorator=True) for function in peel(made).functions]
            return [*steps, *(steps_of(made) if is_a(made, type) else ())]
    return []


def _written(items: Iterable[Reached]) -> Iterator[tuple[Step, str, str]]:
    for item in items:
        scope = scope_of(item.step)
        for write in writes(scope) if scope else ():
            yield item.step, write.text, at(item.step.file, write.line)


def _of_other_views(public: set[int]) -> Iterator[str]:
    """The writes of views that the admin instance serves."""
    for callback in _callbacks(get_resolver()):
        if id(callback) in public:
            continue
        with suppress(Exception):
            taken = view(callback)
            items = reached(taken.steps, uses(taken))
            yield from (where for _, _, where in _written(items))


def _callbacks(resolver: Any) -> Iterator[Any]:
    for pattern in patterns_of(resolver):
        if isinstance(pattern, URLPattern):
            yield pattern.callback
        else:
            yield from _callbacks(pattern)


def _own_steps() -> list[Step]:
    """Every function and method of the site's own modules, as far as they are loaded."""
    steps: list[Step] = []
    for name, module in sorted(sys.modules.items()):
        file = own_vars(module).get("__file__") or ""
        top = name.partition(".")[0]
        if not file.endswith(".py") or is_machinery(name) or NOT_SERVED.search(name):
            continue
        if top in (OURS, "__main__") or (is_installed(file) and top not in _own_packages()):
            continue
        for thing in list(own_vars(module).values()):
            with suppress(Exception):
                steps += _of_module(thing, name)
    return steps


def _own_packages() -> set[str]:
    """A site may be installed as a package itself."""
    modules = (settings.ROOT_URLCONF, getattr(settings, "SETTINGS_MODULE", ""))
    return {str(module).partition(".")[0] for module in modules}


def _of_module(thing: Any, module: str) -> Iterator[Step]:
    if is_a(thing, type):
        if thing.__module__ == module:
            yield from (step for step in steps_of(thing) if home(step.function) == module)
    elif is_a(thing, types.FunctionType) or "__wrapped__" in own_vars(thing):
        yield from (Step(one) for one in peel(thing).functions if home(one) == module)
