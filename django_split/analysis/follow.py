"""What a view calls: by name, through modules, and every method of a class that it makes."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django_split.analysis import namesakes
from django_split.analysis.anatomy import Call, Step, calls_of, scope_of, steps_of
from django_split.analysis.layers import peel
from django_split.analysis.names import NO_KINDS, Kinds, attributes_of
from django_split.analysis.objects import UNKNOWN, Bound, Instance, is_a
from django_split.analysis.source import home, is_machinery

# Calls of calls: deeper, what is found has little to do with this view.
DEEPEST = 4
REFUSES_WITHIN = 2
# Functions looked into for one view.
MOST = 600


@dataclass(frozen=True)
class Reached:
    """A step, with how it was reached.

    `is_answer`: what it returns is the view's answer. `is_made`: it is a method of an object that
    the view makes, and may not run.
    """

    step: Step
    depth: int = 0
    is_answer: bool = True
    is_made: bool = False
    caller: Reached | None = None
    call: ast.Call | None = None

    @property
    def speaks_for_its_caller(self) -> bool:
        """Whether it surely runs, and near enough to refuse somebody in the view's name."""
        return not self.is_made and self.depth <= REFUSES_WITHIN


def reached(steps: Iterable[Step], made: Iterable[type] = ()) -> Iterator[Reached]:
    """A view's own steps and, breadth first, what they call. `made`: classes that it uses."""
    queue = [Reached(step) for step in steps]
    queue += [Reached(step, 1, False, True) for cls in made for step in _made(cls)]
    seen = {item.step for item in queue}
    for _ in range(MOST):
        if not queue:
            return
        item = queue.pop(0)
        yield item
        if item.depth == DEEPEST:
            continue
        for step, call, is_made in _next(item.step):
            if step not in seen:
                seen.add(step)
                answers, may_not_run = item.is_answer and call.is_answer, item.is_made or is_made
                depth = item.depth + 1
                queue.append(Reached(step, depth, answers, may_not_run, item, call.node))


@functools.cache
def _next(step: Step) -> tuple[tuple[Step, Call, bool], ...]:
    found: dict[Step, tuple[Call, bool]] = {}
    for call in calls_of(step):
        for called, is_made in _called(step, call):
            found.setdefault(called, (call, is_made))
    return tuple((called, *how) for called, how in found.items())


def _called(step: Step, call: Call) -> Iterator[tuple[Step, bool]]:
    target, owner = call.target, None
    if is_a(target, Bound):
        owner, target = target.owner, target.method
    if is_a(target, type):
        yield from ((made, True) for made in _made(target, _given(step, call, target)))
    scope = scope_of(step)
    if target is UNKNOWN and scope:
        yield from ((namesake, False) for namesake in namesakes.of(scope, call.node))
    if is_a(target, type, Instance) or target is UNKNOWN:
        return
    if owner and is_machinery(owner.__module__):
        return
    if is_a(target, classmethod) and owner:
        yield from ((made, True) for made in _made(owner))
    for function in peel(target).functions:
        if not is_machinery(home(function)):
            known = _matched(step, call, function, bool(owner))
            attributes = attributes_of(owner) if owner else NO_KINDS
            yield Step(function, owner, known, attributes), False


def _made(cls: type, given: Kinds = NO_KINDS) -> tuple[Step, ...]:
    """The methods of a class that is instantiated. A model's row is no part of a request."""
    modules = {base.__module__ for base in cls.__mro__}
    if is_machinery(cls.__module__) or "django.db.models.base" in modules:
        return ()
    if issubclass(cls, BaseException):
        return ()
    return steps_of(cls, None, given)


def _given(step: Step, call: Call, cls: type) -> Kinds:
    for base in cls.__mro__:
        made: Any = base.__dict__.get("__init__")
        if is_a(made, types.FunctionType):
            return _matched(step, call, made, True)
    return NO_KINDS


def _matched(step: Step, call: Call, function: types.FunctionType, bound: bool) -> Kinds:
    """Which of a function's parameters are given the request, the user or the session."""
    scope = scope_of(step)
    if scope is None:
        return NO_KINDS
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    pairs = list(zip(names[1:] if bound else names, call.node.args, strict=False))
    pairs += [(word.arg, word.value) for word in call.node.keywords if word.arg]
    return frozenset((name, kind) for name, value in pairs if (kind := scope.kind(value)))
