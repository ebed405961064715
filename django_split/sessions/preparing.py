"""What must be so before sessions can be moved, and what to type where it is not."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_split.plan_file import PlanError
from django_split.sessions import copies
from django_split.sessions.base import Base, before_the_change, of_plan
from django_split.sessions.database import model_of
from django_split.sessions.migrate import Migration, Wishes, shares_table
from django_split.sessions.sources import source_of


class PreparationError(Exception):
    """The settings or the options do not fit; the message is for the operator."""


class NothingToMoveError(Exception):
    """All is well, and there is nothing to do; the message says why."""


def prepare(wishes: Wishes) -> Migration:
    """The migration into the store of the settings in force.

    Those are the admin's, and it goes from the base; or a site's that is not split and has another
    engine since, and it goes from the one of before.

    Raises PreparationError, NothingToMoveError, and UnreadableError for sessions that nobody can
    list.
    """
    in_place = not getattr(settings, "DJANGO_SPLIT", None)
    base = _unsplit(wishes.engine) if in_place else _base(wishes.engine)
    try:
        store = copies.current()
        if store is None:
            raise NothingToMoveError(
                f"{settings.SETTINGS_MODULE} keep sessions by {settings.SESSION_ENGINE}, which has "
                "no store"
            )
        if in_place and shares_table(base):
            raise NothingToMoveError(
                f"{settings.SESSION_ENGINE} reads the table of {base.engine} by itself"
            )
        said = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
        source = source_of(base, (said.get("url", ""), said.get("prefix", "")))
    except (ImportError, ImproperlyConfigured) as error:
        raise PreparationError(f"{type(error).__name__}: {error}") from error
    if source is None:
        raise NothingToMoveError("the sessions are in that store already")
    if wishes.written_before is None and _main_writes_there(base):
        raise PreparationError(
            f"main keeps the public pages' sessions ({base.public_engine}) in the table that the "
            "base's are in: what it has written since the flip is not the admin's. Say when the "
            "flip was: --written-before 2026-01-31T12:00:00+00:00, or --written-before now while "
            "the site is not split yet."
        )
    return Migration(base, source, store, wishes, in_place)


def _unsplit(engine: str) -> Base:
    base = before_the_change(engine or "django.contrib.sessions.backends.db")
    if base.engine == settings.SESSION_ENGINE:
        raise PreparationError(
            f"{settings.SETTINGS_MODULE} have the SESSION_ENGINE {base.engine}, from which "
            "sessions are moved. Set the one to which they go first (django-split audit says "
            "how), or make the plan of a split: django-split plan."
        )
    return base


def _base(engine: str) -> Base:
    if engine:
        raise PreparationError(
            f"--from {engine}: the plan of an instance says where its base keeps sessions"
        )
    declared = getattr(settings, "DJANGO_SPLIT", None) or {}
    if declared.get("instance") != "admin":
        raise PreparationError(
            f"{settings.SETTINGS_MODULE} are not the settings of an admin instance, which say "
            "where sessions go: give those, as --settings django_split.instances.admin with "
            "DJANGO_SPLIT_PLAN=plan.toml in the environment."
        )
    try:
        base = of_plan()
    except (PlanError, ImportError, ImproperlyConfigured) as error:
        raise PreparationError(f"{type(error).__name__}: {error}") from error
    if base is None:
        raise PreparationError("DJANGO_SPLIT in the settings names no plan: django-split plan")
    return base


def _main_writes_there(base: Base) -> bool:
    model = model_of(base.public_engine) if base.public_engine else None
    return model is not None and model is model_of(base.engine)
