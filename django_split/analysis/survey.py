"""From a base that is set up to a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import django
from django.apps import apps
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
    signing,
    systemchecks,
    urls,
    views,
)
from django_split.analysis.apps import Dropped, dropped, entries, models_only, shadows
from django_split.analysis.changes import Known, drop, keep_models
from django_split.analysis.deployment import (
    BASES,
    ENGINES,
    Deployment,
    DeploymentError,
    Session,
)
from django_split.analysis.derive import derive
from django_split.analysis.evidence import place
from django_split.base import read
from django_split.findings import Finding, distinct
from django_split.mounts import OTHER_ADMINS
from django_split.plan import (
    SPLIT,
    Admin,
    AdminSession,
    Derived,
    Main,
    MainUrls,
    Mount,
    Plan,
    Proxy,
    Verdict,
    structure,
)

MAIN_APP = "django_split.runtime.main.apps.MainConfig"
ADMIN_APP = "django_split.runtime.admin.apps.AdminInstanceConfig"
CACHE_ALIAS = "django_split_sessions"
SESSIONS_APP = "django.contrib.sessions"


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
    needed = models.needed(_gone(deployment), public, deployment)
    findings = [
        *chain.everywhere(),
        *(Finding(kinds.MOUNT, what) for what in found.decisions),
        *views.find(public),
        *(_below(route) for route in seen if route.is_below(admin_prefixes)),
        *(finding for group in needed.values() for finding in group),
        *signing.find(public),
        *caches.find(deployment),
        *restrictions.find(deployment),
        *coverage.find(),
    ]
    main = _main(found.mounts, deployment)
    main.urls.other_admins = other_admins
    plan = Plan(
        base=base,
        django=django.get_version(),
        site=deployment.site,
        wsgi=settings.WSGI_APPLICATION or "",
        verdict=Verdict(SPLIT),
        findings=distinct(findings),
        main=main,
        admin=_admin(found.mounts, admin_prefixes, deployment),
        proxy=_proxy(admin_prefixes, deployment, derived),
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


def _gone(deployment: Deployment) -> list[Dropped]:
    keeps_sessions = deployment.has_public_sessions
    return [item for item in dropped() if not (keeps_sessions and item.is_sessions)]


def _main(mounts: list[Mount], deployment: Deployment) -> Main:
    gone = _gone(deployment)
    configs = [item.config for item in gone]
    processors = chain.orphaned_processors(configs)
    changed: dict[str, Any] = {"ROOT_URLCONF": "django_split.runtime.main.urls"}
    why = {item.entry: item.reason for item in gone}
    why |= dict.fromkeys(processors, "its app is gone from main")
    why |= {
        MAIN_APP: "the stand-ins' app; first, to be there before anything looks for the admin",
        chain.URLCONF_FILTER: "a URLconf that a middleware chooses is filtered too",
        "ROOT_URLCONF": f"{settings.ROOT_URLCONF} without the admin, whose names still reverse",
    }
    main = Main(
        urls=MainUrls(
            root_urlconf=settings.ROOT_URLCONF,
            mounts=mounts,
            closed=deployment.main_closed_prefixes,
            closed_views=deployment.main_closed_views,
            anonymous_views=deployment.main_anonymous_views,
        ),
        default_admin_site=_default_site_name(),
        default_admin_class=_default_site_class(),
        add_apps=[MAIN_APP],
        drop_apps=[item.entry for item in gone],
        add_middleware=[chain.URLCONF_FILTER],
        swap_context_processors=processors,
        settings=changed,
        why=why,
    )
    (_keep_sessions if deployment.has_public_sessions else _stand_in)(main, deployment)
    return main


def _stand_in(main: Main, deployment: Deployment) -> None:
    sessions = chain.session_middleware()
    main.replace_middleware = dict.fromkeys(sessions, chain.STAND_IN)
    main.settings["SESSION_ENGINE"] = "django_split.runtime.main.sessions"
    main.why |= {**sessions, "SESSION_ENGINE": "a session that lives for one request"}
    if apps.is_installed("django.contrib.messages"):
        main.settings["MESSAGE_STORAGE"] = "django_split.runtime.main.messages.MainCookieStorage"
        main.settings["DJANGO_SPLIT_MESSAGES_COOKIE"] = f"{deployment.site}_main_messages"
        # Django's cookie storage takes its cookie's flags from the session's.
        main.settings["SESSION_COOKIE_SECURE"] = deployment.scheme == "https"
        main.why |= {
            "MESSAGE_STORAGE": "messages need no session in a cookie",
            "SESSION_COOKIE_SECURE": f"for the messages' cookie: served by {deployment.scheme}",
            "DJANGO_SPLIT_MESSAGES_COOKIE": "or each instance would eat the other's messages",
        }


def _keep_sessions(main: Main, deployment: Deployment) -> None:
    """Main has sessions of its own, under the base's cookie, in a store of their own."""
    session = deployment.public_session
    main.public_sessions = session.engine
    main.settings |= {
        "SESSION_ENGINE": ENGINES[session.engine],
        "SESSION_CACHE_ALIAS": CACHE_ALIAS,
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
        "SESSION_COOKIE_SECURE": deployment.scheme == "https",
    }
    main.caches = {CACHE_ALIAS: _cache(session)}
    main.why |= {
        "SESSION_ENGINE": "public sessions, in a store that the admin does not use",
        "SESSION_CACHE_ALIAS": "the cache that is the public sessions' store",
        "SESSION_SERIALIZER": "never pickle: with it, writing to the store runs code in main",
        "SESSION_COOKIE_SECURE": f"the site is served by {deployment.scheme}",
        "CACHES": f"{CACHE_ALIAS} is the public sessions' store, and nothing else is in it",
    }
    if session.engine == "cached_db":
        _with_their_table(main)


