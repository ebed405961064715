"""The surroundings of a crawl: what a page does must not reach the outside.

Databases are `readonly`'s. A site may talk to other servers from a view: that cannot be known, and
is only limited in time.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.test.utils import override_settings, setup_test_environment

SESSIONS = "django_split_crawl"
MEMORY = "django.core.cache.backends.locmem.LocMemCache"
# Caches of the process alone: they may stay as they are.
OWN = (MEMORY, "django.core.cache.backends.dummy.DummyCache")
STATIC_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"

# Queues that a page could give work to, and that have no switch: they are told of.
QUEUES = {
    "django_rq": "RQ",
    "rq": "RQ",
    "huey": "Huey",
    "dramatiq": "Dramatiq",
    "django_q": "Django Q",
}


def surround() -> list[str]:
    """Put everything in memory that a page may write to, and say what could not be."""
    # Handlers may write into files, or send what they get to a server.
    logging.disable(logging.CRITICAL)
    # Mail in memory, and a signal for each template: what Django's own test runner does.
    setup_test_environment(debug=False)
    _caches_in_memory()
    override_settings(**_settings()).enable()
    _stop_celery()
    _stop_sentry()
    queues = sorted({name for module, name in QUEUES.items() if module in sys.modules})
    return [
        f"work that a page gives to {name} when it is looked at was queued for real"
        for name in queues
    ]


def forget() -> None:
    """Empty the caches: what one fetch left there must not show in the next."""
    for cache in caches.all(initialized_only=True):
        # Never one that others read, too.
        if isinstance(cache, LocMemCache):
            cache.clear()


def _settings() -> dict[str, Any]:
    changed: dict[str, Any] = {
        "ALLOWED_HOSTS": ["*"],
        "DEBUG": False,
        "DEBUG_PROPAGATE_EXCEPTIONS": False,
        "CACHES": {
            **{alias: _in_memory(alias, cache) for alias, cache in settings.CACHES.items()},
            SESSIONS: {"BACKEND": MEMORY, "LOCATION": SESSIONS},
        },
        # A manifest is made by collectstatic, which comes later.
        "STORAGES": {**settings.STORAGES, "staticfiles": {"BACKEND": STATIC_FILES}},
    }
    if instance := getattr(settings, "DJANGO_SPLIT", None):
        # What is lost on main is counted: as an exception it would be a page no visitor gets.
        changed["DJANGO_SPLIT"] = {**instance, "loud": False}
    # Main's stand-in keeps nothing anyway; our engines would write to the store that serves.
    if not settings.SESSION_ENGINE.startswith("django_split.runtime."):
        changed["SESSION_ENGINE"] = "django.contrib.sessions.backends.cache"
        changed["SESSION_CACHE_ALIAS"] = SESSIONS
    if tasks := getattr(settings, "TASKS", None):
        dummy = "django.tasks.backends.dummy.DummyBackend"
        changed["TASKS"] = {
            alias: {**task, "BACKEND": _dummy_tasks(task.get("BACKEND", dummy))}
            for alias, task in tasks.items()
        }
    if channels := getattr(settings, "CHANNEL_LAYERS", None):
        memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
        changed["CHANNEL_LAYERS"] = dict.fromkeys(channels, memory)
    return changed


def _in_memory(alias: str, cache: dict[str, Any]) -> dict[str, Any]:
    if cache.get("BACKEND") in OWN:
        return cache
    kept = {"TIMEOUT", "KEY_PREFIX", "VERSION", "KEY_FUNCTION"}
    return {
        "BACKEND": MEMORY,
        "LOCATION": f"{SESSIONS}:{alias}",
        **{name: value for name, value in cache.items() if name in kept},
    }


def _caches_in_memory() -> None:
    """Turn caches that the site's modules already hold into ones in memory."""
    for alias, params in settings.CACHES.items():
        if params.get("BACKEND") in OWN or not hasattr(caches._connections, alias):  # type: ignore[attr-defined]
            continue
        cache = caches[alias]
        with suppress(Exception):
            cache.close()
        new = {**_in_memory(alias, params)}
        del new["BACKEND"]
        # A class with another layout cannot be turned: it stays what it is.
        with suppress(TypeError):
            cache.__dict__.clear()
            cache.__class__ = LocMemCache
            cache.__init__(new.pop("LOCATION"), new)  # type: ignore[misc]


def _dummy_tasks(backend: str) -> str:
    """The backend that keeps tasks and runs none, of Django or of the package that came before."""
    package = "django_tasks" if backend.startswith("django_tasks.") else "django.tasks"
    return f"{package}.backends.dummy.DummyBackend"


def _stop_celery() -> None:
    """A task is not sent. Running it here instead would do what a worker does."""
    celery = sys.modules.get("celery.app.base")
    if celery is not None:

        def send_task(app: Any, name: str, *args: Any, **kwargs: Any) -> Any:
            return app.AsyncResult(kwargs.get("task_id") or "not-sent")

        celery.Celery.send_task = send_task


def _stop_sentry() -> None:
    """An error that a crawl meets is no error of the site's visitors."""
    sentry = sys.modules.get("sentry_sdk")
    if sentry is not None:
        with suppress(Exception):
            sentry.init(dsn="")
