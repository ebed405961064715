"""`manage.py split_audit`: `django-split audit` of the instance's own settings.

In a process of its own (docs/decisions/0008): the audit reads code that an instance never loads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Says what this site does with sessions, what it costs and what to change."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand every option on but Django's own two, which have done their work by now."""
        known = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        known.add_argument("--settings")
        known.add_argument("--pythonpath")
        _, others = known.parse_known_args(argv[2:])
        if status := _audit(others):
            sys.exit(status)

    def print_help(self, prog_name: str, subcommand: str) -> None:
        _audit(["--help"])

    def handle(self, *args: str, **options: object) -> None:
        """For `call_command("split_audit")`, which knows no options."""
        if status := _audit([]):
            sys.exit(status)


def _audit(options: list[str]) -> int:
    sys.stdout.flush()
    settings = os.environ["DJANGO_SETTINGS_MODULE"]
    # As this process found the site: manage.py may stand elsewhere than where it is run.
    path = [folder or os.getcwd() for folder in sys.path]
    return subprocess.run(
        [sys.executable, "-m", "django_split", "audit", "--settings", settings, *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    ).returncode
