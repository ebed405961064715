from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Original

from django_split.runtime.main.losses import tests_run
from django_split.runtime.main.refusal import refused


class Command(refused(Original)):  # type: ignore[misc]  # a class that is made
    def execute(self, *args: Any, **options: Any) -> Any:
        if not tests_run():
            return super().execute(*args, **options)
        from django_split.runtime.main import tables

        tables.without_migrations_if_need_be()
        result = Original.execute(self, *args, **options)
        tables.make_shadows(options["database"])
        return result
