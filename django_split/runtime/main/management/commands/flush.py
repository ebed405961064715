from __future__ import annotations

from django.core.management.commands.flush import Command as Original

from django_split.runtime.main.losses import tests_run
from django_split.runtime.main.refusal import refused

# Between two tests, it empties their own database.
Command = refused(Original, unless=tests_run)
