from __future__ import annotations

from django.contrib.staticfiles.management.commands.collectstatic import Command as Original

from django_split.runtime.main.refusal import refused

Command = refused(Original)
