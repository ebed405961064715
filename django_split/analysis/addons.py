"""The apps of somebody else's that the base has: which of them main could do without.

Main keeps an app unless it cannot load (FACTS A18). What is said here decides what becomes of one
that cannot: a skin of the admin, which nothing of main uses, goes; an app whose models others use
stays, whatever that takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.models import Model

from django_split.analysis import templates
from django_split.analysis.apps import Dropped, entries
from django_split.analysis.deployment import Deployment
from django_split.analysis.evidence import at
from django_split.analysis.layers import peel
from django_split.analysis.modules import Module, is_admins, loaded, written_imports
from django_split.analysis.related import related
from django_split.analysis.routes import Route
from django_split.analysis.shown import texts
from django_split.analysis.source import home, is_installed, is_machinery

OWN = "it is the site's own"


def kept() -> dict[str, str]:
    """Why main cannot do without an app, by its entry.

    The site's own, and those whose models the site or another app uses outside of its admin
    modules. Django's are not among them.
    """
    found = {}
    configs = {entry: config for entry, config in entries() if not is_machinery(config.name)}
    used = _models_used(configs)
    for entry, config in configs.items():
        file = str(getattr(config.module, "__file__", "") or config.path)
        if not is_installed(file):
            found[entry] = OWN
        elif entry in used:
            found[entry] = used[entry]
    return found


def skins(routes: list[Route], deployment: Deployment, kept: dict[str, str]) -> list[str]:
    """The apps that nothing of main uses: they have no tables, serve no page and are no setting."""
    bare = {
        entry: config
        for entry, config in entries()
        if entry not in kept and not is_machinery(config.name) and not _has_tables(config)
    }
    serving = {module for route in routes for module in _modules_of(route)}
    named = {text for text in _settings() if text not in bare}
    imported_by = {
        name
        for module in loaded()
        if not is_admins(module.name)
        for name in _imports(module, [config.name for config in bare.values()])
    }
    free = {
        entry: config
        for entry, config in bare.items()
        if not any(_is_below(name, config.name) for name in (*serving, *named, *imported_by))
    }
    candidates = [Dropped(entry, config, "") for entry, config in free.items()]
    shown = {entry for entry, _ in templates.needed(candidates, routes, deployment)}
    return [entry for entry in free if entry not in shown]


def _has_tables(config: AppConfig) -> bool:
    return any(model._meta.managed and not model._meta.proxy for model in config.get_models())


def _models_used(configs: dict[str, AppConfig]) -> dict[str, str]:
    """Where another package uses an app's models: by a relation, or by an import."""
    by_label = {config.label: entry for entry, config in configs.items()}
    used = {}
    for model in apps.get_models():
        for name, other in related(model):
            entry = by_label.get(other._meta.app_label, "")
            if entry and _top(model.__module__) != _top(configs[entry].name):
                used[entry] = f"{model._meta.label}{name} relates to {other._meta.label}"
    names = [config.name for config in configs.values()]
    modules = [module for module in loaded() if not is_admins(module.name)]
    for module in modules:
        for name, line in _imports(module, names).items():
            for entry, config in configs.items():
                if _is_below(name, config.name) and _is_model(name, config):
                    where = at(module.file, line)
                    used.setdefault(entry, f"{module.name} imports {name} ({where})")
    return used


def _imports(module: Module, packages: list[str]) -> dict[str, int]:
    """What a module imports of others' packages, each with its line."""
    others = [name for name in packages if _top(name) != _top(module.name)]
    found: dict[str, int] = {}
    for name, line in written_imports(module):
        if any(_is_below(name, package) for package in others):
            found.setdefault(name, line)
    return found


def _is_model(name: str, config: AppConfig) -> bool:
    """Whether a dotted name is a module of an app's models, or one of them."""
    if _is_below(name, f"{config.name}.models"):
        return True
    module, _, attribute = name.rpartition(".")
    value = getattr(sys.modules.get(module), attribute, None)
    return isinstance(value, type) and issubclass(value, Model)


def _modules_of(route: Route) -> Iterator[str]:
    layers = peel(route.callback)
    yield from (home(function) for function in layers.functions)
    yield from (cls.__module__ for cls in layers.classes)


def _settings() -> Iterator[str]:
    """Every text in the settings but the apps themselves."""
    for name in dir(settings):
        if name.isupper() and name != "INSTALLED_APPS":
            yield from texts(getattr(settings, name))


def _is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _top(name: str) -> str:
    return name.partition(".")[0]
