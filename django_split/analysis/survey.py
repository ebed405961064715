"""From a base that is set up to a plan."""

from __future__ import annotations

import importlib
from typing import Any

import django
from django.apps import apps
from django.conf import settings

from django_split.analysis import chain, urls
from django_split.analysis.apps import dropped, shadows
from django_split.analysis.deployment import ENGINES, Deployment, DeploymentError
from django_split.analysis.derive import derive
from django_split.plan import (
    NOTHING_TO_SPLIT,
    PUBLIC_SESSIONS,
    SPLIT,
    SPLIT_WITH_EXTRA_PREFIXES,
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
CACHE_ALIAS = "django_split_sessions"


def survey(base: str, deployment: Deployment) -> Plan:
    """Look at the live objects of the base that is set up, and decide. Raises DeploymentError."""
    written = {
        name: value for name, value in vars(importlib.import_module(base)).items() if name.isupper()
    }
    found = urls.find()
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
    return Plan(
        base=base,
        django=django.get_version(),
        site=deployment.site,
        wsgi=settings.WSGI_APPLICATION or "",
        verdict=_verdict(found, admin_prefixes, deployment),
        main=_main(found.mounts, deployment),
        admin=_admin(found.mounts, admin_prefixes, deployment),
        proxy=_proxy(admin_prefixes, deployment, derived),
        deploy=derived,
        drift=structure(written),
    )


def _verdict(found: urls.Found, admin_prefixes: list[str], deployment: Deployment) -> Verdict:
    """Order matters:

    a site that demands a login everywhere must never be opened by a later, weaker rule.
    """
    if needs := chain.needs_sessions():
        return Verdict(
            PUBLIC_SESSIONS,
            [*needs, "public sessions (a session store of main's own) are not supported yet"],
            ["the public pages need sessions"],
        )
    if not found.mounts:
        return Verdict(NOTHING_TO_SPLIT, [f"no admin is mounted in {settings.ROOT_URLCONF}"])
    if "/" in admin_prefixes:
        return Verdict(NOTHING_TO_SPLIT, ["the whole site is the admin: it is mounted at /"])
    mounted = [
        f"{mount.kind} admin at {prefix}" for mount in found.mounts for prefix in mount.prefixes
    ]
    if deployment.admin_extra_prefixes:
        extra = f"given to the admin instance: {', '.join(deployment.admin_extra_prefixes)}"
        return Verdict(SPLIT_WITH_EXTRA_PREFIXES, [*mounted, extra], found.decisions)
    return Verdict(SPLIT, mounted, found.decisions)


def _main(mounts: list[Mount], deployment: Deployment) -> Main:
    gone = dropped()
    configs = [config for _, config, _ in gone]
    sessions = chain.session_middleware()
    processors = chain.orphaned_processors(configs)
    models = shadows(configs)
    cookie = f"{deployment.site}_main_messages"
    changed: dict[str, Any] = {
        "ROOT_URLCONF": "django_split.runtime.main.urls",
        "SESSION_ENGINE": "django_split.runtime.main.sessions",
    }
    why = {entry: reason for entry, _, reason in gone}
    why |= sessions
    why |= dict.fromkeys(processors, "its app is gone from main")
    why |= {
        MAIN_APP: "the stand-ins' app; first, to be there before anything looks for the admin",
        chain.URLCONF_FILTER: "a URLconf that a middleware chooses is filtered too",
        "ROOT_URLCONF": f"{settings.ROOT_URLCONF} without the admin, whose names still reverse",
        "SESSION_ENGINE": "a session that lives for one request",
    }
    if apps.is_installed("django.contrib.messages"):
        changed["MESSAGE_STORAGE"] = "django_split.runtime.main.messages.MainCookieStorage"
        changed["DJANGO_SPLIT_MESSAGES_COOKIE"] = cookie
        # Django's cookie storage takes its cookie's flags from the session's.
        changed["SESSION_COOKIE_SECURE"] = deployment.scheme == "https"
        why["MESSAGE_STORAGE"] = "messages need no session in a cookie"
        why["SESSION_COOKIE_SECURE"] = f"for the messages' cookie: served by {deployment.scheme}"
        why["DJANGO_SPLIT_MESSAGES_COOKIE"] = "or each instance would eat the other's messages"
    why |= {model.table: "what main deletes must cascade into this table" for model in models}
    return Main(
        urls=MainUrls(
            root_urlconf=settings.ROOT_URLCONF,
            mounts=mounts,
            closed=deployment.main_closed_prefixes,
        ),
        default_admin_site=_default_site_name(),
        add_apps=[MAIN_APP],
        drop_apps=[entry for entry, _, _ in gone],
        replace_middleware=dict.fromkeys(sessions, chain.STAND_IN),
        add_middleware=[chain.URLCONF_FILTER],
        swap_context_processors=processors,
        settings=changed,
        models=models,
        why=why,
    )


def _default_site_name() -> str:
    return urls.default_site_name() if apps.is_installed("django.contrib.admin") else "admin"


def _admin(mounts: list[Mount], prefixes: list[str], deployment: Deployment) -> Admin:
    session = deployment.session
    cookie = f"{deployment.site}_admin_sessionid"
    path = prefixes[0] if len(prefixes) == 1 else "/"
    mount = urls.primary(mounts, deployment.admin_path) if mounts else None
    where = "the only admin prefix" if len(prefixes) == 1 else "there are several admin prefixes"
    add_apps = []
    why = {
        "SESSION_ENGINE": "sessions in the store, not in the database",
        "SESSION_SERIALIZER": "never pickle: with it, writing to the store runs code in the admin",
        "SESSION_COOKIE_NAME": "a session cookie of the admin's own",
        "SESSION_COOKIE_PATH": where,
        "SESSION_COOKIE_SECURE": f"the site is served by {deployment.scheme}",
        "SESSION_COOKIE_DOMAIN": "the cookie is for this host name only",
        "CACHES": f"{CACHE_ALIAS} is the session store, and nothing else is in it",
    }
    if session.engine == "cached_db" and not apps.is_installed("django.contrib.sessions"):
        add_apps = ["django.contrib.sessions"]
        why["django.contrib.sessions"] = "cached_db writes its table"
    return Admin(
        path=deployment.admin_path or (mount.route if mount else ""),
        login=urls.login_path(mount) if mount else "",
        prefixes=prefixes,
        session=AdminSession(session.engine, session.store, cookie, path),
        add_apps=add_apps,
        settings={
            "SESSION_ENGINE": ENGINES[session.engine],
            "SESSION_CACHE_ALIAS": CACHE_ALIAS,
            "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
            "SESSION_COOKIE_NAME": cookie,
            "SESSION_COOKIE_PATH": path,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": deployment.scheme == "https",
        },
        unset=["SESSION_COOKIE_DOMAIN"],
        caches={CACHE_ALIAS: _cache(deployment)},
        why=why,
    )


def _cache(deployment: Deployment) -> dict[str, Any]:
    session = deployment.session
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
