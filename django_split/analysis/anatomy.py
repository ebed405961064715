"""A view taken apart: its functions, the methods of its classes, and the calls in each."""

from __future__ import annotations

import ast
import functools
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django_split.analysis.layers import Layers, methods, peel
from django_split.analysis.names import NO_KINDS, Kinds, Scope, attributes_of
from django_split.analysis.objects import is_a, member
from django_split.analysis.reading import read
from django_split.analysis.source import home, is_machinery, qualname

# Methods of a class view that are given the request and what stands in the URL.
ANSWERS = frozenset({"delete", "dispatch", "get", "head", "options", "patch", "post", "put"})
# Attributes of a class view by which Django and REST framework make what they need.
USED = re.compile(r"(\w+_)?(class|form|serializer|filterset)\Z")


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
        return f"{home(self.function)}.{qualname(self.function)}"


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


def uses(taken: View) -> list[type]:
    """The classes that a class view is set up with, or that its methods choose among."""
    found: list[Any] = [*taken.layers.given]
    for cls in taken.layers.classes:
        names = {name for base in cls.__mro__ for name in base.__dict__ if USED.match(name)}
        found += [member(cls, name) for name in names]
        for step in taken.steps:
            if step.function.__name__.endswith("_class") and (scope := scope_of(step)):
                found += [scope.resolve(answer) for answer in scope.reading.returns]
    own = taken.layers.classes
    classes: list[type] = [thing for thing in found if is_a(thing, type) and thing not in own]
    return list(dict.fromkeys(classes))


def _own_step(function: types.FunctionType, owners: list[type]) -> Step:
    """A bound method is one of its object's, and that may serve several URLs."""
    for owner in owners:
        for base in owner.__mro__:
            written = base.__dict__.get(function.__name__)
            if written is not None and function in peel(written).functions:
                return Step(function, owner, attributes=attributes_of(owner), is_view=True)
    return Step(function, is_view=True)


def steps_of(
    cls: type, actions: frozenset[str] | None = None, given: Kinds = NO_KINDS
) -> tuple[Step, ...]:
    """Every method of a class, with what decorates it.

    `actions` are those that a REST framework route calls, `given` what `__init__` is given.
    """
    return _steps_of(cls, actions, given)


@functools.cache
def _steps_of(cls: Any, actions: frozenset[str] | None, given: Kinds) -> tuple[Step, ...]:
    steps = []
    attributes = attributes_of(cls, given)
    for (name, _), written in methods(cls, actions).items():
        layers = peel(written)
        known = given if name == "__init__" else NO_KINDS
        answers = name in ANSWERS or name in (actions or ())
        steps += [Step(one, cls, known, attributes, answers) for one in layers.functions]
        steps += [Step(one, is_decorator=True) for one in layers.decorators]
    return tuple(steps)
