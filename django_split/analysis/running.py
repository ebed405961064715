"""What of a module main may run: without what asks first whether a dropped app is there.

Read, not run. Left out is what stands under TYPE_CHECKING or `apps.is_installed(…)`, or behind
`if not apps.is_installed(…): return`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.options import InlineModelAdmin

from django_split.analysis.modules import Module, constant
from django_split.analysis.source import last_name

LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Statement = tuple[ast.stmt, frozenset[str]]


def running(module: Module, gone: frozenset[str]) -> Iterator[Statement]:
    """The statements of a module that main may run, at any depth.

    Takes the packages and labels of the apps that main drops. Each statement comes with the names
    of the exceptions that a `try` around it catches. The bodies of a compound statement are
    statements of their own. What an admin's class does is left out: on main no such class is at
    work.
    """
    for statement in module.tree.body if module.tree else ():
        if not isinstance(statement, ast.ClassDef) or not _is_admins(module, statement.name):
            yield from _block([statement], frozenset(), gone)


def _is_admins(module: Module, name: str) -> bool:
    made = getattr(sys.modules.get(module.name), name, None)
    return isinstance(made, type) and issubclass(made, (AdminSite, ModelAdmin, InlineModelAdmin))


def _block(
    statements: list[ast.stmt], caught: frozenset[str], gone: frozenset[str]
) -> Iterator[Statement]:
    for statement in statements:
        asked = _asks(statement.test, gone) if isinstance(statement, ast.If) else ""
        if asked == "":
            yield statement, caught
        for body, around in _bodies(statement, caught, asked):
            yield from _block(body, around, gone)
        leaves = isinstance(statement, ast.If) and isinstance(statement.body[-1], LEAVES)
        if asked == "no" and leaves:
            return  # if not apps.is_installed(…): return


def _bodies(
    statement: ast.stmt, caught: frozenset[str], asked: str
) -> Iterator[tuple[list[ast.stmt], frozenset[str]]]:
    if isinstance(statement, FUNCTIONS):
        yield statement.body, frozenset()  # it runs later, outside of what is around it
    elif isinstance(statement, TRIES):
        yield statement.body, caught | _names(handler.type for handler in statement.handlers)
        for handler in statement.handlers:
            yield handler.body, caught
        yield [*statement.orelse, *statement.finalbody], caught
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        calls = [item.context_expr for item in statement.items]
        suppressed = [
            argument
            for call in calls
            if isinstance(call, ast.Call) and last_name(call.func) == "suppress"
            for argument in call.args
        ]
        yield statement.body, caught | (_names(suppressed) if suppressed else frozenset())
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            yield case.body, caught
    else:
        if asked != "yes":
            yield getattr(statement, "body", []), caught
        if asked != "no":
            yield getattr(statement, "orelse", []), caught


def _names(types: Iterator[ast.expr | None] | list[ast.expr]) -> frozenset[str]:
    """The names of caught exceptions; a bare `except` catches all."""
    names: set[str] = set()
    for caught in types:
        names |= {last_name(part) for part in ast.walk(caught)} if caught else {"BaseException"}
    return frozenset(names)


def _asks(test: ast.expr, gone: frozenset[str]) -> str:
    """Whether a condition holds only where a dropped app is ("yes"), or is not ("no")."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return {"yes": "no", "no": "yes"}.get(_asks(test.operand, gone), "")
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return "yes" if any(_asks(value, gone) == "yes" for value in test.values) else ""
    if last_name(test) == "TYPE_CHECKING":
        return "yes"
    if isinstance(test, ast.Call) and test.args:
        asked = last_name(test.func) == "is_installed" and constant(test.args[0]) in gone
        return "yes" if asked else ""
    listed = isinstance(test, ast.Compare) and last_name(test.comparators[0]) == "INSTALLED_APPS"
    if isinstance(test, ast.Compare) and listed and constant(test.left) in gone:
        return {ast.In: "yes", ast.NotIn: "no"}.get(type(test.ops[0]), "")
    return ""
