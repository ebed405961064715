from __future__ import annotations

from django.core.management.commands.sqlmigrate import Command as Original

from django_split.runtime.main.refusal import refused

Command = refused(Original)
