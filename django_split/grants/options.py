"""The options of the command and of what grants, and the rights that they ask for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from django_split.files import InputError

if TYPE_CHECKING:
    from django_split.grants.facts import Rights


def add_options(parser: argparse.ArgumentParser) -> None:
    """The plan, and what the operator decides: named like the variables of the inventory."""
    parser.add_argument(
        "--plan", required=True, metavar="FILE", type=Path, help="what django-split plan wrote"
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=120, help="for the site (120)"
    )
    parser.add_argument(
        "--main-writes-users", action="store_true", help="main may write and delete users"
    )
    parser.add_argument(
        "--no-main-reads-passwords",
        dest="main_reads_passwords",
        action="store_false",
        help="main may not read the password column",
    )
    parser.add_argument(
        "--main-grants",
        metavar="JSON",
        type=_extra,
        default={},
        help="""tables that no model of main's has: '{"search": ["SELECT"]}'""",
    )


def _extra(text: str) -> dict[str, list[str]]:
    from django_split.grants.facts import PRIVILEGES

    found = json.loads(text)
    for table, privileges in found.items():
        if unknown := [each for each in privileges if each not in PRIVILEGES]:
            raise argparse.ArgumentTypeError(
                f"{table} has {unknown[0]!r}; there are {', '.join(PRIVILEGES)}"
            )
    return dict(found)


def wanted(options: argparse.Namespace, settings: str = "") -> Rights:
    """Main's rights by a plan and the answers. Raises InputError."""
    from django_split.analysis.process import AnalysisError
    from django_split.grants.ask import ask
    from django_split.grants.facts import Answers
    from django_split.plan import PlanError

    answers = Answers(options.main_writes_users, options.main_reads_passwords, options.main_grants)
    try:
        return ask(options.plan, answers, settings, options.timeout)
    except AnalysisError as error:
        raise InputError(f"--settings is {error}") from error
    except (OSError, PlanError) as error:
        raise InputError(f"--plan: {error}") from error
