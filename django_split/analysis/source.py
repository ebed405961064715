"""What is written: syntax trees of the files that live functions came from.

Nothing here runs or imports anything. Where there is no source (compiled, exec'd, two lambdas on
one line) the answer is None: nothing is said from a guess.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Iterator
from types import FunctionType
from typing import TypeAlias

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# What turns a request into a call of a view. It writes no site's session by itself, and following
# it would only find the machinery of others.
MACHINERY = frozenset({"asgiref", "django", "rest_framework"})
# A generated module of this size is data.
LARGEST = 2_000_000


@functools.cache
def tree(file: str) -> ast.Module | None:
    """The syntax tree of a file, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an old escape in somebody's text
            return ast.parse(text(file), file)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.cache
def text(file: str) -> str:
    """What stands in a file; nothing where that cannot be read."""
    try:
        if os.path.getsize(file) > LARGEST:
            return ""
        with tokenize.open(file) as opened:
            return opened.read()
    except (OSError, SyntaxError, ValueError):
        return ""


@functools.cache
def node_of(function: FunctionType) -> FunctionNode | None:
    """The node of a function: of this very one, never of what it wraps."""
    code = function.__code__
    found = [
        node
        for node in _by_line(code.co_filename).get(code.co_firstlineno, ())
        if getattr(node, "name", "<lambda>") == code.co_name
    ]
    if len(found) > 1:
        names = code.co_varnames[: code.co_argcount]
        found = [node for node in found if tuple(a.arg for a in _positional(node)) == names]
    return found[0] if len(found) == 1 else None


@functools.cache
def _by_line(file: str) -> dict[int, list[FunctionNode]]:
    lines: dict[int, list[FunctionNode]] = {}
    parsed = None if file.startswith("<") else tree(file)
    for node in ast.walk(parsed) if parsed else ():
        if isinstance(node, FUNCTIONS):
            lines.setdefault(first_line(node), []).append(node)
    return lines


def first_line(node: FunctionNode) -> int:
    """As a code object counts: from the first decorator."""
    return min([node.lineno, *(decorator.lineno for decorator in decorators(node))])


def decorators(node: ast.AST) -> list[ast.expr]:
    written: list[ast.expr] = getattr(node, "decorator_list", [])
    return written


def statements(node: FunctionNode) -> list[ast.stmt]:
    if isinstance(node, ast.Lambda):
        return [ast.copy_location(ast.Return(node.body), node.body)]
    return node.body


def parameters(node: FunctionNode) -> list[str]:
    """Positional ones first, then those by keyword only."""
    return [argument.arg for argument in (*_positional(node), *node.args.kwonlyargs)]


def _positional(node: FunctionNode) -> list[ast.arg]:
    return [*node.args.posonlyargs, *node.args.args]


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name: "session" of `self.request.session`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """A function's body with the functions in it, without its decorators and defaults."""
    if isinstance(node, FUNCTIONS):
        for statement in statements(node):
            yield from ast.walk(statement)
    else:
        yield from ast.walk(node)


def decorator_line(function: FunctionType, name: str) -> int:
    """The line of a function's decorator of this name, also in `method_decorator(name)`; or 0."""
    node = node_of(function)
    for decorator in decorators(node) if node else ():
        if any(last_name(part) == name for part in ast.walk(decorator)):
            return decorator.lineno
    return 0


def line_of_class(cls: type) -> tuple[str, int] | None:
    """The file and the first line of a class, its decorators included."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    line = _classes(file).get(cls.__qualname__) if file.endswith(".py") else None
    return (file, line) if line else None


@functools.cache
def _classes(file: str) -> dict[str, int]:
    found: dict[str, int] = {}

    def walk(node: ast.AST, above: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = above
            if isinstance(child, ast.ClassDef):
                found[above + child.name] = min(
                    [child.lineno, *(d.lineno for d in decorators(child))]
                )
                name = f"{above}{child.name}."
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{above}{child.name}.<locals>."
            if isinstance(child, ast.stmt | ast.ExceptHandler):
                walk(child, name)

    parsed = tree(file)
    if parsed:
        walk(parsed, "")
    return found


def home(function: FunctionType) -> str:
    """The module that a function was written in; `functools.wraps` hides it in `__module__`."""
    name = function.__globals__.get("__name__", "")
    return name if type(name) is str else ""


def qualname(function: FunctionType) -> str:
    """The name that a function was written under, in spite of `functools.wraps` if Python tells."""
    code = function.__code__
    if hasattr(code, "co_qualname"):  # Python 3.11
        return str(code.co_qualname)
    return code.co_name if "__wrapped__" in function.__dict__ else function.__qualname__


def is_machinery(module: str) -> bool:
    """Whether a module is Python's, Django's or REST framework's own."""
    top = module.partition(".")[0]
    return top in MACHINERY or top in sys.stdlib_module_names


@functools.cache
def is_installed(file: str) -> bool:
    """Whether a file belongs to an installed package, and not to the site itself."""
    path = os.path.abspath(file)
    if "site-packages" in path.split(os.sep) or "dist-packages" in path.split(os.sep):
        return True
    paths = sysconfig.get_paths()
    return path.startswith((paths["stdlib"] + os.sep, paths["platstdlib"] + os.sep))
