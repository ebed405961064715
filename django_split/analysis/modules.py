"""The modules of this process that somebody wrote: their source, and what they import."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from django_split.analysis.source import is_machinery, tree

OURS = "django_split"
ADMIN_MODULE = re.compile(r"\.admin(\.|\Z)")


@dataclass(frozen=True)
class Module:
    """A module that is loaded, or could be."""

    name: str
    package: str
    file: str

    @property
    def tree(self) -> ast.Module | None:
        return tree(self.file)

    @property
    def text(self) -> str:
        return text(self.file)

    def absolute(self, node: ast.ImportFrom) -> str:
        """The dotted name that a `from … import` names; empty where it leads out of the package."""
        if not node.level:
            return node.module or ""
        try:
            return importlib.util.resolve_name("." * node.level + (node.module or ""), self.package)
        except ImportError:
            return ""


def loaded() -> list[Module]:
    """The site's own modules and those of its packages, in a stable order.

    Neither Python's nor Django's, nor ours.
    """
    found = []
    for name, module in sorted(sys.modules.items()):
        if type(module) is not ModuleType or is_machinery(name) or name.partition(".")[0] == OURS:
            continue
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and not is_standard(file):
            package = getattr(module, "__package__", None) or name.rpartition(".")[0]
            found.append(Module(name, package, file))
    return found


def is_standard(file: str) -> bool:
    """Whether a file is Python's own, under whatever name it was imported."""
    standard = sysconfig.get_path("stdlib")
    return file.startswith(standard) and not file.startswith(
        (f"{standard}/site-packages/", f"{standard}/dist-packages/")
    )


@functools.cache
def text(file: str) -> str:
    """The text of a file; empty where it cannot be read."""
    try:
        with tokenize.open(file) as opened:
            return opened.read()
    except (OSError, SyntaxError, ValueError):
        return ""


def is_admins(name: str) -> bool:
    """Whether a module is one that the admin looks for: nothing else loads it by its name."""
    return bool(ADMIN_MODULE.search(name))


def dotted(node: ast.AST) -> str:
    """A chain of names as it is written: "apps.get_model"; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def imported(module: Module, node: ast.AST) -> Iterator[str]:
    """The dotted names that an import statement may load: modules, or what stands in them."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and (source := module.absolute(node)):
        yield source
        yield from (f"{source}.{alias.name}" for alias in node.names if alias.name != "*")


def constant(node: ast.AST | None) -> Any:
    return node.value if isinstance(node, ast.Constant) else None
