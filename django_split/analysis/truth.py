"""What a condition is worth for a visitor: true, false, or unknown.

The one question behind every guard: which way does somebody go who is not signed in, and does
somebody who is go another way? Three values; what is unknown stays so unless it is assumed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from django_split.analysis.layers import peel
from django_split.analysis.names import REQUEST, USER, Scope
from django_split.analysis.objects import UNKNOWN, Bound, Instance, is_a
from django_split.analysis.source import home, last_name, node_of, statements
from django_split.analysis.visitor import (
    ABOUT_THE_OWNER,
    IDENTITY,
    Visitor,
    all_,
    has,
    is_among,
    not_,
)

# As deep as a condition is followed through the functions that it calls.
DEEPEST = 3
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq,
    ast.IsNot: ast.Is,
    ast.NotIn: ast.In,
}
# They hand on what the function inside them returns.
WRAPPERS = ("asgiref.", "django.utils.")


@dataclass
class Truth:
    """The values of expressions in one function, for one visitor.

    `method` is the request's, if it is known; `assumed` gives a value to what is unknown, by
    `ast.dump`. What had none is gathered in `unknown`.
    """

    scope: Scope
    visitor: Visitor
    method: str = ""
    assumed: Mapping[str, bool] = field(default_factory=dict)
    depth: int = 0
    unknown: dict[str, ast.expr] = field(default_factory=dict)

    def of(self, node: ast.expr) -> bool | None:
        value = self._of(node)
        if value is None and not self._is_made_of_others(node):
            key = ast.dump(node)
            self.unknown.setdefault(key, node)
            return self.assumed.get(key)
        return value

    def _is_made_of_others(self, node: ast.expr) -> bool:
        named = isinstance(node, ast.Name) and self.scope.value(node.id) is not None
        opposite = isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITES
        made = ast.BoolOp | ast.UnaryOp | ast.IfExp | ast.NamedExpr | ast.Await
        return named or opposite or isinstance(node, made)

    def _of(self, node: ast.expr) -> bool | None:
        match node:
            case ast.Constant(value=value):
                return bool(value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return bool(elements)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not_(self.of(operand))
            case ast.BoolOp(op=ast.And(), values=values):
                return all_([self.of(value) for value in values])
            case ast.BoolOp(values=values):
                return not_(all_([not_(self.of(value)) for value in values]))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                tested, first, other = self.of(test), self.of(body), self.of(orelse)
                return (
                    first
                    if tested or (tested is None and first == other)
                    else (other if tested is False else None)
                )
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.of(value)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compare(left, op, right)
            case ast.Call():
                return self._call(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Name(id=name):
                return self._name(node, name)
        return None

    def _name(self, node: ast.Name, name: str) -> bool | None:
        if self.scope.kind(node) in (USER, REQUEST):
            return True  # an AnonymousUser is an object too
        value = self.scope.value(name)
        if value is not None and self.depth < DEEPEST:
            self.depth += 1
            truth = self.of(value)
            self.depth -= 1
            return truth
        return _constant(self.scope.resolve(node))

    def _attribute(self, node: ast.Attribute) -> bool | None:
        if self.scope.kind(node) in (USER, REQUEST):
            return True
        base = self.scope.resolve(node.value)
        if base is settings and node.attr.isupper():
            return bool(getattr(settings, node.attr)) if hasattr(settings, node.attr) else None
        asked = self.asked_of_user(node)
        return has(self.visitor, asked) if asked else _constant(self.scope.resolve(node))

    def asked_of_user(self, node: ast.expr) -> str:
        """What an expression that begins at the user asks of it:

        the last name of the chain, "is_staff" of `request.user.profile.is_staff`; or nothing.
        """
        part: ast.expr = node
        while isinstance(part, ast.Attribute | ast.Call | ast.Subscript | ast.Await):
            part = part.func if isinstance(part, ast.Call) else part.value
            if self.scope.kind(part) == USER:
                return last_name(node.func if isinstance(node, ast.Call) else node) or "?"
        return ""

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool | None:
        for negative, positive in OPPOSITES.items():
            if isinstance(op, negative):
                # One unknown, not two: `a not in b` is the other side of `a in b`.
                return not_(self.of(ast.Compare(left, [positive()], [right])))
        if not isinstance(op, ast.Eq | ast.Is | ast.In):
            return None
        return self._same(left, right, isinstance(op, ast.In))

    def _same(self, left: ast.expr, right: ast.expr, within: bool) -> bool | None:
        sides = (left, right)
        if any(last_name(side) == "method" for side in sides) and self.method:
            return is_among(self.method, right if last_name(left) == "method" else left)
        for side, other in (sides, sides[::-1]):
            asked = self.asked_of_user(side)
            is_user = self.scope.kind(side) == USER
            if not asked and not is_user:
                continue
            constant = other.value if isinstance(other, ast.Constant) else UNKNOWN
            if constant is None:  # `user is None`, `user.pk is None`
                return asked in ("pk", "id") and not self.visitor.is_known
            if type(constant) is bool:  # `user.is_authenticated == False`
                value = has(self.visitor, asked)
                return value if constant or value is None else not value
            if last_name(getattr(other, "func", other)) == "AnonymousUser":
                return not self.visitor.is_known
            if asked and not within and asked not in IDENTITY:
                return False if not self.visitor.is_known else None
            return self.visitor.is_known
        return None

    def _call(self, node: ast.Call) -> bool | None:
        name, arguments = last_name(node.func), node.args
        about_user = any(self.scope.kind(argument) == USER for argument in arguments)
        if name in ("bool", "getattr", "hasattr", "isinstance", "any", "all") and arguments:
            return self._builtin(name, arguments)
        if asked := self.asked_of_user(node):
            return has(self.visitor, asked)
        followed = self._followed(node)
        if followed is not None:
            return followed
        if about_user and ABOUT_THE_OWNER.match(name):
            return self.visitor.is_known
        return None

    def _builtin(self, name: str, arguments: list[ast.expr]) -> bool | None:
        first, others = arguments[0], arguments[1:]
        if name == "bool":
            return self.of(first)
        if name in ("any", "all") and isinstance(first, ast.Tuple | ast.List):
            values = [self.of(element) for element in first.elts]
            return all_(values) if name == "all" else not_(all_([not_(v) for v in values]))
        if not others or not (self.scope.kind(first) == USER or self.asked_of_user(first)):
            return None
        if name == "isinstance":
            anonymous = last_name(others[0]) == "AnonymousUser"
            return anonymous is not self.visitor.is_known
        if name == "hasattr":
            return self.visitor.is_known
        asked = str(others[0].value) if isinstance(others[0], ast.Constant) else ""
        return has(self.visitor, asked)

    def _followed(self, node: ast.Call) -> bool | None:
        """What a function of the site's own returns, when it is asked about the visitor."""
        target = self.scope.resolve(node.func)
        mine = isinstance(node.func, ast.Attribute) and last_name(node.func.value) == (
            self.scope.this or "?"
        )
        known = [self.scope.kind(argument) for argument in node.args]
        if self.depth >= DEEPEST or not (any(known) or mine or is_a(target, Instance)):
            return None
        found = returned(target, self.visitor, self.method, known, self.depth + 1)
        return found.pop() if len(found) == 1 else None


