"""Counts a request's queries, and knows which of them are the session's and which the user's."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.core.signals import request_started
from django.db import connections
from django.db.models import IntegerField
from django.utils.module_loading import import_string

from django_split.analysis.writes import KEY
from django_split.audit.measured import SESSION, USER, log

# No query of anybody's: a server has no work with it.
CONTROL = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET|PRAGMA)\b", re.IGNORECASE)


def watch(session_table: str) -> None:
    """Count from now on; each request starts at none. Takes the table of sessions, or nothing."""
    request_started.connect(_begin, weak=False)
    named = re.compile(rf"[\"`]{re.escape(session_table)}[\"`]") if session_table else None

    def count(
        execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not CONTROL.match(str(sql)):
            log.queries += 1
            # The site's own code may ask the table, too.
            whose = SESSION if named and named.search(str(sql)) else log.whose
            if whose:
                log.by[whose] += 1
        return execute(sql, params, many, context)

    for alias in connections:
        # Outermost: what is answered without being sent is a query as well.
        connections[alias].execute_wrappers.insert(0, count)
    original = auth.get_user

    def get_user(request: Any) -> Any:
        with log.queries_of(USER):
            return original(request)

    auth.get_user = get_user


def _begin(**kwargs: Any) -> None:
    log.clear()


def somebody() -> dict[str, Any] | None:
    """Make a user that is in no table, and give a session in which it is signed in.

    Nobody's own data is shown to it, and nothing is done in anybody's name. The query for the user
    is really sent, and finds no row; then it is this one. None where the site has no users.
    """
    if "django.contrib.auth" not in _apps():
        return None
    user = _user()
    path = settings.AUTHENTICATION_BACKENDS[0]
    backend: Any = import_string(path)
    original = backend.get_user

    def get_user(self: Any, user_id: Any) -> Any:
        found = original(self, user_id)
        return copy.copy(user) if found is None and str(user_id) == str(user.pk) else found

    backend.get_user = get_user
    session = {auth.SESSION_KEY: str(user.pk), auth.BACKEND_SESSION_KEY: path}
    if hasattr(user, "get_session_auth_hash"):
        session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    return session


def _user() -> Any:
    model: Any = auth.get_user_model()
    key = model._meta.pk
    value: Any = "django-split"
    if key.has_default():
        value = key.get_default()
    elif isinstance(key, IntegerField):
        value = KEY
    user = model(**{key.attname: value})
    setattr(user, model.USERNAME_FIELD, "django-split")
    user.is_active = True
    user.password = "!"  # no password's hash: it matches none  # noqa: S105
    user._state.adding = False
    return user


def _apps() -> set[str]:
    from django.apps import apps

    return {config.name for config in apps.get_app_configs()}
