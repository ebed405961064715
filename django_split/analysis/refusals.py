"""Where a function refuses somebody who is not signed in, read from its own conditions."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

from django_split.analysis.answers import ends, refuses
from django_split.analysis.choices import Choice, Refusal, Way
from django_split.analysis.names import USER, Scope
from django_split.analysis.source import FUNCTIONS, statements


def refusals(scope: Scope, is_decorator: bool = False) -> list[Refusal]:
    """The refusals of a function, in the order in which they are written.

    A decorator's are those of the functions that it makes: they run in the view's place.
    """
    return _read(scope, is_decorator).found


def is_seldom(scope: Scope, call: ast.Call) -> bool:
    """Whether a call is made for some rows only, or not for an anonymous visitor."""
    return id(call) in _read(scope, True).seldom


def is_never(scope: Scope, line: int) -> bool:
    """Whether a line of a function is for those only who are signed in."""
    return any(first <= line <= last for first, last in _read(scope, True).never)


@functools.cache
def _read(scope: Scope, is_decorator: bool) -> _Walk:
    walk = _Walk(scope)
    if scope.has_kinds:
        walk.through(statements(scope.node), Way())
        for node in scope.reading.body if is_decorator else ():
            if isinstance(node, FUNCTIONS):
                walk.through(statements(node), Way())
    return walk


SELDOM = Way(everywhere=False, on_data=True)


@dataclass
class _Walk:
    """The way of an anonymous visitor through a function."""

    scope: Scope
    found: list[Refusal] = field(default_factory=list)
    seldom: set[int] = field(default_factory=set)  # calls, by the node's id
    never: list[tuple[int, int]] = field(default_factory=list)  # first and last lines

    def through(self, body: list[ast.stmt], way: Way) -> None:
        for index, statement in enumerate(body):
            if way.on_data:
                self._mark([statement])
            if isinstance(statement, ast.If):
                rest = body[index + 1 :]
                choice = Choice(self.scope, statement, rest)
                self.found += choice.refusals(way)
                anonymous, _ = choice.anonymous()
                for branch, when in ((statement.body, True), (statement.orelse, False)):
                    if anonymous in (when, None):
                        self.through(branch, way.through(choice, when))
                    else:
                        self._leave_out(branch)
                taken = statement.orelse if anonymous is False else statement.body
                if ends(taken) and anonymous is not None:
                    self._leave_out(rest)
                    return
                if ends(taken) and not refuses(self.scope, taken):
                    # A page for some: what comes now is not for all.
                    way = way.through(choice, False)
            else:
                self._other(statement, way)

    def _leave_out(self, body: list[ast.stmt]) -> None:
        self._mark(body)
        self.never += [(part.lineno, part.end_lineno or part.lineno) for part in body]

    def _mark(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.seldom.update(id(n) for n in ast.walk(statement) if isinstance(n, ast.Call))

    def _other(self, statement: ast.stmt, way: Way) -> None:
        match statement:
            case ast.Return(value=ast.IfExp(test=test, body=one, orelse=other)):
                either = ast.If(test, [ast.Return(one)], [ast.Return(other)])
                self.found += Choice(self.scope, either, []).refusals(way)
            case ast.Assert(test=test):
                wrong = ast.Raise(exc=ast.Name("PermissionDenied"), cause=None)
                self.found += Choice(self.scope, ast.If(test, [], [wrong]), []).refusals(way)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self.through(body, way)
                for handler in handlers:
                    self.through(handler.body, SELDOM)
                self.through([*orelse, *finalbody], way)
            case ast.With(body=body) | ast.AsyncWith(body=body) | ast.While(body=body):
                self.through(body, way)
            case ast.For(body=body) | ast.AsyncFor(body=body):
                self.through(body, way)
            case ast.Match(cases=cases):
                for case in cases:
                    self.through(case.body, SELDOM)


@functools.cache
def mentions_user(scope: Scope) -> int:
    """The first line on which a function looks at the request's user; 0 if it does not."""
    lines = [
        node.lineno
        for node in scope.reading.body
        if isinstance(node, ast.Attribute | ast.Call) and scope.kind(node) == USER
    ]
    return min(lines, default=0)
