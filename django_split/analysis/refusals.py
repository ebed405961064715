"""Where a function refuses somebody who is not signed in, read from its own conditions."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django_split.analysis.names import USER, Scope
from django_split.analysis.source import FUNCTIONS, last_name, statements
from django_split.analysis.truth import assumptions
from django_split.analysis.visitor import Visitor


@dataclass(frozen=True)
class Refusal:
    """A place where somebody who is not signed in gets no further.

    `demands` is False where only some objects are kept for the staff, as drafts are: for the others
    the page is public. `everywhere` says that no condition but the visitor's has to hold,
    `on_data` that a row decides. `raises` says that it holds whoever calls the function.
    """

    line: int
    condition: str
    demands: bool
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


# Calls whose answer is a refusal, by name: Django's, and what sites call their own.
REFUSES = re.compile(
    r"(?i)(redirect_to_login|forbidden|notfound|not_found|handle_no_permission|permission_?denied"
    r"|access_?denied|unauthori[sz]ed|no_?permission|not_?authenticated|reject|login_required"
    r"|deny|denied)"
)
REDIRECTS = re.compile(r"(?i)\w*redirect\w*\Z")
LOGIN_PAGE = re.compile(r"(?i)log_?_?-?in|sign_?-?in|sign_?-?up|\bauth|account|register")
REFUSED = (401, 403, 404)
STATUS = re.compile(r"HTTP_40[134]_|UNAUTHORIZED|FORBIDDEN|NOT_FOUND")
# Exceptions that are an answer to the visitor, and no error of the program's.
DENIES = re.compile(r"(?i)http|denied|forbidden|unauthori|authenti|permission|login|suspicious")
# What an anonymous visitor can do to a public page.
ABOUT_THE_REQUEST = re.compile(
    r"\.(method|POST|FILES|body|headers|META)\b|is_valid|is_ajax|\bpath(_info)?\b|\bview_func\b"
)

REFUSAL = "refusal"
REDIRECT = "redirect"


@functools.cache
def refusals(scope: Scope, is_decorator: bool = False) -> tuple[Refusal, ...]:
    """The refusals of a function, in the order in which they are written.

    A decorator's are those of the functions that it makes: they run in the view's place.
    """
    if not scope.has_kinds:
        return ()
    found = list(_walk(scope, statements(scope.node), _Way()))
    for node in scope.reading.body if is_decorator else ():
        if isinstance(node, FUNCTIONS):
            found += _walk(scope, statements(node), _Way())
    return tuple(found)


def _walk(scope: Scope, body: list[ast.stmt], way: _Way) -> Iterator[Refusal]:
    for index, statement in enumerate(body):
        if isinstance(statement, ast.If):
            choice = _Choice(
                scope, statement.test, statement.body, statement.orelse, body[index + 1 :]
            )
            yield from choice.refusals(way)
            anonymous, _ = choice.anonymous()
            if anonymous is not False:
                yield from _walk(scope, statement.body, way.through(choice, True))
            if anonymous is not True:
                yield from _walk(scope, statement.orelse, way.through(choice, False))
            if _ends(statement.orelse if anonymous is False else statement.body):
                if anonymous is not None:
                    return
                way = way.through(choice, False)
        else:
            yield from _walk_other(scope, statement, way)


def _walk_other(scope: Scope, statement: ast.stmt, way: _Way) -> Iterator[Refusal]:
    seldom = _Way(False, True)
    match statement:
        case ast.Return(value=ast.IfExp(test=test, body=one, orelse=other)):
            first, second = ast.Return(one), ast.Return(other)
            yield from _Choice(scope, test, [first], [second], []).refusals(way)
        case ast.Assert(test=test):
            wrong: list[ast.stmt] = [ast.Raise(exc=ast.Name("PermissionDenied"), cause=None)]
            yield from _Choice(scope, test, [], wrong, []).refusals(way)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            yield from _walk(scope, body, way)
            for handler in handlers:
                yield from _walk(scope, handler.body, seldom)
            yield from _walk(scope, [*orelse, *finalbody], way)
        case ast.With(body=body) | ast.AsyncWith(body=body) | ast.While(body=body):
            yield from _walk(scope, body, way)
        case ast.For(body=body) | ast.AsyncFor(body=body):
            yield from _walk(scope, body, way)
        case ast.Match(cases=cases):
            for case in cases:
                yield from _walk(scope, case.body, seldom)


@dataclass
class _Choice:
    """An `if`, with the statements that come after it."""

    scope: Scope
    test: ast.expr
    body: list[ast.stmt]
    orelse: list[ast.stmt]
    rest: list[ast.stmt]

    def refusals(self, way: _Way) -> Iterator[Refusal]:
        other = self.orelse or self.rest
        for branch, instead, when in (
            (self.body, other, True),
            (self.orelse, self.body, False),
            (self._what_remains(), self.body, False),
        ):
            how = _refuses(self.scope, branch)
            if how == REDIRECT and _only_redirects(instead):
                continue  # a signpost: some go here, some there
            refusal = self._refusal(when, way, _denies(branch[-1])) if how else None
            if refusal:
                yield refusal
                return

    def _what_remains(self) -> list[ast.stmt]:
        """What is left for a visitor when those who pass the test leave with an answer."""
        if self.orelse or not _ends(self.body):
            return []
        answers = [
            node
            for statement in self.rest
            for node in ast.walk(statement)
            if isinstance(node, ast.Return) and not _refuses(self.scope, [node])
        ]
        # Other than a redirect that sends everybody on.
        refused = _refuses(self.scope, self.rest) == REFUSAL
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
            demands=for_members or not on_data,
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


def _ends(body: list[ast.stmt]) -> bool:
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)


def _refuses(scope: Scope, body: list[ast.stmt]) -> str:
    """How these statements end: REFUSAL, REDIRECT (to where, is not known), or neither."""
    last = body[-1] if body else None
    if isinstance(last, ast.Raise):
        return REFUSAL
    if isinstance(last, ast.Return) and last.value is not None:
        return _refusing(scope, last.value)
    if isinstance(last, ast.If):
        ways = {_refuses(scope, last.body), _refuses(scope, last.orelse)}
        if "" not in ways:
            return REDIRECT if REDIRECT in ways else REFUSAL
    return ""


def _denies(last: ast.stmt) -> bool:
    error = last.exc if isinstance(last, ast.Raise) else None
    return error is not None and bool(DENIES.search(last_name(getattr(error, "func", error))))


def _refusing(scope: Scope, answer: ast.expr, depth: int = 0) -> str:
    match answer:
        case ast.Await(value=value):
            return _refusing(scope, value, depth)
        case ast.Name(id=name) if depth < 2 and (made := scope.value(name)):
            return _refusing(scope, made, depth + 1)
        case ast.Tuple(elts=[ast.Constant(value=status), *_]):
            return REFUSAL if status in REFUSED else ""
        case ast.Call(func=function, args=arguments, keywords=keywords):
            name = last_name(function) or last_name(getattr(function, "func", function))
            if REFUSES.search(name):
                return REFUSAL
            if REDIRECTS.match(name):
                target = " ".join(ast.unparse(part) for part in (*arguments, *keywords))
                return REFUSAL if LOGIN_PAGE.search(target) else REDIRECT
            given = [*arguments[1:], *(k.value for k in keywords if "status" in (k.arg or ""))]
            return REFUSAL if any(map(_is_refused, given)) else ""
    return ""


def _is_refused(status: ast.expr) -> bool:
    if isinstance(status, ast.Constant):
        return status.value in REFUSED
    return bool(STATUS.search(last_name(status)))


def _only_redirects(body: list[ast.stmt]) -> bool:
    answer = body[0] if len(body) == 1 else None
    if not isinstance(answer, ast.Return) or not isinstance(answer.value, ast.Call):
        return False
    return bool(REDIRECTS.match(last_name(answer.value.func)))


@functools.cache
def mentions_user(scope: Scope) -> int:
    """The first line on which a function looks at the request's user; 0 if it does not."""
    lines = [
        node.lineno
        for node in scope.reading.body
        if isinstance(node, ast.Attribute | ast.Call) and scope.kind(node) == USER
    ]
    return min(lines, default=0)
