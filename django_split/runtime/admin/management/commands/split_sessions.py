"""`manage.py split_sessions migrate` and `purge`: the same as `django-split sessions`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_split.sessions import commands


class Command(BaseCommand):
    help = "Moves sessions into the admin's store, and removes expired ones."
    # A session table may be all that is wrong with a site.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        commands.add_to(parser.add_subparsers(required=True, metavar="COMMAND"))

    def handle(self, *args: Any, **options: Any) -> None:
        status: int = options["work"](argparse.Namespace(**options))
        if status:
            sys.exit(status)
