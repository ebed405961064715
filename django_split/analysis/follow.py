"""What a view calls: by name, through modules, and every method of a class that it makes."""

from __future__ import annotations

import ast
import functools
import re
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django_split.analysis.layers import Layers, methods, peel
from django_split.analysis.names import NO_KINDS, Kinds, Scope, attributes_of
from django_split.analysis.objects import UNKNOWN, Bound, Instance, is_a, member
from django_split.analysis.reading import read
from django_split.analysis.source import home, is_machinery

# Calls of calls: deeper, what is found has little to do with this view.
DEEPEST = 4
# Functions looked into for one view.
MOST = 600
# Methods of a class view that are given the request and what stands in the URL.
ANSWERS = frozenset({"delete", "dispatch", "get", "head", "options", "patch", "post", "put"})


@dataclass(frozen=True)
class Step:
    """A function that a view reaches, with what is known of its parameters and of its object."""

    function: types.FunctionType
    owner: type | None = None
    given: Kinds = NO_KINDS
    attributes: Kinds = NO_KINDS
    is_view: bool = False
    is_decorator: bool = False

    @property
    def file(self) -> str:
        return self.function.__code__.co_filename

    @property
    def name(self) -> str:
        """Dotted, as the function is written: `functools.wraps` names another one."""
        written = getattr(self.function.__code__, "co_qualname", self.function.__code__.co_name)
        return f"{home(self.function)}.{written}"


@dataclass(frozen=True, eq=False)
class Call:
    """A call, with what is called if it could be resolved. `is_answer`: its value is returned."""

    node: ast.Call
    target: Any
    is_answer: bool


@functools.cache
def scope_of(step: Step) -> Scope | None:
    """None without source, and for what is Django's own."""
    if is_machinery(home(step.function)) or read(step.function) is None:
        return None
    return Scope(step.function, step.owner, step.given, step.attributes, step.is_view)


@functools.cache
def calls_of(step: Step) -> tuple[Call, ...]:
    scope = scope_of(step)
    if scope is None:
        return ()
    answers = set(_answers(scope))
    return tuple(
        Call(node, scope.resolve(node.func), id(node) in answers) for node in scope.reading.calls
    )


def _answers(scope: Scope) -> Iterator[int]:
    """The calls whose value a function returns, by the node's id."""
    for value in scope.reading.returns:
        named = scope.reading.values.get(value.id, []) if isinstance(value, ast.Name) else [value]
        yield from (id(one.value if isinstance(one, ast.Await) else one) for one in named if one)


@dataclass(frozen=True)
class View:
    """A callback, taken apart. `steps` are its own functions and its classes' methods."""

    layers: Layers
    steps: tuple[Step, ...]


def view(callback: Any) -> View:
    layers = peel(callback)
    owners = [type(instance) for instance in layers.instances]
    owners += [thing for thing in layers.given if is_a(thing, type)]
    steps = [_own_step(function, owners) for function in layers.functions]
    steps += [Step(function, is_decorator=True) for function in layers.decorators]
    verbs = frozenset(layers.actions.values()) if layers.actions is not None else None
    for cls in layers.classes:
        steps += steps_of(cls, verbs)
    return View(layers, tuple(dict.fromkeys(steps)))


# Attributes of a class view by which Django and REST framework make what they need.
USED = re.compile(r"(\w+_)?(class|form|serializer|filterset)\Z")


def uses(taken: View) -> list[type]:
    """The classes that a class view is set up with, or that its methods choose among."""
    found: list[Any] = [*taken.layers.given]
    for cls in taken.layers.classes:
        names = {name for base in cls.__mro__ for name in base.__dict__ if USED.match(name)}
        found += [member(cls, name) for name in names]
        for step in taken.steps:
            if step.function.__name__.endswith("_class") and (scope := scope_of(step)):
                found += [scope.resolve(answer) for answer in scope.reading.returns]
    classes: list[type] = [thing for thing in found if is_a(thing, type)]
    return list(dict.fromkeys(classes))


def _own_step(function: types.FunctionType, owners: list[type]) -> Step:
    """A bound method is one of its object's, and that may serve several URLs."""
    for owner in owners:
        for base in owner.__mro__:
            written = base.__dict__.get(function.__name__)
            if written is not None and function in peel(written).functions:
                return Step(function, owner, attributes=attributes_of(owner), is_view=True)
    return Step(function, is_view=True)


@functools.cache
def steps_of(
    cls: type, actions: frozenset[str] | None = None, given: Kinds = NO_KINDS
) -> tuple[Step, ...]:
    """Every method of a class, with what decorates it.

    `actions` are those that a REST framework route calls, `given` what `__init__` is given.
    """
    steps = []
    attributes = attributes_of(cls, given)
    for (name, _), written in methods(cls, actions).items():
        layers = peel(written)
        known = given if name == "__init__" else NO_KINDS
        answers = name in ANSWERS or name in (actions or ())
        steps += [Step(one, cls, known, attributes, answers) for one in layers.functions]
        steps += [Step(one, is_decorator=True) for one in layers.decorators]
    return tuple(steps)


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
        for step, is_answer, is_made in _next(item.step):
            if step not in seen:
                seen.add(step)
                answers, made_ = item.is_answer and is_answer, item.is_made or is_made
                queue.append(Reached(step, item.depth + 1, answers, made_))


@functools.cache
def _next(step: Step) -> tuple[tuple[Step, bool, bool], ...]:
    found: dict[Step, tuple[bool, bool]] = {}
    for call in calls_of(step):
        for called, is_made in _called(step, call):
            found.setdefault(called, (call.is_answer, is_made))
    return tuple((called, *how) for called, how in found.items())


def _called(step: Step, call: Call) -> Iterator[tuple[Step, bool]]:
    target, owner = call.target, None
    if is_a(target, Bound):
        owner, target = target.owner, target.method
    if is_a(target, type):
        yield from ((made, True) for made in _made(target, _given(step, call, target)))
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
    made: tuple[Step, ...] = steps_of(cls, None, given)
    return made


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
