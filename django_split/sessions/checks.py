"""System checks of where an instance keeps its sessions, and in what form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.utils.module_loading import import_string

from django_split.plan import Admin, Main, Plan
from django_split.sessions import caches
from django_split.sessions.serializers import unpickles

STORE = "DJANGO_SPLIT_SESSIONS"
STAND_IN = "django_split.runtime.main.sessions"
IN_A_CACHE = (
    "django.contrib.sessions.backends.cache",
    "django.contrib.sessions.backends.cached_db",
)
IN_THE_DATABASE = (
    "django.contrib.sessions.backends.db",
    "django.contrib.sessions.backends.cached_db",
    "django_split.sessions.redis_db",
)

AGAIN = "Make the plan again: django-split plan (the playbook makes it at each deploy)."
HINT = f"{AGAIN} Set nothing after load() that the plan sets."
PICKLE = f"With pickle, whoever can write to the store runs code where it is read. {HINT}"


def of_main(plan: Plan) -> Iterator[CheckMessage]:
    """The stand-in, or with public_sessions sessions of main's own."""
    makers = [entry for entry in settings.MIDDLEWARE if _makes_sessions(entry)]
    if not plan.main.public_sessions:
        yield from _engine("main", STAND_IN)
        for entry in makers:
            yield Error(f"{entry} is in main's MIDDLEWARE.", hint=HINT, id="split.E003")
        return
    if not makers:
        what = "Main is to have sessions (public_sessions), but has no SessionMiddleware."
        yield Error(what, hint=HINT, id="split.E003")
    yield from _kept("main", plan.main)
    yield from _chain("main", plan.main.first_middleware, {})
    yield from _cookie("main", {plan.admin.session.cookie: "the admin's"})
    yield from _apart(plan)


def of_admin(plan: Plan) -> Iterator[CheckMessage]:
    """Sessions in the store, as JSON, under a cookie of the admin's own."""
    yield from _kept("the admin", plan.admin)
    yield from _chain("the admin", plan.admin.first_middleware, plan.admin.after_middleware)
    base = settings.DJANGO_SPLIT["base_session_cookie"]
    main = plan.main.settings.get("SESSION_COOKIE_NAME", base)
    yield from _cookie("the admin", {base: "the base's", main: "main's"})
    yield from _apart(plan)


def _makes_sessions(entry: str) -> bool:
    made = import_string(entry)
    return isinstance(made, type) and issubclass(made, SessionMiddleware)


def _engine(instance: str, planned: str) -> Iterator[CheckMessage]:
    if planned != settings.SESSION_ENGINE:
        what = f"SESSION_ENGINE on {instance} is {settings.SESSION_ENGINE!r}, not {planned!r}."
        yield Error(what, hint=HINT, id="split.E002")


def _kept(instance: str, planned: Main | Admin) -> Iterator[CheckMessage]:
    """Where the plan wants them; never pickle, in the session or around it."""
    engine = planned.settings.get("SESSION_ENGINE")
    if engine is None:
        return  # a laptop's admin may keep them as the base does
    yield from _engine(instance, engine)
    if unpickles(settings.SESSION_SERIALIZER):
        what = f"SESSION_SERIALIZER on {instance} is {settings.SESSION_SERIALIZER!r}: it pickles."
        yield Error(what, hint=PICKLE, id="split.E006")
    # What the base says of its old cookie is added when settings load.
    planned_store = planned.settings.get(STORE, {})
    store = getattr(settings, STORE, {})
    if any(store.get(key) != value for key, value in planned_store.items()):
        what = f"{STORE} on {instance}, the session store, is not what the plan says."
        yield Error(what, hint=HINT, id="split.E007")
    if settings.SESSION_ENGINE not in IN_A_CACHE:
        return
    alias = settings.SESSION_CACHE_ALIAS
    cache = settings.CACHES.get(alias, {})
    if cache != planned.caches.get(alias):
        what = f"CACHES[{alias!r}] on {instance}, the session store, is not what the plan says."
        yield Error(what, hint=HINT, id="split.E007")
    elif _pickles(cache):
        what = f"CACHES[{alias!r}] on {instance}, the session store, pickles."
        yield Error(what, hint=PICKLE, id="split.E007")


def _chain(instance: str, first: list[str], after: dict[str, list[str]]) -> Iterator[CheckMessage]:
    """Sessions in a store are guarded before anything asks for one, and limited before any use."""
    entries = list(settings.MIDDLEWARE)
    if entries[: len(first)] != first:
        yield Error(
            f"MIDDLEWARE on {instance} does not begin with {', '.join(first)}: with the store away "
            "everybody would be signed out.",
            hint=HINT,
            id="split.E012",
        )
    for before, following in after.items():
        place = len(entries) - entries[::-1].index(before) if before in entries else 0
        if not place or entries[place : place + len(following)] != following:
            yield Error(
                f"{', '.join(following)} is not directly behind {before} in MIDDLEWARE on "
                f"{instance}: no session would end in time.",
                hint=HINT,
                id="split.E013",
            )


def _pickles(cache: dict[str, Any]) -> bool:
    """Whether a cache may pickle. One that is not known here may."""
    backend = import_string(cache["BACKEND"])
    if issubclass(backend, LocMemCache):
        return False  # pickled, but in the process's own memory
    if any(base.__module__ == caches.__name__ for base in backend.__mro__):
        return False  # ours never do
    if issubclass(backend, RedisCache):
        serializer = (cache.get("OPTIONS") or {}).get("serializer")
        return serializer is None or unpickles(serializer)
    return True


def _cookie(instance: str, taken: dict[str, str]) -> Iterator[CheckMessage]:
    if whose := taken.get(settings.SESSION_COOKIE_NAME):
        yield Error(
            f"SESSION_COOKIE_NAME on {instance} is {settings.SESSION_COOKIE_NAME!r}, {whose} own: "
            "each instance would sign the other's users out.",
            hint=HINT,
            id="split.E008",
        )


def _apart(plan: Plan) -> Iterator[CheckMessage]:
    """With public sessions: what main writes is no session of the admin's."""
    if not plan.main.public_sessions:
        return
    if any(
        ours[0] == theirs[0] and (ours[1].startswith(theirs[1]) or theirs[1].startswith(ours[1]))
        for ours in _places(plan.main)
        for theirs in _places(plan.admin)
    ):
        yield Error(
            "The public sessions and the admin's are in one store under one prefix: who can write "
            "main's can write the admin's.",
            hint="Give public_session a url, or a key_prefix, of its own. " + AGAIN,
            id="split.E011",
        )
    if all(
        side.settings.get("SESSION_ENGINE") in IN_THE_DATABASE for side in (plan.main, plan.admin)
    ):
        yield Caution(
            "The public sessions and the admin's are both in the table django_session: who can "
            "write main's can write the admin's.",
            hint='Set public_sessions to "redis", or session_engine. ' + AGAIN,
            id="split.W005",
        )


def _places(side: Main | Admin) -> Iterator[tuple[str, str]]:
    """Each store that a side keeps sessions in, with what its keys begin with."""
    store = side.settings.get(STORE, {})
    if "url" in store:
        yield store["url"], store["prefix"]
    for cache in side.caches.values():
        if "locmem" not in cache["BACKEND"]:  # of that each process has its own
            yield str(cache.get("LOCATION", "")), f"{cache.get('KEY_PREFIX', '')}:"