def _with_their_table(part: Main | Admin) -> None:
    if not apps.is_installed(SESSIONS_APP):
        part.add_apps.append(SESSIONS_APP)
        part.why[SESSIONS_APP] = "cached_db keeps sessions in its table, too"


def _default_site_name() -> str:
    return urls.default_site_name() if apps.is_installed("django.contrib.admin") else "admin"


def _default_site_class() -> str:
    return urls.default_site_class() if apps.is_installed("django.contrib.admin") else ""


def _admin(mounts: list[Mount], prefixes: list[str], deployment: Deployment) -> Admin:
    session = deployment.session
    engine = session.engine or _local_engine()
    cookie = f"{deployment.site}_admin_sessionid"
    path = prefixes[0] if len(prefixes) == 1 else "/"
    mount = urls.primary(mounts, deployment.admin_path) if mounts else None
    where = "the only admin prefix" if len(prefixes) == 1 else "there are several admin prefixes"
    admin = Admin(
        path=deployment.admin_path or (mount.route if mount else ""),
        login=urls.login_path(mount) if mount else "",
        prefixes=prefixes,
        session=AdminSession(engine, session.store, cookie, path),
        add_apps=[ADMIN_APP],
        settings={
            "SESSION_COOKIE_NAME": cookie,
            "SESSION_COOKIE_PATH": path,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": deployment.scheme == "https",
        },
        unset=["SESSION_COOKIE_DOMAIN"],
        why={
            ADMIN_APP: "system checks: the instance is what this plan says",
            "SESSION_COOKIE_NAME": "a session cookie of the admin's own",
            "SESSION_COOKIE_PATH": where,
            "SESSION_COOKIE_HTTPONLY": "no script of a page needs it",
            "SESSION_COOKIE_SAMESITE": "another site's form does not bring it along",
            "SESSION_COOKIE_SECURE": f"the site is served by {deployment.scheme}",
            "SESSION_COOKIE_DOMAIN": "the cookie is for this host name only",
        },
    )
    if engine != BASES:
        _store_sessions(admin, engine, session)
    # Main's table too: it is the admin's migrations that make it.
    if "cached_db" in (engine, deployment.public_session.engine):
        _with_their_table(admin)
    own = caches.own(deployment)
    admin.caches |= own
    admin.why |= {f"CACHES.{alias}": caches.COST for alias in own}
    if deployment.admin_host:
        _under_its_own_name(admin, deployment.admin_host)
    return admin


def _under_its_own_name(admin: Admin, host: str) -> None:
    """What a base says of the public name, and would keep the admin from being reached by its own.

    Links to public pages need nothing: the proxy sends them on to the public name.
    """
    if settings.PREPEND_WWW:
        admin.settings["PREPEND_WWW"] = False
        admin.why["PREPEND_WWW"] = f"{host} is the admin's name as it stands"
    domain = (settings.CSRF_COOKIE_DOMAIN or "").lstrip(".")
    if domain and not f".{host}".endswith(f".{domain}"):
        admin.unset.append("CSRF_COOKIE_DOMAIN")
        admin.why["CSRF_COOKIE_DOMAIN"] = f"no browser takes it from {host}"


def _local_engine() -> str:
    """The engine of a laptop's admin, which has no store.

    Sessions in the database are cached in front of it, as they will be on a host; others stay what
    they are, for their table or their files may be all that there is.
    """
    in_database = ("django.contrib.sessions.backends.db", ENGINES["cached_db"])
    return "cached_db" if settings.SESSION_ENGINE in in_database else BASES


def _store_sessions(admin: Admin, engine: str, session: Session) -> None:
    admin.settings = {
        "SESSION_ENGINE": ENGINES[engine],
        "SESSION_CACHE_ALIAS": CACHE_ALIAS,
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
        **admin.settings,
    }
    admin.caches = {CACHE_ALIAS: _cache(session)}
    admin.why |= {
        "SESSION_ENGINE": "sessions in the store, not in the database"
        if engine == "cache"
        else "sessions in the store, and in the database",
        "SESSION_CACHE_ALIAS": "the cache that is the session store",
        "SESSION_SERIALIZER": "never pickle: with it, writing to the store runs code in the admin",
        "CACHES": f"{CACHE_ALIAS} is the session store, and nothing else is in it",
    }


def _cache(session: Session) -> dict[str, Any]:
    if session.store == "local":
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": session.key_prefix,
        }
    common = {"LOCATION": session.url, "KEY_PREFIX": session.key_prefix}
    if session.store == "memcached":
        return {"BACKEND": "django_split.sessions.caches.JSONMemcacheCache", **common}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        **common,
        "OPTIONS": {"serializer": "django_split.sessions.serializers.JSONSerializer"},
    }


def _proxy(prefixes: list[str], deployment: Deployment, derived: dict[str, Derived]) -> Proxy:
    media = derived.get("MEDIA_ROOT")
    media_url = _path(settings.MEDIA_URL)
    return Proxy(
        admin_prefixes=prefixes,
        closed_prefixes=deployment.main_closed_prefixes,
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
