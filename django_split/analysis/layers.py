"""What a callback is made of: decorators, partials, closures, and the view inside them all."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django_split.analysis.objects import cells, is_a, own_vars, static
from django_split.analysis.source import home, is_machinery

# More is not a decorated view any more, it is somebody's object graph.
LIMIT = 200


@dataclass
class Layers:
    """Outermost first.

    `decorators` are functions that a `method_decorator` applies at each request; `given` is what
    partials and `as_view()` were given by the URLconf.
    """

    functions: list[types.FunctionType] = field(default_factory=list)
    classes: list[type] = field(default_factory=list)
    instances: list[Any] = field(default_factory=list)
    decorators: list[types.FunctionType] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)  # of django-ninja
    actions: dict[str, str] | None = None  # verb -> method, of a REST framework viewset's route
    initkwargs: dict[str, Any] = field(default_factory=dict)


def peel(callback: Any) -> Layers:
    """Everything that a callback is made of."""
    layers = Layers()
    seen: set[int] = set()
    kept = []  # an id stays taken only while its object lives
    queue = [callback]
    while queue and len(seen) < LIMIT:
        thing = queue.pop(0)
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        kept.append(thing)
        queue.extend(_beneath(thing, layers))
    return layers


def _beneath(thing: Any, layers: Layers) -> Iterator[Any]:
    if is_a(thing, types.FunctionType):
        layers.functions.append(thing)
        yield from _of_function(thing, layers)
    elif is_a(thing, functools.partial):
        yield thing.func
        for value in (*thing.args, *thing.keywords.values()):
            layers.given.append(value)
            if is_a(value, types.FunctionType, types.MethodType, functools.partial):
                yield value
    elif is_a(thing, functools.partialmethod):
        yield thing.func
    elif is_a(thing, types.MethodType):
        owner = thing.__self__
        if is_a(owner, type):
            layers.given.append(owner)
        else:
            layers.instances.append(owner)
            yield from _operations(owner, layers)
        yield thing.__func__
    elif is_a(thing, staticmethod, classmethod):
        yield thing.__func__
    elif is_a(thing, property):
        yield from (accessor for accessor in (thing.fget, thing.fset) if accessor)
    elif is_a(thing, functools.cached_property) or type(thing).__name__ == "cached_property":
        yield own_vars(thing).get("func")
    elif is_a(thing, type):
        layers.classes.append(thing)
    elif thing is not None and callable(thing):
        yield from _of_instance(thing, layers)


def _of_function(function: types.FunctionType, layers: Layers) -> Iterator[Any]:
    known = function.__dict__
    # `view_class` and `view_initkwargs` are Django's own for as_view(), the others REST
    # framework's. A decorator that copies `__dict__` shows them too: they are the same.
    for name in ("view_class", "cls"):
        if is_a(known.get(name), type):
            yield known[name]
    for name in ("view_initkwargs", "initkwargs"):
        if is_a(known.get(name), dict):
            layers.initkwargs.update(known[name])
            layers.given.extend(known[name].values())
    if is_a(known.get("actions"), dict):
        layers.actions = dict(known["actions"])
    yield known.get("__wrapped__")
    applied = home(function) == "django.utils.decorators"
    for name, content in cells(function).items():
        if applied and name in ("decorator", "decorators"):
            several = content if is_a(content, list, tuple) else [content]
            for decorator in several:
                layers.decorators.extend(peel(decorator).functions)
        elif _is_code(content):
            yield content
        elif is_a(content, type) and not is_machinery(home(function)):
            layers.given.append(content)
        else:
            yield from _operations(content, layers)


def _operations(thing: Any, layers: Layers) -> Iterator[Any]:
    """The views of one URL, each for its own methods, as django-ninja keeps them."""
    held: Any = own_vars(thing).get("operations")
    for operation in held if is_a(held, list, tuple) else ():
        layers.operations.append(operation)
        yield own_vars(operation).get("view_func")


def _of_instance(thing: Any, layers: Layers) -> Iterator[Any]:
    """An object that is called: a feed, a decorator that is a class, an adapter to async."""
    if is_a(thing, types.BuiltinFunctionType, types.MethodWrapperType):
        return
    layers.instances.append(thing)
    call = static(type(thing), "__call__")
    if is_a(call, types.FunctionType):
        yield call
    for value in own_vars(thing).values():
        if _is_code(value):
            yield value


def _is_code(thing: Any) -> bool:
    """Something that a wrapper calls. A class is not: it is not known what becomes of it."""
    if is_a(thing, types.FunctionType, types.MethodType, functools.partial):
        return True
    call = static(type(thing), "__call__")
    return (
        not is_a(thing, type)
        and is_a(call, types.FunctionType)
        and (not is_machinery(home(call)) or "__wrapped__" in own_vars(thing))
    )


def methods(
    cls: type, actions: frozenset[str] | None = None
) -> dict[tuple[str, type], Callable[..., Any]]:
    """What may run of a class: by name and defining class, with what `super()` goes on to.

    `actions` are the methods that a REST framework route calls: its other routes' are left out.
    """
    found: dict[tuple[str, type], Any] = {}
    names = dict.fromkeys(name for base in cls.__mro__ for name in base.__dict__)
    for name in names:
        if name.startswith("__") and name not in ("__init__", "__call__"):
            continue
        for base in cls.__mro__:
            if name not in base.__dict__:
                continue
            written = base.__dict__[name]
            functions = peel(written).functions if _runs(written) else []
            if actions is not None and name not in actions and _is_action(name, functions):
                break
            if functions:
                found[name, base] = written
            if not any(_goes_on(function, name) for function in functions):
                break
    return found


def _runs(thing: Any) -> bool:
    return (
        is_a(thing, types.FunctionType, staticmethod, classmethod, property)
        or is_a(thing, functools.partialmethod, functools.cached_property)
        or type(thing).__name__ == "cached_property"
    )


ACTIONS = frozenset({"list", "create", "retrieve", "update", "partial_update", "destroy"})


def _is_action(name: str, functions: list[types.FunctionType]) -> bool:
    return name in ACTIONS or any("mapping" in function.__dict__ for function in functions)


def _goes_on(function: types.FunctionType, name: str) -> bool:
    """Whether a method calls the one that it overrides."""
    code = function.__code__
    return "super" in code.co_names and name in code.co_names
