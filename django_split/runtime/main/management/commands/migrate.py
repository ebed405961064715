from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Original

from django_split.runtime.main.losses import tests_run
from django_split.runtime.main.refusal import refused


class Command(refused(Original, unless=tests_run)):  # type: ignore[misc]  # a class that is made
    def handle(self, *args: Any, **options: Any) -> Any:
        from django_split.runtime.main import tables

        tables.without_migrations_if_need_be()
        result = super().handle(*args, **options)
        tables.make_shadows(options["database"])
        return result
