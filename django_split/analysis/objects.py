"""Python's objects, looked at without running anything:

no import, no property, no `__getattr__`, no lazy object woken.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from dataclasses import dataclass
from typing import Any

UNKNOWN = object()


@dataclass(frozen=True)
class Instance:
    """An object of which only the class is known."""

    cls: type
    beyond: type | None = None  # `super()`: what stands after this class


@dataclass(frozen=True)
class Bound:
    """A method with the class that it was looked up on."""

    method: Any
    owner: type


def is_a(thing: Any, *kinds: type) -> bool:
    """`isinstance`, but a lazy object is not woken: it may ask the database who it is."""
    return issubclass(type(thing), kinds)


def own_vars(thing: Any) -> dict[str, Any]:
    """An object's `__dict__`, past any `__getattr__`; empty where it has none."""
    try:
        found = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    return dict(found) if is_a(found, dict, types.MappingProxyType) else {}


def static(cls: type, name: str) -> Any:
    """A class's attribute as it was written, or None."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def member(thing: Any, name: str) -> Any:
    """An attribute: an object, a Bound or UNKNOWN."""
    if thing is UNKNOWN or is_a(thing, Bound):
        return UNKNOWN
    if is_a(thing, types.ModuleType):
        inside = vars(thing)
        return inside.get(name, sys.modules.get(f"{inside.get('__name__')}.{name}", UNKNOWN))
    owner = thing.cls if is_a(thing, Instance) else thing if is_a(thing, type) else type(thing)
    bases = owner.__mro__
    if is_a(thing, Instance) and thing.beyond in bases:
        bases = bases[bases.index(thing.beyond) + 1 :]
    for base in bases:
        if name in base.__dict__:
            return _bind(base.__dict__[name], owner)
    return UNKNOWN if is_a(thing, Instance, type) else own_vars(thing).get(name, UNKNOWN)


def _bind(found: Any, owner: type) -> Any:
    if is_a(found, types.FunctionType, staticmethod, classmethod, functools.partialmethod):
        return Bound(found, owner)
    if is_a(found, property, functools.cached_property):
        return UNKNOWN
    if type(found).__name__ == "ManagerDescriptor":
        return own_vars(found).get("manager", UNKNOWN)
    return UNKNOWN if inspect.ismethoddescriptor(found) else found


def loaded(dotted: str) -> Any:
    """An object by its dotted name, if its module is loaded: nothing is imported for a look."""
    if dotted in sys.modules:
        return sys.modules[dotted]
    module, _, name = dotted.rpartition(".")
    return member(sys.modules[module], name) if module in sys.modules else UNKNOWN


def cells(function: types.FunctionType) -> dict[str, Any]:
    """What a function closes over, by name."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # not filled yet
    return found
