"""What each of the two analysis processes does."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from django_split.analysis.deployment import Deployment, DeploymentError
from django_split.analysis.failure import describe
from django_split.base import read
from django_split.findings import Finding
from django_split.plan import Plan, apply
from django_split.versions import UnsupportedError, check_versions


def base(request: dict[str, Any]) -> dict[str, Any]:
    """Set the base up, look at it, and ask its pages as a visitor.

    Takes `settings` and `deploy`, `pages` and `seconds` for the crawl. Gives `survey`, `pages` and
    `where` (what the base writes, by place), or in `broken` or `bad` what is wrong with the
    settings or the deployment.
    """
    module = request["settings"]
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    try:
        check_versions()
        deployment = Deployment.read(request["deploy"], default_site=module.partition(".")[0])
        read(module)  # first: Django itself would import a plain module
        _set_up()
        from django_split.analysis.survey import survey

        found = survey(module, deployment)
        where = _where(module, found.plan)
        pages: dict[str, Any] = {}
        if request["pages"]:
            from django_split.analysis import crawl

            limits = request["pages"], request["seconds"]
            prefixes = found.plan.admin.prefixes
            asked = crawl.of_base(found.paths, prefixes, deployment, *limits)
            pages = dataclasses.asdict(asked)
        plain = {**dataclasses.asdict(found), "plan": found.plan.data()}
        return {"survey": plain, "pages": pages, "where": where}
    except DeploymentError as error:
        return {"bad": str(error)}
    except UnsupportedError as error:
        return {"broken": str(error)}
    except (Exception, SystemExit) as error:
        return {"broken": describe(error, module)}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Start main under the plan that the environment names, and ask the same pages.

    Takes `paths`, `prefixes`, `pages` and `seconds`; `installed` are the base's apps, `gone` those
    that main can keep the models of, `dropped` the entries of those that it does not. Gives
    `needed`, the findings that say why it must, by entry; `errors`, of its system checks; and
    `pages`, which nobody has asked for while something is missing. Or `broken`: why it does not
    start.
    """
    from django_split.analysis.blame import blame
    from django_split.analysis.imports import App

    os.environ["DJANGO_SETTINGS_MODULE"] = "django_split.instances.main"
    gone = [App(**app) for app in request["gone"]]
    try:
        _set_up()
        from django_split.analysis import models, systemchecks

        _load()
        needed = models.imports(gone)
        if any(needed.get(entry) for entry in request["dropped"]):
            return {"needed": _plain(needed), "errors": [], "pages": {}}
        errors = systemchecks.errors()
        pages: dict[str, Any] = {}
        if request["paths"]:
            from django_split.analysis import crawl

            deployment = Deployment.read(request["deploy"], default_site="main")
            paths, prefixes = request["paths"], request["prefixes"]
            asked = crawl.of_main(paths, prefixes, deployment, request["seconds"])
            for entry, group in models.failing(asked.pages, gone).items():
                needed.setdefault(entry, []).extend(group)
            pages = dataclasses.asdict(asked)
    except (Exception, SystemExit) as error:
        found = blame(error, request["installed"], gone)
        return {"broken": dataclasses.asdict(found)}
    return {"needed": _plain(needed), "errors": errors, "pages": pages}


def diff(request: dict[str, Any]) -> dict[str, Any]:
    """Compare the base with each instance's settings.

    Takes `settings` and `plan`. Gives for "main" and "admin" a list of changes: here and nowhere
    else are the base's values known, and what is secret in them does not leave this process.
    """
    from django_split.diff import Differ, secret_names

    os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
    plan = Plan.from_data(request["plan"])
    try:
        values = read(request["settings"])
        differ = Differ(secret_names())
    except (Exception, SystemExit) as error:
        return {"broken": describe(error, request["settings"])}
    return {
        instance: [
            dataclasses.asdict(change)
            for change in differ.changes(values, apply(plan, instance, values)[0])
        ]
        for instance in ("main", "admin")
    }


def _where(module: str, plan: Plan) -> dict[str, str]:
    from django.conf import settings

    from django_split.analysis.written import places

    wanted = [*settings.INSTALLED_APPS, *settings.MIDDLEWARE, *read(module), *plan.deploy]
    return places(module, [*wanted, *plan.main.swap_context_processors])


def _plain(needed: Mapping[str, list[Finding]]) -> dict[str, Any]:
    return {entry: [dataclasses.asdict(item) for item in group] for entry, group in needed.items()}


def _load() -> None:
    """What an instance loads with its first requests: URLs, middleware, templates and their tags.

    A skin of the admin fails there, by tags that import what is gone (FACTS A18).
    """
    from django.core.handlers.base import BaseHandler
    from django.forms.renderers import get_default_renderer
    from django.template import engines
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    BaseHandler().load_middleware()
    engines.all()
    _ = getattr(get_default_renderer(), "engine", None)


def _set_up() -> None:
    import django
    from django.conf import settings

    # The base's log files may lie in the source, where the release is not writable; the plan moves
    # them, and the instances' own check sets logging up.
    settings.LOGGING_CONFIG = None
    django.setup()
    # The URLconf is looked at as an instance will have it: sites add patterns of their own under
    # DEBUG.
    settings.DEBUG = False