def returned(
    target: Any, visitor: Visitor, method: str = "", known: list[str] | None = None, depth: int = 0
) -> set[bool | None]:
    """What a function may return for a visitor; nothing at all where it cannot be read.

    `known` are the kinds of its arguments, without `self`.
    """
    owner = None
    if is_a(target, Bound):
        owner, target = target.owner, target.method
    for function in peel(target).functions:
        if node_of(function) is None or home(function).startswith(WRAPPERS):
            continue
        scope = Scope(function, owner)
        names = [name for name in scope.parameters if name != scope.this]
        pairs = zip(names, known or [], strict=False)
        scope = Scope(function, owner, frozenset((n, kind) for n, kind in pairs if kind))
        return set(_returns(scope, visitor, method, depth))
    return set()


def _returns(scope: Scope, visitor: Visitor, method: str, depth: int) -> Iterator[bool | None]:
    truth = Truth(scope, visitor, method, depth=depth)
    found: list[bool | None] = []

    def run(body: list[ast.stmt]) -> bool:
        """Whether it goes on after these statements."""
        for statement in body:
            if isinstance(statement, ast.Return):
                found.append(truth.of(statement.value) if statement.value else False)
                return False
            if isinstance(statement, ast.Raise):
                found.append(False)  # it refuses
                return False
            if isinstance(statement, ast.If):
                tested = truth.of(statement.test)
                goes_on = [
                    run(branch)
                    for branch, when in ((statement.body, True), (statement.orelse, False))
                    if tested in (when, None)
                ]
                if not any(goes_on):
                    return False
            elif isinstance(statement, ast.Try | ast.With | ast.AsyncWith | ast.For | ast.While):
                goes_on = [run(statement.body)]
                goes_on += [run(handler.body) for handler in getattr(statement, "handlers", ())]
                if isinstance(statement, ast.For | ast.While):
                    goes_on.append(True)
                if not any(goes_on):
                    return False
        return True

    if run(statements(scope.node)):
        found.append(False)
    yield from found


def _constant(thing: Any) -> bool | None:
    known = thing is None or is_a(thing, bool, int, str)
    return bool(thing) if known else None
