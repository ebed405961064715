"""A function read once: what is assigned, imported, called and returned in it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from django_split.analysis.source import (
    FUNCTIONS,
    FunctionNode,
    decorators,
    node_of,
    parameters,
    statements,
)


@dataclass(eq=False)
class Reading:
    """`body` has every node of the function and of those inside it, decorators left out.

    `values` are what its local names are set to; None for what has no expression of its own.
    """

    node: FunctionNode
    parameters: list[str]
    inner_parameters: set[str] = field(default_factory=set)
    body: list[ast.AST] = field(default_factory=list)
    assigned: list[tuple[ast.expr, ast.expr | None]] = field(default_factory=list)
    values: dict[str, list[ast.expr | None]] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    returns: list[ast.expr] = field(default_factory=list)
    words: set[str] = field(default_factory=set)  # every name and attribute that occurs


@functools.cache
def read(function: FunctionType) -> Reading | None:
    """None where there is no source."""
    node = node_of(function)
    if node is None:
        return None
    reading = Reading(node, parameters(node))
    reading.words.update(reading.parameters)
    for statement in statements(node):
        reading.body.extend(_inside(statement))
    for part in reading.body:
        _note(reading, part, function)
    return reading


def _note(reading: Reading, part: ast.AST, function: FunctionType) -> None:
    if isinstance(part, ast.Name):
        reading.words.add(part.id)
    elif isinstance(part, ast.Attribute):
        reading.words.add(part.attr)
    elif isinstance(part, ast.Constant):
        if isinstance(part.value, str) and part.value.isidentifier():
            reading.words.add(part.value)
    elif isinstance(part, ast.Call):
        reading.calls.append(part)
    elif isinstance(part, ast.Return):
        if part.value is not None:
            reading.returns.append(part.value)
    elif isinstance(part, ast.Import | ast.ImportFrom):
        reading.imports.update(_imported(part, function.__globals__))
    elif isinstance(part, FUNCTIONS):
        reading.inner_parameters.update(parameters(part))
        reading.words.update(parameters(part))
    else:
        for target, value in _assigned(part):
            reading.assigned.append((target, value))
            if isinstance(target, ast.Name):
                reading.values.setdefault(target.id, []).append(value)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """A node with what is in it, but for the decorators of functions: they run elsewhere."""
    queue = [node]
    while queue:
        part = queue.pop()
        yield part
        left_out = decorators(part)
        inner = [child for child in ast.iter_child_nodes(part) if child not in left_out]
        queue.extend(reversed(inner))


def _assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    """Targets, each with its value, or None where that has no expression of its own."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _unpacked(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.AugAssign | ast.For | ast.AsyncFor | ast.comprehension):
        yield from _unpacked(node.target, None)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield from _unpacked(node.optional_vars, None)


def _unpacked(
    target: ast.expr, value: ast.expr | None
) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, value
        return
    values: Iterable[ast.expr | None] = [None] * len(target.elts)
    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        values = value.elts
    for part, one in zip(target.elts, values, strict=True):
        yield from _unpacked(part, one)


def _imported(node: ast.Import | ast.ImportFrom, names: dict[str, Any]) -> dict[str, str]:
    """Local names, each with what it stands for, dotted."""
    if isinstance(node, ast.Import):
        tops = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
        named = {alias.asname: alias.name for alias in node.names if alias.asname}
        return {**{top: top for top in tops}, **named}
    module = node.module or ""
    if node.level:
        package = str(names.get("__package__") or names.get("__name__") or "").split(".")
        above = package[: len(package) - node.level + 1]
        module = ".".join([*above, *([module] if module else [])])
    return {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
