"""Methods that keep something in the session, found by name.

`request.cart.add(paper)`, `restriction.mark_as_passed(request)`: what the object is, only a running
request knows. A method of that name counts if it writes to the session of a request that its object
holds or that it is given, and if its class is called like the object.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator

from django.apps import apps

from django_split.analysis.anatomy import Step, calls_of, scope_of, steps_of
from django_split.analysis.keeps import writes
from django_split.analysis.names import REQUEST, SESSION, Scope
from django_split.analysis.objects import Bound, is_a, own_vars
from django_split.analysis.source import is_installed, is_machinery, last_name, text

# Shorter, and everything is called like it.
SHORTEST = 3


def of(scope: Scope, call: ast.Call) -> Iterator[Step]:
    """The methods that a call of an unknown object may mean."""
    function = call.func
    if not scope.has_kinds or not isinstance(function, ast.Attribute):
        return
    name = last_name(function.value).replace("_", "").lower()
    candidates = _writers().get(function.attr, ())
    if not candidates or len(name) < SHORTEST:
        return
    given = [*call.args, *(word.value for word in call.keywords)]
    is_given = any(scope.kind(argument) in (REQUEST, SESSION) for argument in given)
    holds = _is_of_a_request(scope, function.value)
    for step in candidates:
        called = step.owner.__name__.lower() if step.owner else ""
        if (name in called or called in name) and (is_given or (holds and step.attributes)):
            yield step


def _is_of_a_request(scope: Scope, node: ast.expr) -> bool:
    """`request.cart`, also under a name of its own."""
    if isinstance(node, ast.Name):
        value = scope.value(node.id)
        return value is not None and _is_of_a_request(scope, value)
    return isinstance(node, ast.Attribute) and scope.kind(node.value) == REQUEST


@functools.cache
def _writers() -> dict[str, list[Step]]:
    """By name, the methods that write to the session, themselves or by another of their class."""
    found: dict[str, list[Step]] = {}
    for cls in _classes():
        steps = [step for step in steps_of(cls) if not is_machinery(step.function.__module__)]
        writing: set[object] = {step.function for step in steps if _writes(step)}
        before = 0
        while writing and before != len(writing):
            before = len(writing)
            writing |= {step.function for step in steps if _calls(step, writing)}
        for step in steps:
            if step.function in writing and not step.function.__name__.startswith("__"):
                found.setdefault(step.function.__name__, []).append(step)
    return found


def _writes(step: Step) -> bool:
    scope = scope_of(step)
    return bool(scope and writes(scope))


def _calls(step: Step, functions: set[object]) -> bool:
    targets = [call.target for call in calls_of(step)]
    return any(is_a(target, Bound) and target.method in functions for target in targets)


def _classes() -> Iterator[type]:
    """Those of the site and of its apps, in modules that speak of a session."""
    packages = {config.name for config in apps.get_app_configs() if not is_machinery(config.name)}
    for name, module in sorted(sys.modules.items()):
        file = own_vars(module).get("__file__") or ""
        if not file.endswith(".py") or is_machinery(name):
            continue
        inside = any(name == package or name.startswith(f"{package}.") for package in packages)
        if (inside or not is_installed(file)) and ".session" in text(file):
            things = list(own_vars(module).values())
            yield from (t for t in things if is_a(t, type) and t.__module__ == name)
