from __future__ import annotations

from django.contrib.sessions.management.commands.clearsessions import Command as Original

from django_split.runtime.main.refusal import refused

Command = refused(Original)
