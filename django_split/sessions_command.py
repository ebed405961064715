"""`django-split sessions`: sets Django up with the settings that were given, and does the work."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django_split.base import SETTINGS
from django_split.files import InputError


def add_to(commands: Any) -> None:
    """Add the command `sessions` to a parser's commands."""
    from django_split.sessions import commands as sessions

    parser = commands.add_parser(
        "sessions",
        help="move sessions into the admin's store, remove expired ones",
        description="What is done with sessions around the split. "
        "Run it where `python manage.py` is run.",
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--settings",
        metavar="MODULE",
        default=os.environ.get(SETTINGS),
        help=f"the settings to work with ({SETTINGS} in the environment); "
        "to move sessions, the admin instance's",
    )
    sessions.add_to(parser.add_subparsers(required=True, metavar="COMMAND"), shared)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Give the exit status. Raises InputError for settings that Django cannot be set up with."""
    if not options.settings:
        raise InputError(f"give --settings MODULE, or set {SETTINGS} in the environment")
    os.environ[SETTINGS] = options.settings
    # As manage.py has it: the project is where it is run.
    sys.path.insert(0, os.getcwd())
    import django

    try:
        django.setup()
    except Exception as error:
        raise InputError(
            f"{options.settings} cannot be set up: {type(error).__name__}: {error}"
        ) from error
    status: int = options.work(options)
    return status
