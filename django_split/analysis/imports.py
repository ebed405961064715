"""What a module needs of an app that main drops: its models, by an import or by its label.

Read, not run. A module that asks first needs nothing: under TYPE_CHECKING, under
`apps.is_installed(…)`, or in a `try` that catches what Django raises.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django_split.analysis.modules import Module, constant, dotted, imported
from django_split.analysis.running import running
from django_split.analysis.source import last_name

# What Django raises for the import of a model whose app is not installed, and for a label.
FOR_AN_IMPORT = frozenset({"RuntimeError", "Exception", "BaseException"})
FOR_A_LABEL = frozenset({"LookupError", "Exception", "BaseException"})
ASK_BY_LABEL = frozenset({"get_model", "get_app_config", "get_registered_model"})


@dataclass(frozen=True)
class App:
    """An app that main drops: where INSTALLED_APPS has it, its package and its label."""

    entry: str
    name: str
    label: str

    @property
    def models(self) -> str:
        return f"{self.name}.models"

    @property
    def stores(self) -> tuple[str, ...]:
        """The sessions' stores that use the models: not when imported, but when made."""
        return tuple(f"{self.name}.backends.{part}." for part in ("db", "cached_db"))


@dataclass(frozen=True)
class Use:
    """One place that needs an app."""

    app: App
    what: str
    line: int


def words(apps: Iterable[App]) -> frozenset[str]:
    """What a site calls apps by."""
    return frozenset(word for app in apps for word in (app.name, app.label))


def uses(module: Module, apps: Sequence[App]) -> list[Use]:
    """Each place in a module that needs one of the apps."""
    if not any(_pattern(app).search(module.text) for app in apps):
        return []
    aliases = _aliases(module)
    return [
        use
        for statement, caught in running(module, words(apps))
        for use in _uses(module, statement, caught, apps, aliases)
    ]


@functools.cache
def _pattern(app: App) -> re.Pattern[str]:
    """What a module's text must hold: parsing all that a site has loaded would take seconds."""
    last = app.name.rpartition(".")[2]
    name = re.escape(app.name)
    return re.compile(
        rf"{name}\.(models|backends)|{name}\s+import\s[^\n]*(models|backends|\()"
        rf"|\b{re.escape(last)}\.models\b"
        rf"|({'|'.join(sorted(ASK_BY_LABEL))})\(\s*[\"']{re.escape(app.label)}\b"
    )


def _aliases(module: Module) -> dict[str, str]:
    """What the names stand for that a module's imports give it."""
    found: dict[str, str] = {}
    for node in ast.walk(module.tree) if module.tree else ():
        if isinstance(node, ast.ImportFrom) and (source := module.absolute(node)):
            found |= {name.asname or name.name: f"{source}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.asname: name.name for name in node.names if name.asname}
    return found


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
            if app.models in names:
                yield Use(app, f"{module.name} imports {app.models}", statement.lineno)
        return
    if isinstance(statement, ast.ClassDef):
        yield from _inherits(module, statement, apps, aliases)
    for node in _own(statement):
        if isinstance(node, ast.Call) and node.args and not caught & FOR_A_LABEL:
            asked, label = last_name(node.func), constant(node.args[0])
            for app in apps if asked in ASK_BY_LABEL and isinstance(label, str) else ():
                if label.partition(".")[0] == app.label:
                    yield Use(app, f'{module.name} asks for {asked}("{label}")', node.lineno)
            for app in apps:
                if (name := _full(node.func, aliases)).startswith(app.stores):
                    yield Use(app, f"{module.name} uses {name}", node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr == "models":
            for app in apps:
                if _full(node, aliases) == app.models:
                    yield Use(app, f"{module.name} uses {app.models}", node.lineno)


def _inherits(
    module: Module, node: ast.ClassDef, apps: Sequence[App], aliases: dict[str, str]
) -> Iterator[Use]:
    """A store made of Django's; one with a model of its own needs no other."""
    if any(getattr(part, "name", "") == "get_model_class" for part in node.body):
        return
    for base in node.bases:
        for app in apps:
            if (name := _full(base, aliases)).startswith(app.stores):
                yield Use(app, f"{module.name} uses {name}", node.lineno)


def _full(node: ast.AST, aliases: dict[str, str]) -> str:
    """The dotted name of what a chain of names stands for."""
    head, _, rest = dotted(node).partition(".")
    return f"{aliases.get(head, head)}.{rest}".rstrip(".")


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements in it."""
    for _, value in ast.iter_fields(statement):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not isinstance(
                part, (ast.stmt, ast.ExceptHandler, ast.match_case)
            ):
                yield from ast.walk(part)
