"""`django-split audit`: its options, and what becomes of them."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from django_split.files import InputError
from django_split.options import count, seconds

if TYPE_CHECKING:
    from django_split.audit.facts import Site

# Exit statuses; 1 is for what is broken, or is not known and was asked for.
FINE, BROKEN, HOLDS = 0, 1, 3
VERSION = 1


def add_to(commands: Any) -> None:
    """Add the command `audit` to a parser's commands."""
    from django_split.audit.conditions import CONDITIONS

    names = "\n".join(f"  {name:24}{known.meaning}" for name, known in CONDITIONS.items())
    audit = commands.add_parser(
        "audit",
        help="say what a site does with sessions, what it costs and what to change",
        description="Say where a site keeps its sessions, where that is set, what it costs and\n"
        "what to change. Nothing is changed, and no more than read access is needed.\n"
        "Run it where `python manage.py` is run.",
        epilog=f"conditions, in order of worth:\n{names}\n\n"
        "Exit status: 0 fine, 1 a site or the input is broken, or what --fail-on names is\n"
        "not known, 3 a condition of --fail-on holds.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument(
        "--settings", required=True, nargs="+", metavar="MODULE", help="one or more sites' settings"
    )
    add_options(audit)
    audit.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those that manage.py has as well."""
    from django_split.audit.audit import PAGES

    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument(
        "--fail-on",
        metavar="CONDITION[,CONDITION]",
        type=_conditions,
        action="extend",
        default=[],
        help="exit with status 3 where one of these holds",
    )
    parser.add_argument(
        "--exact", action="store_true", help="count every row of a large table, too"
    )
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument(
        "--pages", metavar="N", type=count, default=PAGES, help=f"ask so many pages ({PAGES})"
    )
    pages.add_argument(
        "--no-pages", dest="pages", action="store_const", const=0, help="ask no pages"
    )
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=120, help="for each site (120)"
    )


def _conditions(text: str) -> list[str]:
    from django_split.audit.conditions import CONDITIONS

    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in CONDITIONS:
            raise argparse.ArgumentTypeError(
                f"{name!r} is no condition; there are {', '.join(CONDITIONS)}"
            )
    return names


def run(options: argparse.Namespace) -> int:
    from django_split.audit.audit import audit
    from django_split.audit.report import show, summary
    from django_split.layout import Sheet

    sheet = Sheet(sys.stdout)
    sites = []
    for number, settings in enumerate(options.settings):
        site = audit(settings, exact=options.exact, pages=options.pages, seconds=options.timeout)
        sites.append(site)
        if not options.json:
            if number:
                sheet.gap()
            show(site, sheet)
            sys.stdout.flush()
    if options.json:
        print(json.dumps({"version": VERSION, "sites": [_data(site) for site in sites]}, indent=2))
    elif len(sites) > 1:
        summary(sites, sheet)
    return _status(sites, options.fail_on)


def _data(site: Site) -> dict[str, Any]:
    """What was found, with which conditions hold and what to change."""
    from django_split.audit.advice import changes
    from django_split.audit.conditions import holding

    return {
        **site.data(),
        "conditions": holding(site),
        "changes": [dataclasses.asdict(change) for change in changes(site)],
    }


def _status(sites: list[Site], asked: list[str]) -> int:
    """What holds comes before what is broken: it is an answer."""
    from django_split.audit.conditions import holding

    held, unknown = [], []
    for site in sites:
        holds = holding(site)
        held += [f"{site.settings}: {name}" for name in asked if holds[name]]
        unknown += [f"{site.settings}: {name}" for name in asked if holds[name] is None]
    if held:
        print(f"django-split: {'; '.join(held)}", file=sys.stderr)
        return HOLDS
    if broken := [site.broken for site in sites if site.broken]:
        raise InputError(f"--settings is {'; '.join(broken)}")
    if unknown:
        raise InputError(f"--fail-on: not known of {'; '.join(unknown)}")
    return FINE
