from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Original

from django_split.runtime.main.losses import tests_run
from django_split.runtime.main.refusal import refused


class Command(refused(Original)):  # type: ignore[misc]  # a class that is made
    def execute(self, *args: Any, **options: Any) -> Any:
        if tests_run():  # between two of them, on their own database
            return Original.execute(self, *args, **options)
        return super().execute(*args, **options)
