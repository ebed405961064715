"""Public URLs whose view needs a session, or a user that on main is never there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from django_split import findings as kinds
from django_split.analysis import guards, leftovers, logins, rest
from django_split.analysis.anatomy import View, scope_of, uses, view
from django_split.analysis.evidence import at
from django_split.analysis.follow import Reached, reached
from django_split.analysis.keeps import keeper, writes
from django_split.analysis.ownrows import queries
from django_split.analysis.refusals import mentions_user, refusals
from django_split.analysis.routes import Route
from django_split.analysis.seldom import runs_never, runs_seldom
from django_split.analysis.source import (
    decorator_line,
    home,
    is_installed,
    is_machinery,
    last_name,
    line_of_class,
)
from django_split.findings import Finding

# As much of a condition is shown.
SHOWN = 70

Evidence = tuple[str, str, str]  # kind, what, where


def find(routes: list[Route]) -> list[Finding]:
    """One finding for each URL whose view needs what main does not have:

    the strongest only, of LOGIN, PRIVATE, SESSION, RESTRICTION and USER; then what middlewares do,
    and what the site's own code writes to the session where no URL is known to lead.
    """
    found: dict[str, Finding | None] = {}
    told: set[str] = set()
    # The same view in twenty languages is looked into once.
    known: dict[tuple[int, bool], Finding | None] = {}
    for route in routes:
        key = id(route.callback), "<" in route.url
        try:
            looked = known[key] if key in known else known.setdefault(key, _look(route, told))
        except Exception as error:  # somebody else's object may do anything when it is looked at
            looked = known[key] = _not_looked_into(error, route)
        # Of two patterns for one path Django takes the first.
        found.setdefault(route.url, replace(looked, url=route.url) if looked else None)
    try:
        others = leftovers.find(routes, told)
    except Exception as error:
        others = [_not_looked_into(error)]
    return [*(one for one in found.values() if one), *others]


def _not_looked_into(error: Exception, route: Route | None = None) -> Finding:
    what = f"it could not be looked into: {error!r}"
    if route is None:
        return Finding(kinds.NOT_COVERED, f"what middlewares keep in the session: {what}")
    return Finding(kinds.NOT_COVERED, what, url=route.url, view=route.view)


def _look(route: Route, told: set[str]) -> Finding | None:
    taken = view(route.callback)
    definition = _definition(taken)
    if (name := logins.by_name(taken)) and not _has_own_code(taken):
        what = f"{name} {logins.DOES}"
        return Finding(kinds.LOGIN, what, url=route.url, view=route.view, where=definition)
    steps = list(reached(taken.steps, uses(taken)))
    kept = list(_kept(taken, steps, told))
    evidence = chain(
        _login(taken, steps), _private(route, taken, steps), kept, _lesser(route, taken, steps)
    )
    for kind, what, where in evidence:
        return Finding(kind, what, url=route.url, view=route.view, where=where or definition)
    return None


def _has_own_code(taken: View) -> bool:
    """Whether something of it was written for this site."""
    return any(not is_installed(step.file) for step in taken.steps)


def _definition(taken: View) -> str:
    """Where a view is written: its class, or the innermost function."""
    for cls in taken.layers.classes:
        if written := line_of_class(cls):
            return at(*written)
    own = [one for one in taken.layers.functions if not is_machinery(home(one))]
    for function in (*reversed(own), *taken.layers.functions[-1:]):
        if not function.__code__.co_filename.startswith("<"):
            return at(function.__code__.co_filename, function.__code__.co_firstlineno)
    return ""


def _login(taken: View, steps: list[Reached]) -> Iterator[Evidence]:
    if name := logins.by_name(taken):
        yield kinds.LOGIN, f"{name} {logins.DOES}", ""
    if form := logins.by_form(taken):
        yield kinds.LOGIN, f"its form is {form}", ""
    for item in steps:
        yield from ((kinds.LOGIN, *evidence) for evidence in logins.by_calls(item))


def _private(route: Route, taken: View, steps: list[Reached]) -> Iterator[Evidence]:
    for what, name in guards.by_decorator(taken):
        lines = (
            at(step.file, line)
            for step in taken.steps
            if (line := decorator_line(step.function, name))
        )
        yield kinds.PRIVATE, what, next(lines, "")
    for what in guards.by_mixin(taken.layers.classes):
        yield kinds.PRIVATE, what, ""
    demand = rest.demand(taken.layers, "<" in route.url)
    if demand and demand.by_session:
        yield kinds.PRIVATE, demand.what, ""
    for what, where in guards.by_call(taken):
        yield kinds.PRIVATE, what, where
    yield from (one for one in _refused(taken, steps) if one[0] == kinds.PRIVATE)
    # An API asks its permissions first.
    for item in steps if not demand and not rest.is_api(taken.layers) else ():
        scope = scope_of(item.step) if item.speaks_for_its_caller and not item.depth else None
        for call in queries(scope) if scope and not runs_seldom(item, taken) else ():
            what = f"{last_name(call.func)}() asks for rows of the user: it fails without one"
            yield kinds.PRIVATE, what, at(item.step.file, call.lineno)


def _refused(taken: View, steps: list[Reached]) -> Iterator[Evidence]:
    """Where the view's own conditions let nobody on who is not signed in."""
    for item in steps:
        scope = scope_of(item.step) if item.speaks_for_its_caller else None
        for refusal in refusals(scope, item.step.is_decorator) if scope else ():
            if not (item.is_answer or refusal.raises):
                continue
            condition, where = _short(refusal.condition), at(item.step.file, refusal.line)
            if not (refusal.on_data or runs_seldom(item, taken)):
                what = f'"if {condition}" refuses who is not signed in'
                yield kinds.PRIVATE, what, where
            elif refusal.for_members:
                what = f'"if {condition}" refuses who is not signed in, where a row says so'
                yield kinds.RESTRICTION, what, where
            else:
                what = f'"if {condition}" keeps some rows for the staff: on main nobody is'
                yield kinds.USER, what, where


def _kept(taken: View, steps: list[Reached], told: set[str]) -> Iterator[Evidence]:
    """What it writes to the session for an anonymous visitor; every place is told."""
    for item in steps:
        scope = scope_of(item.step)
        for write in writes(scope) if scope else ():
            where = at(item.step.file, write.line)
            told.add(where)
            if not runs_never(item, write.line):
                who = "the view" if not item.depth else f"{item.step.name}, which the view uses,"
                yield kinds.SESSION, f"{who} writes {write.text}", where
    if name := keeper(taken.layers.classes):
        yield kinds.SESSION, f"{name} keeps what it is told in the session", ""


def _lesser(route: Route, taken: View, steps: list[Reached]) -> Iterator[Evidence]:
    """What stops nobody."""
    refused = list(_refused(taken, steps))
    yield from (one for one in refused if one[0] == kinds.RESTRICTION)
    if demand := rest.demand(taken.layers, "<" in route.url):
        yield kinds.USER, f"{demand.what}; it need not be by a session", ""
    yield from refused
    for item in steps:
        scope = None if item.depth else scope_of(item.step)
        if scope and (line := mentions_user(scope)):
            what = "the view looks at the user: on main nobody is signed in"
            yield kinds.USER, what, at(item.step.file, line)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
