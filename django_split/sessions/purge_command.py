"""`sessions purge`: its options, and what is said of what it did. Runs where Django is set up."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django_split.options import number, positive
from django_split.sessions.layout import seconds, size

if TYPE_CHECKING:
    from django_split.sessions.database import Size, Table
    from django_split.sessions.purge import Purged

ABOUT = "remove expired rows of the session tables, in batches that nobody waits for"
STATUS = "Exit status: 0 all that had expired is gone (or held by others just now), 1 the database \
or the input is broken, 130 stopped by Ctrl-C: what was removed stays removed."
BROKEN = 1
BATCH = 1000
# Without it the p99 of others' updates was 2 times what it is without a purge, with it 1.5 times.
PAUSE = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch",
        type=positive,
        default=BATCH,
        metavar="ROWS",
        help=f"rows in one transaction ({BATCH})",
    )
    parser.add_argument(
        "--rate", type=number, default=0, metavar="ROWS", help="no more rows a second than that"
    )
    parser.add_argument(
        "--pause",
        type=number,
        default=PAUSE,
        metavar="SECONDS",
        help=f"wait between two batches ({PAUSE}); 0 is as fast as the database lets it",
    )
    parser.add_argument("--dry-run", action="store_true", help="only count")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Purge every session table of the settings in force; give the exit status."""
    # Here, because Django is set up only now.
    from django.conf import settings
    from django.db import Error

    from django_split.sessions.base import engine_of_base
    from django_split.sessions.database import tables
    from django_split.sessions.purge import Pace, purge
    from django_split.sessions.stopping import Stop

    pace = Pace(options.batch, options.pause, options.rate)
    done: list[tuple[Table, Purged]] = []
    broken = ""
    with Stop() as stop:
        try:
            for table in tables([settings.SESSION_ENGINE, *engine_of_base()]):
                done.append((table, purge(table, pace, stop, options.dry_run)))
                if stop:
                    break
        except (Error, ImportError) as error:
            broken = f"{type(error).__name__}: {error}".strip()
    if options.json:
        print(json.dumps(_data(done, broken, options.dry_run)))
    else:
        _tell(done, broken, options.dry_run, bool(stop))
    return stop.status or (BROKEN if broken or any(purged.error for _, purged in done) else 0)


def _data(done: list[tuple[Table, Purged]], broken: str, dry_run: bool) -> dict[str, Any]:
    from django_split.sessions.database import how_to_return

    return {
        "dry_run": dry_run,
        "removed": sum(purged.removed for _, purged in done),
        "changed": any(purged.removed for _, purged in done),
        "tables": [
            {
                **asdict(purged),
                "seconds": round(purged.seconds, 3),
                "return": how_to_return(table) if purged.removed else [],
            }
            for table, purged in done
        ],
        "error": broken,
    }


def _tell(done: list[tuple[Table, Purged]], broken: str, dry_run: bool, stopped: bool) -> None:
    from django_split.sessions.database import how_to_return

    for table, purged in done:
        where = f"{purged.table} (database {purged.database})"
        expired = f"{'' if purged.counted else 'more than '}{purged.expired:,} expired rows"
        if dry_run:
            print(f"{where}: {expired}, {_size(purged.before)}; nothing was changed (--dry-run)")
            continue
        print(
            f"{where}: {purged.removed:,} of {expired} removed in {seconds(purged.seconds)}"
            f"{_rate(purged)}"
        )
        for label, count in sorted(purged.cascaded.items()):
            print(f"  with them, because they point at a session: {count:,} of {label}")
        if purged.left:
            print(f"  {purged.left:,} are held by others just now: the next run takes them")
        if purged.removed:
            print(f"  before: {_size(purged.before)}; now: {_size(purged.after)}")
            for line in how_to_return(table):
                print(f"  {line}")
        if purged.error:
            print(f"  stopped by the database: {purged.error}")
            print("  What was removed stays removed. Run it again: it goes on from there.")
    if stopped:
        print("Stopped. What was removed stays removed; run it again to go on.")
    if broken:
        print(f"The session tables cannot be read: {broken}")
        print("Check DATABASES and SESSION_ENGINE in the settings that were given.")
    elif not done:
        print("There is no session table in these settings' databases: nothing to purge.")


def _rate(purged: Purged) -> str:
    return f" ({purged.removed / purged.seconds:,.0f} rows/s)" if purged.seconds else ""


def _size(measured: Size | None) -> str:
    if measured is None:
        return "size unknown"
    if measured.whole:
        return f"{size(measured.table)} in the whole file"
    return f"{size(measured.table)} and {size(measured.indexes)} of indexes"
