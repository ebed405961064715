"""Management commands that main has no part in: refused, by name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_split import runtime


def refused(
    original: type[BaseCommand], unless: Callable[[], bool] = lambda: False
) -> type[BaseCommand]:
    """The command with its help and options, whose every run ends with what to type instead.

    On main they do harm, or nothing: remove_stale_contenttypes deleted the admin's content types
    and permissions, collectstatic left the admin without its files, a migration that depends on
    sessions cannot be found (FACTS A11). `unless` is asked at each run.
    """
    name = original.__module__.rpartition(".")[2]

    def execute(self: BaseCommand, *args: Any, **options: Any) -> Any:
        if unless():
            return original.execute(self, *args, **options)
        raise CommandError(_instead(name))

    def run_from_argv(self: BaseCommand, argv: list[str]) -> None:
        if unless():
            return original.run_from_argv(self, argv)
        # Before its options are read: the site's own command of this name may have others.
        self.stderr.write(f"CommandError: {_instead(name)}")
        sys.exit(1)

    return type("Command", (original,), {"execute": execute, "run_from_argv": run_from_argv})


def leave_migrations_alone() -> None:
    """Let no command look whether there are migrations to run.

    Each `runserver` does (Django's own, staticfiles', a package's), and on main it dies of a
    migration that depends on an app that main does not have (FACTS A24).
    """
    BaseCommand.check_migrations = _nothing_to_check  # type: ignore[method-assign]


def _nothing_to_check(self: BaseCommand) -> None:
    pass


def _instead(name: str) -> str:
    return (
        f"{name} runs with the admin's settings, never with main's: "
        "main does not know all of the site's apps.\n"
        f"Type: {runtime.plan().site}-manage {name}\n"
        "(where that is not installed: set DJANGO_SETTINGS_MODULE to the admin's settings)"
    )
