"""Where a function refuses somebody who is not signed in, read from its own conditions."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django_split.analysis.answers import REDIRECT, REFUSAL, denies, ends, only_redirects, refuses
from django_split.analysis.names import USER, Scope
from django_split.analysis.source import FUNCTIONS, statements
from django_split.analysis.truth import assumptions
from django_split.analysis.visitor import Visitor


@dataclass(frozen=True)
class Refusal:
    """A place where somebody who is not signed in gets no further.

    `on_data` says that a row decides, and others are public; `for_members` that it is enough to be
    signed in, where drafts are for the staff. `everywhere`: nothing but who comes has to be so.
    `raises`: it holds whatever the caller does with the answer.
    """

    line: int
    condition: str
    for_members: bool
    raises: bool
    everywhere: bool
    on_data: bool


@dataclass(frozen=True)
class _Way:
    """How the statements that are looked at were come to."""

    everywhere: bool = True
    on_data: bool = False

    def through(self, choice: _Choice, when: bool) -> _Way:
        """Into a branch whose condition is not the visitor's alone."""
        anonymous, is_data = choice.anonymous()
        if anonymous is not None:
            return self
        usual = choice.usually() is when
        return _Way(self.everywhere and usual, self.on_data or is_data)


# What an anonymous visitor can do to a public page.
ABOUT_THE_REQUEST = re.compile(
    r"\.(method|POST|FILES|body|headers|META)\b|is_valid|is_ajax|\bpath(_info)?\b|\bview_func\b"
)


def refusals(scope: Scope, is_decorator: bool = False) -> list[Refusal]:
    """The refusals of a function, in the order in which they are written.

    A decorator's are those of the functions that it makes: they run in the view's place.
    """
    return _read(scope, is_decorator).found


def is_seldom(scope: Scope, call: ast.Call) -> bool:
    """Whether a call is made for some rows only, or not for an anonymous visitor."""
    return id(call) in _read(scope, True).seldom


@functools.cache
def _read(scope: Scope, is_decorator: bool) -> _Walk:
    walk = _Walk(scope)
    if scope.has_kinds:
        walk.through(statements(scope.node), _Way())
        for node in scope.reading.body if is_decorator else ():
            if isinstance(node, FUNCTIONS):
                walk.through(statements(node), _Way())
    return walk


SELDOM = _Way(everywhere=False, on_data=True)


@dataclass
class _Walk:
    """The way of an anonymous visitor through a function."""

    scope: Scope
    found: list[Refusal] = field(default_factory=list)
    seldom: set[int] = field(default_factory=set)  # calls, by the node's id

    def through(self, body: list[ast.stmt], way: _Way) -> None:
        for index, statement in enumerate(body):
            if way.on_data:
                self._mark([statement])
            if isinstance(statement, ast.If):
                rest = body[index + 1 :]
                choice = _Choice(self.scope, statement, rest)
                self.found += choice.refusals(way)
                anonymous, _ = choice.anonymous()
                for branch, when in ((statement.body, True), (statement.orelse, False)):
                    if anonymous in (when, None):
                        self.through(branch, way.through(choice, when))
                    else:
                        self._mark(branch)
                taken = statement.orelse if anonymous is False else statement.body
                if ends(taken) and anonymous is not None:
                    self._mark(rest)
                    return
                if ends(taken) and not refuses(self.scope, taken):
                    # A page for some: what comes now is not for all.
                    way = way.through(choice, False)
            else:
                self._other(statement, way)

    def _mark(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.seldom.update(id(n) for n in ast.walk(statement) if isinstance(n, ast.Call))

    def _other(self, statement: ast.stmt, way: _Way) -> None:
        match statement:
            case ast.Return(value=ast.IfExp(test=test, body=one, orelse=other)):
                either = ast.If(test, [ast.Return(one)], [ast.Return(other)])
                self.found += _Choice(self.scope, either, []).refusals(way)
            case ast.Assert(test=test):
                wrong = ast.Raise(exc=ast.Name("PermissionDenied"), cause=None)
                self.found += _Choice(self.scope, ast.If(test, [], [wrong]), []).refusals(way)
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


@dataclass
class _Choice:
    """An `if`, with the statements that come after it."""

    scope: Scope
    written: ast.If
    rest: list[ast.stmt]

    @property
    def test(self) -> ast.expr:
        return self.written.test

    def refusals(self, way: _Way) -> Iterator[Refusal]:
        other = self.written.orelse or self.rest
        for branch, instead, when in (
            (self.written.body, other, True),
            (self.written.orelse, self.written.body, False),
            (self._what_remains(), self.written.body, False),
        ):
            how = refuses(self.scope, branch)
            if how == REDIRECT and only_redirects(instead):
                continue  # a signpost: some go here, some there
            refusal = self._refusal(when, way, denies(branch[-1])) if how else None
            if refusal:
                yield refusal
                return

    def _what_remains(self) -> list[ast.stmt]:
        """What is left for a visitor when those who pass the test leave with an answer."""
        if self.written.orelse or not ends(self.written.body):
            return []
        answers = [
            node
            for statement in self.rest
            for node in ast.walk(statement)
            if isinstance(node, ast.Return) and not refuses(self.scope, [node])
        ]
        # Other than a redirect that sends everybody on.
        refused = refuses(self.scope, self.rest) == REFUSAL
        return self.rest if refused and not answers else []

    def _refusal(self, when: bool, way: _Way, raises: bool) -> Refusal | None:
        """The refusal in this branch; None where the visitor's being signed in is not asked."""
        ways, unknown = self._assumed
        values = [{visitor: value(visitor) for visitor in Visitor} for value in ways]
        refused = [value for value in values if value[Visitor.ANONYMOUS] is when]
        if not any(value[Visitor.STAFF] is not when for value in refused):
            return None
        always = len(refused) == len(values)
        on_data = way.on_data or (not always and any(map(_is_data, unknown)))
        for_members = any(value[Visitor.MEMBER] is not when for value in refused)
        return Refusal(
            line=getattr(self.test, "lineno", 0),
            condition=ast.unparse(self.test),
            for_members=for_members,
            raises=raises,
            everywhere=way.everywhere and (always or self.usually() is when),
            on_data=on_data,
        )

    def anonymous(self) -> tuple[bool | None, bool]:
        """The branch that a visitor takes, and whether it hangs on data."""
        ways, unknown = self._assumed
        values = {value(Visitor.ANONYMOUS) for value in ways}
        certain = values.pop() if len(values) == 1 else None
        return certain, certain is None and any(map(_is_data, unknown))

    def usually(self) -> bool | None:
        """The branch that a visitor takes when nothing of what is unknown is so."""
        ways, _ = self._assumed
        return ways[-1](Visitor.ANONYMOUS)

    @functools.cached_property
    def _assumed(self) -> tuple[list[Callable[[Visitor], bool | None]], list[ast.expr]]:
        return assumptions(self.scope, self.test)


def _is_data(node: ast.expr) -> bool:
    return not ABOUT_THE_REQUEST.search(ast.unparse(node))


@functools.cache
def mentions_user(scope: Scope) -> int:
    """The first line on which a function looks at the request's user; 0 if it does not."""
    lines = [
        node.lineno
        for node in scope.reading.body
        if isinstance(node, ast.Attribute | ast.Call) and scope.kind(node) == USER
    ]
    return min(lines, default=0)
