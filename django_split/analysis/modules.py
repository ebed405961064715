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
IMPORT = re.compile(
    r"^([ \t]*)(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]*))",
    re.M,
)
WORD = re.compile(r"\w+")
STANDARD = sysconfig.get_path("stdlib")
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
        return self.resolve("." * node.level + (node.module or ""))

    def resolve(self, name: str) -> str:
        """The absolute name for one that may be relative; empty where it leads out of here."""
        if not name.startswith("."):
            return name
        try:
            return importlib.util.resolve_name(name, self.package)
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
    packages = (f"{STANDARD}/site-packages/", f"{STANDARD}/dist-packages/")
    return file.startswith(STANDARD) and not file.startswith(packages)


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


def written_imports(module: Module, only_indented: bool = False) -> Iterator[tuple[str, int]]:
    """The dotted names after `import`, each with its line, read without parsing the module.

    Good enough to rule a module out: a text that looks like an import counts too. `only_indented`
    gives those in functions, conditions and classes, which may not have run yet.
    """
    for match in IMPORT.finditer(module.text):
        indent, source, names, plain = match.groups()
        if only_indented and not indent:
            continue
        line = module.text.count("\n", 0, match.start()) + 1
        if source:
            start = module.resolve(source)
            yield start, line
            yield from ((f"{start}.{name}", line) for name in WORD.findall(names))
        else:
            yield from ((part.split()[0], line) for part in plain.split(",") if part.strip())


def aliases(module: Module) -> dict[str, str]:
    """What the names stand for that a module's imports give it."""
    found: dict[str, str] = {}
    for node in ast.walk(module.tree) if module.tree else ():
        if isinstance(node, ast.ImportFrom) and (source := module.absolute(node)):
            found |= {name.asname or name.name: f"{source}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.asname: name.name for name in node.names if name.asname}
    return found


def stands_for(node: ast.AST, names: dict[str, str]) -> str:
    """The dotted name of what a chain of names stands for."""
    head, _, rest = dotted(node).partition(".")
    return f"{names.get(head, head)}.{rest}".rstrip(".")


def constant(node: ast.AST | None) -> Any:
    return node.value if isinstance(node, ast.Constant) else None
