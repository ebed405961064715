"""The base's settings beside the admin's, in a process that runs with the admin's.

What the unsplit site has written can only be read by its own rules: engine, serializer, SECRET_KEY.
"""

from __future__ import annotations

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
    "DJANGO_SPLIT_SESSIONS",
)


@dataclass(frozen=True)
class Base:
    """`name` is the module's; `said` is what stands in it, without Django's defaults.

    `public_sessions` says that main keeps sessions, and `public_cookie` under which name.
    """

    name: str
    said: Mapping[str, Any]
    public_sessions: str = ""
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
        before = {name: getattr(settings, name, None) for name in READING}
        try:
            for name in READING:
                setattr(settings, name, self.value(name))
            yield
        finally:
            for name, value in before.items():
                setattr(settings, name, value)


def of_plan() -> Base | None:
    """The base that the settings in force were made from; None where they are no instance's.

    Raises PlanError when the plan cannot be read, and what the base raises.
    """
    declared: Mapping[str, Any] = getattr(settings, "DJANGO_SPLIT", None) or {}
    if not declared.get("plan"):
        return None
    plan = read_data(str(declared["plan"]), without=(FINDINGS, GHOSTS))
    main = plan.get("main", {})
    said = read(str(plan["base"]))
    cookie = main.get("settings", {}).get("SESSION_COOKIE_NAME")
    return Base(
        str(plan["base"]),
        said,
        public_sessions=str(main.get("public_sessions", "")),
        public_cookie=str(cookie or said.get("SESSION_COOKIE_NAME", "sessionid")),
    )


def engine_of_base() -> list[str]:
    """The base's engine, where the settings in force are an instance's."""
    base = of_plan()
    return [base.engine] if base else []
