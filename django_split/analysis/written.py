"""Where a base says what the plan changes: the file and line of a setting, or of an entry in it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from django_split.analysis.evidence import at
from django_split.plan import Plan

# Modules that star-import one another in a circle, or a settings package of many levels.
DEEPEST = 12


def places(base: str, wanted: Iterable[str]) -> dict[str, str]:
    """The place of each wanted name that is found: "mysite/settings.py:40".

    Takes the base's dotted name and names of settings, places below them ("DATABASES.default.NAME")
    and entries of lists (an app's name). What is computed, or read from the environment, has the
    place of the statement that does it. The last one that Python runs counts.
    """
    settings: dict[str, str] = {}
    texts: dict[str, str] = {}
    for name, node, file in _statements(base, 0, set()):
        settings[name] = at(file, node.lineno)
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                texts[part.value] = at(file, part.lineno)
    found = {}
    for item in wanted:
        place = texts.get(item) if "." in item else None
        place = place or settings.get(item.partition(".")[0]) or texts.get(item)
        if place:
            found[item] = place
    return found


def in_force(base: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The place that gives each of these settings the value it has, where one can be told.

    Of several lines, as the sides of a condition, it is the last that says this very value; where
    none does (it is computed, or comes from the environment), the last of all.
    """
    found: dict[str, str] = {}
    exact: dict[str, str] = {}
    for name, node, file in _statements(base, 0, set()):
        if name not in values:
            continue
        found[name] = at(file, node.lineno)
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and value.value == values[name]:
            exact[name] = found[name]
        elif not isinstance(value, ast.Constant):
            exact.pop(name, None)  # what runs later, and may say anything
    return {**found, **exact}


def changed_by(plan: Plan) -> set[str]:
    """What a plan changes in a base: settings, places in them, and entries of lists."""
    main, admin = plan.main, plan.admin
    return {
        *main.drop_apps,
        *main.replace_apps,
        *main.drop_middleware,
        *main.replace_middleware,
        *main.swap_context_processors,
        *(shadow.app for shadow in main.models),
        *main.settings,
        *main.unset,
        *admin.settings,
        *admin.unset,
        *(["SECRET_KEY"] if admin.own_secret_key else []),
        *(["CACHES"] if main.caches or admin.caches else []),
        *plan.deploy,
    }


def _statements(module: str, depth: int, seen: set[str]) -> Iterator[tuple[str, ast.stmt, str]]:
    """Each statement that sets, adds to or changes a setting, with the setting's name and its file.

    Follows what the base imports settings from, in the order in which Python runs it.
    """
    tree, file = _source(module)
    if tree is None or module in seen or depth > DEEPEST:
        return
    seen.add(module)
    for node in _in_order(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if "*" in names or any(name.isupper() for name in names):
                for found in _statements(_target(node, module), depth + 1, seen):
                    if "*" in names or found[0] in names:
                        yield found
        else:
            for name in _changed(node):
                if name.isupper():
                    yield name, node, file


def _in_order(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements as they are written; a condition counts as if both sides ran."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.expr)):
            yield from _in_order(node)


def _changed(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        targets: list[ast.expr] = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        # INSTALLED_APPS.append("…"), TEMPLATES[0]["OPTIONS"].update(…)
        targets = [node.value.func]
    else:
        targets = []
    for target in targets:
        for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            while isinstance(part, (ast.Attribute, ast.Subscript, ast.Starred)):
                part = part.value
            if isinstance(part, ast.Name):
                yield part.id


def _target(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    loaded = sys.modules.get(module)
    package = str(getattr(loaded, "__package__", "") or module.rpartition(".")[0])
    try:
        return importlib.util.resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:
        return ""


def _source(module: str) -> tuple[ast.Module | None, str]:
    """The parsed source of a module that is loaded already: nothing is imported for this."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None) if isinstance(loaded, ModuleType) else None
    if not file or "site-packages" in file:
        return None, ""
    try:
        with open(file, encoding="utf-8") as source:
            return ast.parse(source.read()), file
    except (OSError, SyntaxError, ValueError):
        return None, ""
