from __future__ import annotations

from django.contrib.auth.management.commands.createsuperuser import Command as Original

from django_split.runtime.main.refusal import refused

Command = refused(Original)
