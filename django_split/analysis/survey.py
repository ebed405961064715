"""From a base that is set up to a plan."""

from __future__ import annotations

from dataclasses import dataclass

import django
from django.conf import settings

from django_split import findings as kinds
from django_split.analysis import (
    addons,
    caches,
    chain,
    coverage,
    models,
    restrictions,
    routes,
    sign_on,
    signing,
    systemchecks,
    urls,
    views,
    way_in,
)
from django_split.analysis.admin_part import admin_part
from django_split.analysis.apps import entries, models_only, shadows
from django_split.analysis.changes import Known, drop, keep_models
from django_split.analysis.deployment import (
    Deployment,
    DeploymentError,
)
from django_split.analysis.derive import derive
from django_split.analysis.evidence import place
from django_split.analysis.main_part import gone_from_main, main_part
from django_split.base import read
from django_split.findings import Finding, distinct
from django_split.mounts import OTHER_ADMINS
from django_split.plan import (
    SPLIT,
    Derived,
    Mount,
    Plan,
    Proxy,
    Verdict,
    structure,
)


@dataclass
class Survey:
    """What the base's process has to say. The verdict is not in the plan yet: it waits for main's.

    `known` is of every app: main's process may show that one more has to go. `errors` are those of
    the base's own system checks. `paths` can be asked for.
    """

    plan: Plan
    known: Known
    errors: list[list[str]]
    views: int
    paths: list[str]


def survey(base: str, deployment: Deployment) -> Survey:
    """Look at the live objects of the base that is set up. Raises DeploymentError."""
    written = read(base)
    other_admins = {**OTHER_ADMINS, **{name: name for name in deployment.admin_urlconfs}}
    found = urls.find(other_admins)
    _check_admin_path(deployment, found.mounts)
    derived = derive(written, deployment)
    logins = way_in.find(found.mounts)
    admin_prefixes = list(
        dict.fromkeys(
            [
                *(prefix for mount in found.mounts for prefix in mount.prefixes),
                *deployment.admin_extra_prefixes,
            ]
        )
    )
    seen = routes.routes(other_admins)
    public = [route for route in seen if not route.is_below(admin_prefixes)]
    sign_on.check(deployment, (route for route in seen if route.is_below(admin_prefixes)))
    needed = models.needed(gone_from_main(deployment), public, deployment)
    findings = [
        *chain.everywhere(),
        *(Finding(kinds.MOUNT, what) for what in found.decisions),
        *logins,
        *views.find(public),
        *(_below(route) for route in seen if route.is_below(admin_prefixes)),
        *(finding for group in needed.values() for finding in group),
        *signing.find(public, deployment),
        *caches.find(deployment),
        *restrictions.find(deployment),
        *coverage.find(),
    ]
    main = main_part(found.mounts, deployment)
    main.urls.other_admins = other_admins
    plan = Plan(
        base=base,
        django=django.get_version(),
        site=deployment.site,
        wsgi=settings.WSGI_APPLICATION or "",
        verdict=Verdict(SPLIT),
        findings=distinct(findings),
        main=main,
        admin=admin_part(found.mounts, admin_prefixes, deployment),
        proxy=_proxy(admin_prefixes, deployment, derived, way_in.elsewhere(logins, admin_prefixes)),
        deploy=derived,
        drift=structure(written),
    )
    known = _known(public, deployment)
    for entry in list(main.drop_apps):
        if entry in needed:
            keep_models(plan, entry, known, needed[entry])
        else:
            drop(plan, entry, known)
    return Survey(
        plan=plan,
        known=known,
        errors=systemchecks.errors(),
        views=len({route.view for route in public}),
        paths=_paths(public),
    )


def _paths(public: list[routes.Route]) -> list[str]:
    """What can be asked for: each view in the default language, then the others."""
    literal = [route for route in public if route.literal]
    first = {id(route.callback): route for route in reversed(literal)}
    return list(dict.fromkeys(route.url for route in [*reversed(first.values()), *literal]))


def _known(public: list[routes.Route], deployment: Deployment) -> Known:
    kept = addons.kept()
    configs = dict(entries())
    return Known(
        names={entry: config.name for entry, config in configs.items()},
        labels={entry: config.label for entry, config in configs.items()},
        shadows=shadows(),
        models_only=models_only(),
        processors={
            entry: found
            for entry, config in configs.items()
            if (found := chain.orphaned_processors([config]))
        },
        kept=kept,
        skins=addons.skins(public, deployment, kept),
    )


def _below(route: routes.Route) -> Finding:
    return Finding(
        kinds.BELOW,
        "it stands under a prefix of the admin instance, which serves it",
        url=route.url,
        view=route.view,
        where=place(route.callback),
    )


def _proxy(
    prefixes: list[str], deployment: Deployment, derived: dict[str, Derived], logins: list[str]
) -> Proxy:
    media = derived.get("MEDIA_ROOT")
    media_url = _path(settings.MEDIA_URL)
    return Proxy(
        admin_prefixes=prefixes,
        closed_prefixes=deployment.main_closed_prefixes,
        admin_logins=logins if deployment.admin_host else [],
        static_url=_path(settings.STATIC_URL),
        static_root=deployment.static_root or str(settings.STATIC_ROOT or ""),
        media_url=media_url,
        media_root=media.value if media else str(settings.MEDIA_ROOT or ""),
    )


def _path(url: str | None) -> str:
    """The path that nginx can serve files under:

    none for a URL on another host, or for no URL at all ("/").
    """
    return url if url and url.startswith("/") and url != "/" else ""


def _check_admin_path(deployment: Deployment, found: list[Mount]) -> None:
    prefixes = [prefix for mount in found for prefix in mount.prefixes]
    if deployment.admin_path and deployment.admin_path not in prefixes:
        seen = (
            f"the admin is mounted at {', '.join(prefixes)}" if prefixes else "no admin is mounted"
        )
        raise DeploymentError(
            f"admin_path: {deployment.admin_path!r} is not an admin's path: {seen}"
        )
