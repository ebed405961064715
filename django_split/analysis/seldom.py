"""Whether a function of a view runs for every visitor, or where some row says so."""

from __future__ import annotations

from collections.abc import Iterator

from django_split.analysis.anatomy import Call, Step, View, calls_of, scope_of
from django_split.analysis.follow import Reached
from django_split.analysis.layers import peel
from django_split.analysis.objects import Bound, is_a
from django_split.analysis.refusals import is_never, is_seldom
from django_split.analysis.source import is_machinery

# Methods that call methods.
DEEPEST = 3


def runs_seldom(item: Reached, taken: View) -> bool:
    """Whether a call on the way to it is made for some rows only, or not for anonymous visitors."""
    while item.caller is not None and item.call is not None:
        scope = scope_of(item.caller.step)
        if scope and is_seldom(scope, item.call):
            return True
        item = item.caller
    return _method_runs_seldom(item.step, taken, 0)


def runs_never(item: Reached, line: int) -> bool:
    """Whether a line of it runs only for those who are signed in: on main that is nobody."""
    step: Reached | None = item
    while step is not None:
        scope = scope_of(step.step)
        if scope and is_never(scope, line):
            return True
        line = step.call.lineno if step.call else 0
        step = step.caller
    return False


def _method_runs_seldom(step: Step, taken: View, depth: int) -> bool:
    """The same of a view's method: Django calls it, or only other methods do."""
    if step.owner is None or depth > DEEPEST or _is_known_to_django(step):
        return False
    called = list(_callers(step, taken))
    return bool(called) and all(
        bool((scope := scope_of(caller)) and is_seldom(scope, call.node))
        or _method_runs_seldom(caller, taken, depth + 1)
        for caller, call in called
    )


def _is_known_to_django(step: Step) -> bool:
    name = step.function.__name__
    bases = step.owner.__mro__ if step.owner else ()
    verbs = {verb for base in bases for verb in getattr(base, "http_method_names", ())}
    inherited = any(name in base.__dict__ for base in bases if is_machinery(base.__module__))
    return inherited or name in verbs or name.startswith("__")


def _callers(step: Step, taken: View) -> Iterator[tuple[Step, Call]]:
    for caller in taken.steps:
        if caller.owner is not step.owner or caller.function is step.function:
            continue
        for call in calls_of(caller):
            target = call.target.method if is_a(call.target, Bound) else None
            if target is not None and step.function in peel(target).functions:
                yield caller, call
