from __future__ import annotations

from django.contrib.sessions.management.commands.clearsessions import Command as Original

from django_split import runtime
from django_split.runtime.main.refusal import refused

# Public sessions are main's own: the admin's engine knows nothing of them.
Command = refused(Original, unless=lambda: bool(runtime.plan().main.public_sessions))
