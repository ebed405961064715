"""`django-split grants`: its options, and what becomes of them."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from django_split.grants.options import add_options, wanted

if TYPE_CHECKING:
    from django_split.grants.facts import Rights
    from django_split.layout import Sheet


def add_to(commands: Any) -> None:
    """Add the command `grants` to a parser's commands."""
    grants = commands.add_parser(
        "grants",
        help="list what main may do with each table of the database",
        description="List what main may do with each table of the database, by the plan.\n"
        "Nothing is asked of a database, and nothing is granted.",
        epilog="Exit status: 0, or 1 where the site or the input is broken.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grants.add_argument("--settings", required=True, metavar="MODULE", help="the site's settings")
    add_options(grants)
    grants.add_argument("--json", action="store_true", help="print it as JSON")
    grants.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from django_split.grants.facts import VERSION
    from django_split.layout import Sheet

    found = wanted(options, options.settings)
    if options.json:
        print(json.dumps({"version": VERSION, **dataclasses.asdict(found)}, indent=2))
    else:
        show(found, Sheet(sys.stdout))
    return 0


def show(rights: Rights, sheet: Sheet) -> None:
    """Tables with the same rights, for the same reason, together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for table in rights.tables:
        groups.setdefault((table.text, table.why), []).append(table.name)
    for (text, why), names in sorted(groups.items(), key=lambda group: len(group[0][0])):
        sheet.heading(f"{text}: {why}")
        for name in names:
            sheet.line(name, indent=2)
    for note in rights.notes:
        sheet.gap()
        sheet.sentence(note)
