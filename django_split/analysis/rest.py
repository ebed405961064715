"""Whether a view of an API demands a user, and whether that user comes by a session."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django_split.analysis.layers import Layers
from django_split.analysis.names import REQUEST, Scope
from django_split.analysis.objects import UNKNOWN, Bound, is_a, member, own_vars
from django_split.analysis.source import is_machinery, node_of
from django_split.analysis.truth import returned
from django_split.analysis.visitor import SAFE_METHODS, Visitor

# REST framework's own permissions, by the class that defines `has_permission`: what they demand a
# user for. Scopes of a token, and what else is not here, is read from its source.
ALWAYS = frozenset({"IsAuthenticated", "IsAdminUser", "DjangoModelPermissions"})
TO_WRITE = frozenset({"IsAuthenticatedOrReadOnly"})
READ_AND_WRITE = ("GET", "POST")


@dataclass(frozen=True)
class Demand:
    """What demands a user; `by_session` says that it is one of a session."""

    what: str
    by_session: bool


def demand(layers: Layers, is_detail: bool) -> Demand | None:
    """What of a view demands a user, if anything does.

    `is_detail`: the URL names an object, whose permissions are asked too.
    """
    for operation in layers.operations:
        if demanded := _of_operation(operation):
            return demanded
    for cls in layers.classes:
        if "rest_framework.views" not in _modules(cls):
            continue
        permissions, are_certain = _permissions(cls, layers)
        writes = _writes(cls, layers)
        for permission in permissions:
            reads, changes = (demands(permission, m, is_detail) for m in READ_AND_WRITE)
            name = getattr(permission, "__name__", "permission_classes")
            if changes and (reads or writes) and (are_certain or writes):
                what = f"{name} demands a user" if reads else f"{name}: its writes demand a user"
                return Demand(f"{what}{_how(cls, layers)}", _by_session(cls, layers))
    return None


def is_api(layers: Layers) -> bool:
    """Whether it is a view of REST framework or django-ninja."""
    apis = any("rest_framework.views" in _modules(cls) for cls in layers.classes)
    return apis or bool(layers.operations)


def _of_operation(operation: Any) -> Demand | None:
    """What django-ninja asks of a visitor: one of its callbacks must know who that is."""
    asked = own_vars(operation).get("auth_callbacks") or ()
    sessions = [one for one in asked if "ninja.security.session" in _modules(type(one))]
    if not sessions:
        return None
    names = " or ".join(type(one).__name__ for one in asked)
    return Demand(f"{names} must know the user", len(sessions) == len(asked))


def _modules(cls: type) -> set[str]:
    return {base.__module__ for base in cls.__mro__}


def _permissions(cls: type, layers: Layers) -> tuple[list[Any], bool]:
    """The permissions that are asked, all of them; and whether they are for every request."""
    chosen = _chosen(cls, "get_permissions")
    if chosen:
        open_ = any(not demands(one, "GET", False) for one in chosen)
        return chosen, not open_
    return _listed(cls, layers, "permission_classes"), True


def _listed(cls: type, layers: Layers, name: str) -> list[Any]:
    found = layers.initkwargs.get(name, inspect.getattr_static(cls, name, ()))
    return list(found) if is_a(found, list, tuple) else []


def _chosen(cls: type, name: str) -> list[type]:
    """The classes that a `get_permissions` of the site's own names."""
    found = member(cls, name)
    function = found.method if is_a(found, Bound) else None
    if not inspect.isfunction(function) or is_machinery(function.__module__):
        return []
    if node_of(function) is None:
        return []
    scope = Scope(function, cls)
    named = [
        scope.resolve(node)
        for node in scope.reading.body
        if isinstance(node, ast.Name | ast.Attribute)
    ]
    return [thing for thing in named if is_a(thing, type) and hasattr(thing, "has_permission")]


def _writes(cls: type, layers: Layers) -> bool:
    """Whether the view answers to anything but reading."""
    answered: list[str] = getattr(cls, "http_method_names", [])
    verbs = layers.actions or [name for name in answered if hasattr(cls, name)]
    return any(verb.upper() not in SAFE_METHODS for verb in verbs)


def _by_session(cls: type, layers: Layers) -> bool:
    """Whether a session is the way to be known there, at most beside a password in a header."""
    names = [set(_names(one)) for one in _listed(cls, layers, "authentication_classes")]
    sessions = [known for known in names if "SessionAuthentication" in known]
    others = [known for known in names if not known & {"SessionAuthentication"}]
    return bool(sessions) and all("BasicAuthentication" in known for known in others)


def _how(cls: type, layers: Layers) -> str:
    named = [
        getattr(one, "__name__", "?") for one in _listed(cls, layers, "authentication_classes")
    ]
    return f", who is known by {' or '.join(named)}" if named else ""


def _names(cls: Any) -> Iterator[str]:
    yield from (base.__name__ for base in getattr(cls, "__mro__", ()))


def demands(permission: Any, method: str, is_detail: bool) -> bool:
    """Whether a permission, or several joined with `&` and `|`, lets only somebody known in."""
    parts = [getattr(permission, name, None) for name in ("op1_class", "op2_class")]
    if all(parts):
        either = [demands(part, method, is_detail) for part in parts]
        operator = getattr(permission.operator_class, "__name__", "")
        return any(either) if operator == "AND" else operator == "OR" and all(either)
    if not is_a(permission, type):
        return False
    asked = ["has_permission", *(["has_object_permission"] if is_detail else [])]
    return any(_demands(permission, name, method) for name in asked)


def _demands(permission: type, name: str, method: str) -> bool:
    for base in permission.__mro__:
        if name not in base.__dict__:
            continue
        if base.__module__ == "rest_framework.permissions":
            if name != "has_permission":
                return False
            names = set(_names(permission))
            if base.__name__ in TO_WRITE or "DjangoModelPermissionsOrAnonReadOnly" in names:
                return method not in SAFE_METHODS
            return base.__name__ in ALWAYS
        break
    asked = member(permission, name)
    if asked is UNKNOWN:
        return False
    known = [REQUEST]
    refused = returned(asked, Visitor.ANONYMOUS, method, known) == {False}
    # One that lets nobody in, or asks for a key in a header, asks nothing of a user.
    return refused and returned(asked, Visitor.STAFF, method, known) != {False}
