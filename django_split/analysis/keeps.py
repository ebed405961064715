"""Writes to the session, as they stand in a function."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django_split.analysis.names import SESSION, Scope
from django_split.analysis.source import last_name

# What of a SessionBase changes it, or makes or ends it; each also as Django's own async form.
WRITES = frozenset(
    {
        "clear",
        "create",
        "cycle_key",
        "delete_test_cookie",
        "flush",
        "pop",
        "popitem",
        "save",
        "set_expiry",
        "set_test_cookie",
        "setdefault",
        "update",
        "__delitem__",
        "__setitem__",
        "aset",
    }
)


@dataclass(frozen=True)
class Write:
    line: int
    text: str  # "request.session["cart"]", as it is written


@functools.cache
def writes(scope: Scope) -> tuple[Write, ...]:
    """The writes of a function, in the order of its lines."""
    body = scope.reading.body if scope.has_kinds else []
    found = {write for node in body for write in _writes(scope, node)}
    return tuple(sorted(found, key=lambda write: (write.line, write.text)))


def _writes(scope: Scope, node: ast.AST) -> Iterator[Write]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        whole = node
        while isinstance(whole.value, ast.Subscript):
            whole = whole.value
        if scope.kind(whole.value) == SESSION:
            yield Write(node.lineno, f"{_text(whole.value)}[{_text(whole.slice)}]")
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        if node.attr == "modified" and scope.kind(node.value) == SESSION:
            yield Write(node.lineno, f"{_text(node.value)}.modified")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if (name in WRITES or name.removeprefix("a") in WRITES) and (
            scope.kind(node.func.value) == SESSION
        ):
            given = _text(node.args[0]) if node.args else ""
            yield Write(node.lineno, f"{_text(node.func.value)}.{name}({given})")


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return f'"{node.value}"'
    text = ast.unparse(node)
    return text if len(text) <= 40 else last_name(node) or "…"


# Views that keep what they are told in the session, through a storage that they name as a text.
STORAGE = "SessionStorage"


def keeper(classes: Iterable[type]) -> str:
    """The name of a view class that writes to the session by itself, as formtools' wizards do."""
    for cls in classes:
        for base in cls.__mro__:
            if str(base.__dict__.get("storage_name", "")).endswith(STORAGE):
                return f"{base.__name__} ({base.__module__})"
    return ""
