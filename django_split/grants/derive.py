"""Derive main's rights from the plan and the site's models. Runs on the fully set-up base.

Main may do everything with what its apps own, look at who the users are and what they may do, and
knows nothing of what it dropped; but what a delete on main takes along must go with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from django_split.grants.facts import PRIVILEGES, Answers, Rights, Table
from django_split.plan import Plan

ADMIN = "django.contrib.admin"
DATABASE_CACHE = "django.core.cache.backends.db.DatabaseCache"
# Engines of main's own sessions that write to the database.
WRITTEN_THROUGH = ("redis_db", "cached_db")

Model = type[models.Model]


def rights(plan: Plan, answers: Answers) -> Rights:
    """What main may do with each table of the default database."""
    found: dict[str, Table] = {}
    people = _people()
    for model in _models():
        table = _table(model, plan, answers, people)
        known = found.setdefault(table.name, table)
        if set(known.may) > set(table.may):
            # Two models of one table: the more closed one is meant.
            known.may, known.why = table.may, table.why
    gone = [model for model in _models() if not found[model._meta.db_table].may]
    _cascades(gone, found)
    for name in _cache_tables(plan):
        found[name] = Table(name, "cache table", "a cache of main's", list(PRIVILEGES))
    found["django_migrations"] = Table(
        "django_migrations", "Django's own", "checks ask what has been applied", ["SELECT"]
    )
    if not answers.reads_passwords:
        _hide_password(found)
    for name, privileges in answers.extra.items():
        table = found.setdefault(name, Table(name, "no model", ""))
        table.why = "main_grants"
        for privilege in privileges:
            table.allow(privilege)
    ordered = sorted(found.values(), key=lambda table: table.name)
    return Rights(ordered, list(_notes(plan, answers)))


def _models() -> Iterator[Model]:
    """Those that have a table of their own, and what links two of them."""
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy:
            yield model


def _table(model: Model, plan: Plan, answers: Answers, people: frozenset[Model]) -> Table:
    table = Table(model._meta.db_table, model._meta.label, "an app of main's")
    if issubclass(model, AbstractBaseSession):
        if plan.main.public_sessions in WRITTEN_THROUGH:
            table.why, table.may = "main keeps sessions", list(PRIVILEGES)
        else:
            table.why = "sessions are the admin's"
    elif _is_gone(model, plan):
        table.why = "an app that main has not"
    elif model in people and answers.writes_users:
        table.why, table.may = "main_writes_users", list(PRIVILEGES)
    elif model in people or _gives_permissions(model):
        table.why, table.may = "who may what is for main to read", ["SELECT"]
    elif model is ContentType:
        table.why, table.may = "made by migrate", ["SELECT"]
    else:
        table.may = list(PRIVILEGES)
    return table


def _people() -> frozenset[Model]:
    """The tables that make somebody a user, and a user somebody: with groups and permissions."""
    user: Any = get_user_model()
    links = [
        field.remote_field.through
        for field in user._meta.many_to_many
        if field.remote_field.model in (Group, Permission)
    ]
    return frozenset([user, *user._meta.get_parent_list(), *links])


def _gives_permissions(model: Model) -> bool:
    """Whether its rows are permissions, or give one: groups', and those of single objects."""
    if model in (Group, Permission):
        return True
    return any(field.related_model is Permission for field in model._meta.local_fields)


def _is_gone(model: Model, plan: Plan) -> bool:
    """Whether main has not the app, or of the admin no more than its models."""
    config = model._meta.app_config
    return config.name == ADMIN or any(entry in plan.main.drop_apps for entry in _entries(config))


def _entries(config: AppConfig) -> tuple[str, str]:
    """How INSTALLED_APPS may name an app."""
    return config.name, f"{type(config).__module__}.{type(config).__qualname__}"


def _cascades(gone: list[Model], found: dict[str, Table]) -> None:
    """Rows of dropped apps that go, or lose a link, with what main may delete.

    Until nothing is added: what hangs on such a row goes as well.
    """
    before = -1
    while before != (before := sum(len(found[model._meta.db_table].may) for model in gone)):
        for model in gone:
            table = found[model._meta.db_table]
            key: Any = model._meta.pk
            links: list[Any] = [field for field in model._meta.local_fields if field.remote_field]
            for field in links:
                if not _may_delete(field.related_model, found):
                    continue
                how = field.remote_field.on_delete
                if how is models.DO_NOTHING:
                    continue
                table.why = f"goes with {field.related_model._meta.label}"
                table.allow("SELECT", [key.column, field.column])
                if how is models.CASCADE:
                    table.allow("DELETE")
                elif how not in (models.PROTECT, models.RESTRICT):
                    table.allow("UPDATE", [field.column])


def _may_delete(model: Any, found: dict[str, Table]) -> bool:
    known = found.get(model._meta.concrete_model._meta.db_table)
    return known is not None and "DELETE" in known.may


def _cache_tables(plan: Plan) -> Iterator[str]:
    for alias, cache in (getattr(settings, "CACHES", None) or {}).items():
        if alias not in plan.main.caches and cache.get("BACKEND") == DATABASE_CACHE:
            yield str(cache["LOCATION"])


def _hide_password(found: dict[str, Table]) -> None:
    user: Any = get_user_model()
    owner = user._meta.get_field("password").model
    table = found[owner._meta.db_table]
    if "SELECT" in table.may:
        table.may.remove("SELECT")
        shown = [field.column for field in owner._meta.local_concrete_fields]
        table.allow("SELECT", [column for column in shown if column != "password"])
        table.why = "main_reads_passwords is false"


def _notes(plan: Plan, answers: Answers) -> Iterator[str]:
    if plan.main.public_sessions and not answers.writes_users:
        yield (
            "main keeps sessions, and may not write users: who signs in there has last_login "
            "written, which fails. Say main_writes_users: true if people sign in on main"
        )
    if plan.main.public_sessions in WRITTEN_THROUGH:
        session = plan.admin.session.engine
        if any(session.endswith(f".{engine}") for engine in WRITTEN_THROUGH):
            yield (
                "main and the admin keep sessions in the same table: main reads the admin's. "
                "Take session_engine: redis"
            )
    if answers.writes_users:
        yield "main writes users: whoever breaks into main can make a superuser of anybody"
    if not answers.reads_passwords:
        yield (
            "main may not read passwords: what selects all of a user, as User.objects.get() "
            "does, fails there"
        )
