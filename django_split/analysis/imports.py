"""What a module needs of an app that main drops: its models, by an import or by its label.

Read, not run. A module that asks first needs nothing: under TYPE_CHECKING, under
`apps.is_installed(…)`, or in a `try` that catches what Django raises.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.options import InlineModelAdmin

from django_split.analysis.modules import Module, constant, dotted, imported

# What Django raises for the import of a model whose app is not installed, and for a label.
FOR_AN_IMPORT = frozenset({"RuntimeError", "Exception", "BaseException"})
FOR_A_LABEL = frozenset({"LookupError", "Exception", "BaseException"})
ASK_BY_LABEL = frozenset({"get_model", "get_app_config", "get_registered_model"})

WAYS = re.compile("models|backends|" + "|".join(sorted(ASK_BY_LABEL)))

LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Statement = tuple[ast.stmt, frozenset[str]]


@dataclass(frozen=True)
class App:
    """An app that main drops: where INSTALLED_APPS has it, its package and its label."""

    entry: str
    name: str
    label: str

    def models(self, module: Module) -> list[str]:
        """The modules whose import needs the app's models."""
        found = [f"{self.name}.models"]
        # A store with a model of its own needs no other.
        if "def get_model_class" not in module.text:
            found += [f"{self.name}.backends.{part}" for part in ("db", "cached_db")]
        return found


@dataclass(frozen=True)
class Use:
    """One place that needs an app."""

    app: App
    what: str
    line: int


def uses(module: Module, apps: Sequence[App]) -> list[Use]:
    """Each place in a module that needs one of the apps."""
    # Most modules do not even hold the words: parsing them all would take seconds.
    words = {app.name.rpartition(".")[2] for app in apps} | {app.label for app in apps}
    if not any(word in module.text for word in words) or not WAYS.search(module.text):
        return []
    aliases = _aliases(module)
    return [
        use
        for statement, caught in running(module, apps)
        for use in _uses(module, statement, caught, apps, aliases)
    ]


def _aliases(module: Module) -> dict[str, str]:
    """What the names stand for that a module's imports give it."""
    found: dict[str, str] = {}
    for node in ast.walk(module.tree) if module.tree else ():
        if isinstance(node, ast.ImportFrom) and (source := module.absolute(node)):
            found |= {name.asname or name.name: f"{source}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.asname: name.name for name in node.names if name.asname}
    return found


def running(module: Module, apps: Sequence[App]) -> Iterator[Statement]:
    """The statements of a module that main may run, at any depth.

    Each comes with the names of the exceptions that a `try` around it catches. The bodies of a
    compound statement are statements of their own. What an admin's class does is left out: on main
    no such class is at work.
    """
    gone = {word for app in apps for word in (app.name, app.label)}
    for statement in module.tree.body if module.tree else ():
        if not isinstance(statement, ast.ClassDef) or not _is_admins(module, statement.name):
            yield from _block([statement], frozenset(), gone)


def _is_admins(module: Module, name: str) -> bool:
    made = getattr(sys.modules.get(module.name), name, None)
    return isinstance(made, type) and issubclass(made, (AdminSite, ModelAdmin, InlineModelAdmin))


def _block(
    statements: list[ast.stmt], caught: frozenset[str], gone: set[str]
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
            if isinstance(call, ast.Call) and _last(call.func) == "suppress"
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
        names |= {_last(part) for part in ast.walk(caught)} if caught else {"BaseException"}
    return frozenset(names)


def _asks(test: ast.expr, gone: set[str]) -> str:
    """Whether a condition holds only where a dropped app is ("yes"), or is not ("no")."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return {"yes": "no", "no": "yes"}.get(_asks(test.operand, gone), "")
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return "yes" if any(_asks(value, gone) == "yes" for value in test.values) else ""
    if _last(test) == "TYPE_CHECKING":
        return "yes"
    if isinstance(test, ast.Call) and test.args:
        asked = _last(test.func) == "is_installed" and constant(test.args[0]) in gone
        return "yes" if asked else ""
    listed = isinstance(test, ast.Compare) and _last(test.comparators[0]) == "INSTALLED_APPS"
    if isinstance(test, ast.Compare) and listed and constant(test.left) in gone:
        return {ast.In: "yes", ast.NotIn: "no"}.get(type(test.ops[0]), "")
    return ""


def _uses(
    module: Module,
    statement: ast.stmt,
    caught: frozenset[str],
    apps: Sequence[App],
    aliases: dict[str, str],
) -> Iterator[Use]:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        names = set(imported(module, statement)) if not caught & FOR_AN_IMPORT else set()
        for app in apps:
            for models in app.models(module):
                if models in names:
                    yield Use(app, f"{module.name} imports {models}", statement.lineno)
                    break
        return
    for node in _own(statement):
        if isinstance(node, ast.Call) and node.args and not caught & FOR_A_LABEL:
            asked, label = _last(node.func), constant(node.args[0])
            for app in apps if asked in ASK_BY_LABEL and isinstance(label, str) else ():
                if label.partition(".")[0] == app.label:
                    yield Use(app, f'{module.name} asks for {asked}("{label}")', node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr == "models":
            head, _, rest = dotted(node).partition(".")
            name = f"{aliases.get(head, head)}.{rest}"
            for app in apps:
                if name == f"{app.name}.models":
                    yield Use(app, f"{module.name} uses {name}", node.lineno)


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements in it."""
    for _, value in ast.iter_fields(statement):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not isinstance(
                part, (ast.stmt, ast.ExceptHandler, ast.match_case)
            ):
                yield from ast.walk(part)


def _last(node: ast.AST) -> str:
    return dotted(node).rpartition(".")[2]
