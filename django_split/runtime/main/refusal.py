"""Management commands that write what main has no part in: refused, by name."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError

from django_split import runtime


def refused(original: type[BaseCommand]) -> type[BaseCommand]:
    """The command with its help and options, whose every run ends with what to type instead.

    On main they do harm, or nothing: remove_stale_contenttypes deleted the admin's content types
    and permissions, collectstatic left the admin without its files, a migration that depends on
    sessions cannot be found (FACTS A11).
    """
    name = original.__module__.rpartition(".")[2]

    def execute(self: BaseCommand, *args: Any, **options: Any) -> NoReturn:
        site = runtime.plan().site
        raise CommandError(
            f"{name} runs with the admin's settings, never with main's: "
            "main does not know all of the site's apps.\n"
            f"Type: {site}-manage {name}\n"
            "(where that is not installed: set DJANGO_SETTINGS_MODULE to the admin's settings)"
        )

    return type("Command", (original,), {"execute": execute, "requires_system_checks": []})
