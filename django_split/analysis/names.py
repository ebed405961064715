"""What the names in a function mean: the request, its user, its session, or an object."""

from __future__ import annotations

import ast
import functools
import re
import types
from dataclasses import dataclass
from typing import Any

from django_split.analysis.layers import methods, peel
from django_split.analysis.objects import UNKNOWN, Instance, cells, is_a, loaded, member
from django_split.analysis.reading import Reading, read
from django_split.analysis.source import home, is_machinery, last_name

REQUEST = "request"
USER = "user"
SESSION = "session"

# Not every name that ends so: a friend_request is a row.
IS_REQUEST = re.compile(r"_*((http|wsgi|django|drf|current|original|real|raw)_)?req(uest)?\Z")
GETS_A_REQUEST = re.compile(r"get_(\w+_)?request\Z")
GETS_A_USER = re.compile(r"get_(\w+_)?user(_from_\w+)?\Z|a?user\Z")
# Without one of these in it a function has no request, user or session.
WORDS = frozenset({"request", "req", "_request", "user", "session", "info"})

# A name that stands for a name that stands for a name.
DEEPEST = 8

Kinds = frozenset[tuple[str, str]]  # name -> kind, as a set to be hashed
NO_KINDS: Kinds = frozenset()


@dataclass(eq=False)  # each is itself: what is found in one is kept by it
class Scope:
    """A live function with the syntax tree it was made of.

    `owner` is the class whose method it is; `given` says which parameters are known to be the
    request, the user or the session, `attributes` the same of `self`'s. `is_view` says that a
    request is its first argument, and that its other arguments come from a URL.
    """

    function: types.FunctionType
    owner: type | None = None
    given: Kinds = NO_KINDS
    attributes: Kinds = NO_KINDS
    is_view: bool = False

    def __post_init__(self) -> None:
        reading = read(self.function)
        if reading is None:
            raise ValueError(f"no source for {self.function!r}")
        self.reading: Reading = reading
        self.node = reading.node
        self.parameters = reading.parameters
        first = self.parameters[0] if self.owner and self.parameters else ""
        self.this = "" if IS_REQUEST.match(first) else first
        self.free = cells(self.function)
        self._kinds: dict[str, str] = dict(self.given)
        for name in (*self.parameters, *reading.inner_parameters):
            if name != self.this and (kind := self._kind_of_parameter(name)):
                self._kinds.setdefault(name, kind)
        self.has_kinds = bool(self._kinds or self.attributes or reading.words & WORDS)
        if self.has_kinds:
            self._follow_names()

    def _kind_of_parameter(self, name: str) -> str:
        first = [known for known in self.parameters if known != self.this][:1]
        if IS_REQUEST.match(name) or (self.is_view and not self.owner and [name] == first):
            return REQUEST
        # A view's own `user` is a word from the URL.
        return USER if name == "user" and not (self.is_view and name in self.parameters) else ""

    def _follow_names(self) -> None:
        """What a name is set to says what it is; names may stand for names."""
        before = -1
        while before != len(self._kinds):
            before = len(self._kinds)
            for name, values in self.reading.values.items():
                found = {self.kind(value) if value else "" for value in values}
                if len(found) == 1 and (kind := found.pop()):
                    self._kinds.setdefault(name, kind)

    def kind(self, node: ast.AST) -> str:
        """REQUEST, USER or SESSION, or nothing."""
        if not self.has_kinds:
            return ""
        match node:
            case ast.Name(id=name):
                return self._kinds.get(name, "")
            case ast.Attribute(value=value, attr=attr):
                return self._kind_of_attribute(value, attr)
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.kind(value)
            case ast.Subscript(slice=ast.Constant(value=str(key))):
                return key if key in (REQUEST, USER) else ""
            case ast.BoolOp(values=[first, *_]):
                return self.kind(first)
            case ast.Call(func=function, args=arguments):
                return self._kind_of_call(function, arguments)
        return ""

    def _kind_of_attribute(self, value: ast.expr, attr: str) -> str:
        if IS_REQUEST.match(attr):
            return REQUEST
        if attr in (USER, "auser", SESSION) and self.kind(value) == REQUEST:
            return SESSION if attr == SESSION else USER
        if self.this and isinstance(value, ast.Name) and value.id == self.this:
            return dict(self.attributes).get(attr, "")
        return REQUEST if attr == "context" and last_name(value) == "info" else ""

    def _kind_of_call(self, function: ast.expr, arguments: list[ast.expr]) -> str:
        name = last_name(function)
        if self.kind(function) == USER:  # request.auser()
            return USER
        if GETS_A_REQUEST.match(name):
            return REQUEST
        if GETS_A_USER.match(name) and any(self.kind(a) == REQUEST for a in arguments):
            return USER
        if name == "getattr" and len(arguments) > 1 and isinstance(arguments[1], ast.Constant):
            return self._kind_of_attribute(arguments[0], str(arguments[1].value))
        if name in ("get", "pop") and arguments and isinstance(arguments[0], ast.Constant):
            # kwargs.pop("request"), self.context.get("request")
            key, where = arguments[0].value, last_name(getattr(function, "value", function))
            return str(key) if where in ("kwargs", "context") and key in (REQUEST, USER) else ""
        return ""

    def value(self, name: str) -> ast.expr | None:
        """What a local name stands for, if it stands for one expression only."""
        values = self.reading.values.get(name, [])
        return values[0] if len(values) == 1 and name not in self.parameters else None

    def resolve(self, node: ast.AST, depth: int = 0) -> Any:
        """The object that an expression stands for, an Instance or a Bound of it, or UNKNOWN."""
        if depth > DEEPEST:
            return UNKNOWN
        match node:
            case ast.Name(id=name):
                return self._resolve_name(name, depth)
            case ast.Attribute(value=value, attr=attr):
                return member(self.resolve(value, depth + 1), attr)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.resolve(value, depth + 1)
            case ast.Call(func=ast.Name(id="super")) if self.owner:
                beyond = self.free.get("__class__", self.owner)
                return Instance(self.owner, beyond if is_a(beyond, type) else self.owner)
            case ast.Call(func=function):
                made = self.resolve(function, depth + 1)
                return Instance(made) if is_a(made, type) else UNKNOWN
        return UNKNOWN

    def _resolve_name(self, name: str, depth: int) -> Any:
        if name == self.this and self.owner:
            return self.owner if name in ("cls", "klass") else Instance(self.owner)
        if name in self.reading.imports:
            return loaded(self.reading.imports[name])
        if name in self.parameters:
            return UNKNOWN
        if name in self.reading.values:
            value = self.value(name)
            return self.resolve(value, depth + 1) if value is not None else UNKNOWN
        for names in (self.free, self.function.__globals__):
            if name in names:
                return names[name]
        return UNKNOWN


@functools.cache
def attributes_of(cls: type, given: Kinds = NO_KINDS) -> Kinds:
    """Which of `self`'s attributes are the request, the user or the session:

    those that a method sets. `given` are parameters of `__init__` that are known.
    """
    found: dict[str, str] = {}
    for (name, _), written in methods(cls).items():
        for function in peel(written).functions:
            reading = None if is_machinery(home(function)) else read(function)
            known = given if name == "__init__" else NO_KINDS
            if reading is None or not (known or reading.words & WORDS):
                continue
            scope = Scope(function, cls, known)
            for target, value in reading.assigned:
                mine = isinstance(target, ast.Attribute) and last_name(target.value) == scope.this
                if mine and value is not None and (kind := scope.kind(value)):
                    found.setdefault(last_name(target), kind)
    return frozenset(found.items())
