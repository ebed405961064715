"""The base's settings beside the admin's, in a process that runs with the admin's.

What the unsplit site has written can only be read by its own rules: engine, serializer, SECRET_KEY.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import global_settings, settings

from django_split.base import read
from django_split.plan_file import FINDINGS, GHOSTS, read_data

# What decides how a session is read, and whether the user in it is still signed in.
READING = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SESSION_ENGINE",
    "SESSION_SERIALIZER",
    "SESSION_COOKIE_AGE",
    "SESSION_COOKIE_NAME",
    "SESSION_CACHE_ALIAS",
    "SESSION_FILE_PATH",
    "AUTHENTICATION_BACKENDS",
)
_NOT_SAID = object()


@dataclass(frozen=True)
class Base:
    """`name` is the module's; `said` is what stands in it, without Django's defaults.

    `public_engine` is what main keeps sessions with, and `public_cookie` under which name; both are
    empty where main keeps none.
    """

    name: str
    said: Mapping[str, Any]
    public_engine: str = ""
    public_cookie: str = ""

    @property
    def engine(self) -> str:
        return str(self.value("SESSION_ENGINE"))

    def value(self, name: str) -> Any:
        """A setting of the base's, Django's default where it says nothing. None for an unknown."""
        return self.said[name] if name in self.said else getattr(global_settings, name, None)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Read sessions as the base does. For a process that does nothing else meanwhile."""
        with _exchanged({name: self.value(name) for name in READING}):
            yield


@contextmanager
def _exchanged(values: Mapping[str, Any]) -> Iterator[None]:
    before = {name: getattr(settings, name, _NOT_SAID) for name in values}
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is not _NOT_SAID:
            setattr(settings, name, value)
        elif hasattr(settings, name):
            delattr(settings, name)


def of_plan() -> Base | None:
    """The base that the settings in force were made from; None where they are no instance's.

    Raises PlanError when the plan cannot be read, and what the base raises.
    """
    declared: Mapping[str, Any] = getattr(settings, "DJANGO_SPLIT", None) or {}
    if not declared.get("plan"):
        return None
    plan = read_data(str(declared["plan"]), without=(FINDINGS, GHOSTS))
    base = Base(str(plan["base"]), read(str(plan["base"])))
    main = plan.get("main", {})
    if not main.get("public_sessions"):
        return base
    changed = main.get("settings", {})
    return dataclasses.replace(
        base,
        public_engine=changed.get("SESSION_ENGINE", base.engine),
        public_cookie=changed.get("SESSION_COOKIE_NAME", base.value("SESSION_COOKIE_NAME")),
    )


def before_the_change(engine: str) -> Base:
    """The settings in force as they were with another session engine: a site that is not split."""
    names = (*READING, "CACHES")
    said = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
    return Base(str(settings.SETTINGS_MODULE), {**said, "SESSION_ENGINE": engine})


def engine_of_base() -> list[str]:
    """The base's engine, where the settings in force are an instance's."""
    base = of_plan()
    return [base.engine] if base else []
