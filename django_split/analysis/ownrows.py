"""Rows of the user: a query that fails for an AnonymousUser, so that only somebody known gets on.

`Order.objects.filter(user=request.user)` is a TypeError where nobody is signed in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django_split.analysis.names import USER, Scope
from django_split.analysis.refusals import is_seldom
from django_split.analysis.source import last_name

ASKS = frozenset(
    {
        "create",
        "acreate",
        "exclude",
        "filter",
        "get_or_create",
        "aget_or_create",
        "update_or_create",
        "aupdate_or_create",
        "get_list_or_404",
        "get_object_or_404",
        "aget_list_or_404",
        "aget_object_or_404",
    }
)
CATCHES = frozenset({"BaseException", "Exception", "TypeError"})


def queries(scope: Scope) -> Iterator[ast.Call]:
    """The queries by the user that an anonymous visitor comes to, and that nothing catches."""
    caught = {id(call) for call in _caught(scope)} if scope.has_kinds else set()
    for call in scope.reading.calls if scope.has_kinds else ():
        if last_name(call.func) not in ASKS or id(call) in caught or is_seldom(scope, call):
            continue
        if any(word.arg and scope.kind(word.value) == USER for word in call.keywords):
            yield call


def _caught(scope: Scope) -> Iterator[ast.Call]:
    for node in scope.reading.body:
        if isinstance(node, ast.Try) and any(_catches(handler) for handler in node.handlers):
            for statement in node.body:
                yield from (part for part in ast.walk(statement) if isinstance(part, ast.Call))


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(last_name(part) in CATCHES for part in ast.walk(handler.type))
