"""An `if` on a visitor's way: whom it lets on, and whom it sends away."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django_split.analysis.answers import REDIRECT, REFUSAL, denies, ends, only_redirects, refuses
from django_split.analysis.names import Scope
from django_split.analysis.truth import Truth
from django_split.analysis.visitor import Visitor

# With more unknown parts than this, all are assumed alike.
MOST_UNKNOWN = 6
# What an anonymous visitor can do to a public page.
ABOUT_THE_REQUEST = re.compile(
    r"\.(method|POST|FILES|body|headers|META)\b|is_valid|is_ajax|\bpath(_info)?\b|\bview_func\b"
)


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
class Way:
    """How the statements that are looked at were come to."""

    everywhere: bool = True
    on_data: bool = False

    def through(self, choice: Choice, when: bool) -> Way:
        """Into a branch whose condition is not the visitor's alone."""
        anonymous, is_data = choice.anonymous()
        if anonymous is not None:
            return self
        usual = choice.usually() is when
        return Way(self.everywhere and usual, self.on_data or is_data)


@dataclass
class Choice:
    """An `if`, with the statements that come after it."""

    scope: Scope
    written: ast.If
    rest: list[ast.stmt]

    @property
    def test(self) -> ast.expr:
        return self.written.test

    def refusals(self, way: Way) -> Iterator[Refusal]:
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

    def _refusal(self, when: bool, way: Way, raises: bool) -> Refusal | None:
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


def assumptions(
    scope: Scope, node: ast.expr
) -> tuple[list[Callable[[Visitor], bool | None]], list[ast.expr]]:
    """Ways to complete a condition's unknown parts, and those parts.

    Each way gives the condition's value for a visitor.
    """
    unknown: dict[str, ast.expr] = {}
    for visitor in Visitor:
        truth = Truth(scope, visitor)
        truth.of(node)
        unknown.update(truth.unknown)
    keys = list(unknown)
    choices = (
        itertools.product((True, False), repeat=len(keys))
        if len(keys) <= MOST_UNKNOWN
        else iter(((True,) * len(keys), (False,) * len(keys)))
    )

    def way(assumed: dict[str, bool]) -> Callable[[Visitor], bool | None]:
        return lambda visitor: Truth(scope, visitor, assumed=assumed).of(node)

    return [way(dict(zip(keys, choice, strict=True))) for choice in choices], list(unknown.values())
