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

from django_split.analysis.modules import Module, aliases, constant, imported, stands_for
from django_split.analysis.running import running
from django_split.analysis.source import last_name

# What Django raises for the import of a model whose app is not installed, and for a label.
FOR_AN_IMPORT = frozenset({"RuntimeError", "Exception", "BaseException"})
FOR_A_LABEL = frozenset({"LookupError", "Exception", "BaseException"})
ASK_BY_LABEL = frozenset({"get_model", "get_app_config", "get_registered_model"})

# What Django says of a model whose app is not installed, and of a label that no app has.
NOT_INSTALLED = (
    re.compile(r"Model class (?P<module>\S+)\.\w+ doesn't declare an explicit app_label"),
    re.compile(r"No installed app with label '(?P<label>\w+)'"),
)


@dataclass(frozen=True)
class App:
    """An app that main drops: where INSTALLED_APPS has it, its package and its label."""

    entry: str
    name: str
    label: str

    def is_missed_by(self, message: str) -> bool:
        """Whether an error of Django's says that this app is not installed."""
        for pattern in NOT_INSTALLED:
            if match := pattern.search(message):
                named = match.groupdict()
                inside = named.get("module", "").startswith(f"{self.name}.")
                return inside or named.get("label") == self.label
        return False

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
    names = aliases(module)
    return [
        use
        for statement, caught in running(module, words(apps))
        for use in _uses(module, statement, caught, apps, names)
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


def _uses(
    module: Module,
    statement: ast.stmt,
    caught: frozenset[str],
    apps: Sequence[App],
    names: dict[str, str],
) -> Iterator[Use]:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        given = set(imported(module, statement)) if not caught & FOR_AN_IMPORT else set()
        for app in apps:
            if app.models in given:
                yield Use(app, f"{module.name} imports {app.models}", statement.lineno)
        return
    if isinstance(statement, ast.ClassDef):
        yield from _inherits(module, statement, apps, names)
    for node in _own(statement):
        if isinstance(node, ast.Call):
            for app in apps:
                asked = "" if caught & FOR_A_LABEL else _asks_for(node, app)
                store = stands_for(node.func, names)
                if asked:
                    yield Use(app, f"{module.name} asks for {asked}", node.lineno)
                elif store.startswith(app.stores):
                    yield Use(app, f"{module.name} uses {store}", node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr == "models":
            for app in apps:
                if stands_for(node, names) == app.models:
                    yield Use(app, f"{module.name} uses {app.models}", node.lineno)


def _asks_for(call: ast.Call, app: App) -> str:
    """What a call asks an app for by its label, as it is written; or an empty text."""
    name, label = last_name(call.func), constant(call.args[0]) if call.args else None
    if name in ASK_BY_LABEL and isinstance(label, str) and label.partition(".")[0] == app.label:
        return f'{name}("{label}")'
    return ""


def _inherits(
    module: Module, node: ast.ClassDef, apps: Sequence[App], names: dict[str, str]
) -> Iterator[Use]:
    """A store made of Django's; one with a model of its own needs no other."""
    if any(getattr(part, "name", "") == "get_model_class" for part in node.body):
        return
    for base in node.bases:
        for app in apps:
            if (name := stands_for(base, names)).startswith(app.stores):
                yield Use(app, f"{module.name} uses {name}", node.lineno)


def _own(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements in it."""
    for _, value in ast.iter_fields(statement):
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not isinstance(
                part, (ast.stmt, ast.ExceptHandler, ast.match_case)
            ):
                yield from ast.walk(part)
