from __future__ import annotations

from django.contrib.contenttypes.management.commands.remove_stale_contenttypes import (
    Command as Original,
)

from django_split.runtime.main.refusal import refused

Command = refused(Original)
