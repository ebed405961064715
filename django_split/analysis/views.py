"""Public URLs whose view needs a session, or a user that on main is never there."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django_split import findings as kinds
from django_split.analysis import guards, leftovers, logins, rest
from django_split.analysis.anatomy import View, scope_of, uses, view
from django_split.analysis.evidence import at, place
from django_split.analysis.follow import Reached, reached
from django_split.analysis.keeps import keeper, writes
from django_split.analysis.refusals import mentions_user, refusals
from django_split.analysis.routes import Route
from django_split.analysis.source import decorator_line, home, is_installed, is_machinery
from django_split.findings import Finding

logger = logging.getLogger(__name__)

# As much of a condition is shown.
SHOWN = 70

Evidence = tuple[str, str, str]  # kind, what, where


def find(routes: list[Route]) -> list[Finding]:
    """One finding for each URL whose view needs what main does not have:

    the strongest only, of LOGIN, PRIVATE, SESSION and USER; then what the site's own code writes to
    the session by a path that no URL is known for.
    """
    found: dict[str, Finding | None] = {}
    told: set[str] = set()
    for route in routes:
        try:
            looked = _look(route, told)
        except Exception as error:  # somebody else's object may do anything when it is looked at
            logger.warning("%s (%s) could not be looked into: %r", route.url, route.view, error)
            continue
        # Of two patterns for one path Django takes the first.
        found.setdefault(route.url, looked)
    return [*(one for one in found.values() if one), *leftovers.find(routes, told)]


def _look(route: Route, told: set[str]) -> Finding | None:
    taken = view(route.callback)
    definition = _definition(taken)
    if (name := logins.by_name(taken)) and not _has_own_code(taken):
        what = f"{name} {logins.DOES}"
        return Finding(kinds.LOGIN, what, url=route.url, view=route.view, where=definition)
    steps = list(reached(taken.steps, uses(taken)))
    kept = list(_kept(taken, steps))
    told.update(where for _, _, where in kept)
    for kind, what, where in (*_login(taken, steps), *_private(route, taken, steps), *kept):
        return Finding(kind, what, url=route.url, view=route.view, where=where or definition)
    for what, where in _shows_user(route, taken, steps):
        what = f"{what}: on main nobody is signed in"
        return Finding(kinds.USER, what, url=route.url, view=route.view, where=where or definition)
    return None


def _has_own_code(taken: View) -> bool:
    """Whether something of it was written for this site."""
    return any(not is_installed(step.file) for step in taken.steps)


def _definition(taken: View) -> str:
    """Where a view is written: its class, or the innermost function."""
    own = [one for one in taken.layers.functions if not is_machinery(home(one))]
    for thing in (*taken.layers.classes, *reversed(own), *taken.layers.functions[-1:]):
        if written := place(thing):
            return written
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
    for item in steps:
        scope = scope_of(item.step) if item.speaks_for_its_caller else None
        for refusal in refusals(scope, item.step.is_decorator) if scope else ():
            if refusal.demands and (item.is_answer or refusal.raises):
                what = f'"if {_short(refusal.condition)}" refuses who is not signed in'
                yield kinds.PRIVATE, what, at(item.step.file, refusal.line)


def _kept(taken: View, steps: list[Reached]) -> Iterator[Evidence]:
    for item in steps:
        scope = scope_of(item.step)
        for write in writes(scope) if scope else ():
            who = "the view" if not item.depth else f"{item.step.name}, which the view uses,"
            yield kinds.SESSION, f"{who} writes {write.text}", at(item.step.file, write.line)
    if name := keeper(taken.layers.classes):
        yield kinds.SESSION, f"{name} keeps what it is told in the session", ""


def _shows_user(route: Route, taken: View, steps: list[Reached]) -> Iterator[tuple[str, str]]:
    demand = rest.demand(taken.layers, "<" in route.url)
    if demand:
        yield demand.what, ""
    own = [item.step for item in steps if not item.depth]
    for step in own:
        scope = scope_of(step)
        for refusal in refusals(scope, step.is_decorator) if scope else ():
            what = f'"if {_short(refusal.condition)}" keeps something for the staff'
            yield what, at(step.file, refusal.line)
    for step in own:
        scope = scope_of(step)
        if scope and (line := mentions_user(scope)):
            yield "the view looks at the user", at(step.file, line)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
