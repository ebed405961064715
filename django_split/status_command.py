"""`django-split status`: how a site is on this host."""

from __future__ import annotations

import argparse
from typing import Any

from django_split.status import command


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status", help="releases of a deployed site, which serves, and each part's health"
    )
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)
