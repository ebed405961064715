"""`sessions migrate` and `sessions purge`, for `django-split` and for manage.py alike."""

from __future__ import annotations

import argparse
from typing import Any

from django_split.sessions import migrate_command, purge_command

COMMANDS = {"migrate": migrate_command, "purge": purge_command}


def add_to(commands: Any, *shared: argparse.ArgumentParser) -> None:
    """Add them to a parser's commands, each with the options of `shared`."""
    for name, module in COMMANDS.items():
        parser = commands.add_parser(
            name,
            help=module.ABOUT,
            description=f"{module.ABOUT[0].upper()}{module.ABOUT[1:]}.",
            epilog=module.STATUS,
            **({"parents": shared} if shared else {}),
        )
        module.add_arguments(parser)
        parser.set_defaults(work=module.run)
