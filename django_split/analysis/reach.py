"""What main may come to: the modules it has loaded, and those that a function would still load."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Sequence

from django.apps import apps as installed
from django.conf import settings

from django_split.analysis.imports import App, words
from django_split.analysis.modules import Module, imported, loaded, written_imports
from django_split.analysis.running import running
from django_split.analysis.source import is_machinery

# A package of somebody's that loads itself bit by bit is no site.
MOST = 500


def modules(apps: Sequence[App]) -> Iterator[Module]:
    """Every module that main has loaded, then what an import in a function leads to.

    Those are looked for in the packages of the site and its apps only: nothing else imports models.
    """
    queue = loaded()
    yield from queue
    packages = _packages()
    seen: set[str] = set()
    while queue and len(seen) < MOST:
        module = queue.pop(0)
        for name in _later(module, apps, packages) if _may(module, packages) else ():
            found = _found(name)
            if found and found.file not in seen:
                seen.add(found.file)
                queue.append(found)
                yield found


def _packages() -> set[str]:
    names = [config.name for config in installed.get_app_configs()]
    names += [settings.ROOT_URLCONF, str(getattr(settings, "SETTINGS_MODULE", ""))]
    tops = {name.partition(".")[0] for name in names}
    return {top for top in tops if not is_machinery(top) and top != "django_split"}


def _may(module: Module, packages: set[str]) -> bool:
    """Whether a module has anything left to import; parsing it to be sure takes much longer."""
    has_run = module.name in sys.modules
    return any(
        _is_left(name, packages) and _found(name)
        for name, _ in written_imports(module, only_indented=has_run)
    )


def _is_left(name: str, packages: set[str]) -> bool:
    return name.partition(".")[0] in packages and name not in sys.modules


def _later(module: Module, apps: Sequence[App], packages: set[str]) -> Iterator[str]:
    for statement, _ in running(module, words(apps)):
        for name in imported(module, statement):
            if _is_left(name, packages):
                yield name


@functools.cache
def _found(name: str) -> Module | None:
    """The module of a name, found as a file: nothing is imported for it."""
    top, *rest = name.split(".")
    folders = list(getattr(sys.modules.get(top), "__path__", ()))
    for depth, part in enumerate(rest, 1):
        within = [os.path.join(folder, part) for folder in folders]
        if depth == len(rest):
            for place in within:
                for file in (os.path.join(place, "__init__.py"), f"{place}.py"):
                    if os.path.isfile(file):
                        package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
                        return Module(name, package, file)
        folders = [place for place in within if os.path.isdir(place)]
    return None
