"""``SITE-status`` and ``django-split status --site SITE``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .report import look
from .site import NoSiteError, Site

WELL, NOT_WELL, BROKEN = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--site", required=True, metavar="NAME", help="site_name of the inventory")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Print how the site is; 0 when all is well, 1 when a part is not, 2 when nobody can tell."""
    if os.geteuid() != 0:
        print("status: run me as root: a site's sockets are closed to others", file=sys.stderr)
        return BROKEN
    try:
        site = Site.read(options.site)
    except NoSiteError as error:
        print(f"status: {error}. Run site.yml", file=sys.stderr)
        return BROKEN
    report = look(site)
    print(report.as_json() if options.json else report.as_text())
    return NOT_WELL if report.wrong else WELL


def main(arguments: Sequence[str] | None = None) -> int:
    """The command by itself, as the host has it."""
    parser = argparse.ArgumentParser(
        prog="status", description="How a site is on this host: releases and health of each part."
    )
    add_arguments(parser)
    # A terminal that knows no UTF-8 is shown something, too.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    return run(parser.parse_args(arguments))
