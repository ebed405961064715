"""`sessions migrate`: its options, and what is said of what it did. Runs where Django is set up."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from django_split.options import positive
from django_split.sessions.layout import seconds

if TYPE_CHECKING:
    from django_split.sessions.migrate import Moved

ABOUT = "move who is signed in into a session store: of the unsplit site into the admin's, or \
of a site that is not split from its engine of before into the one of now"
STATUS = "Exit status: 0 all that live were moved, or there was nothing to move; 3 some could not \
be moved (listed); 1 the input, the store or the database is broken; 130 stopped by Ctrl-C. Run it \
again at any time: it goes on, and does nothing twice."
BROKEN = 1
LEFT = 3
BATCH = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch", type=positive, default=BATCH, metavar="N", help=f"sessions at a time ({BATCH})"
    )
    parser.add_argument(
        "--staff-only",
        action="store_true",
        help="only of users who are staff (is_staff): the others do not use the admin",
    )
    parser.add_argument(
        "--written-before",
        type=_moment,
        metavar="TIME",
        help="not what was written after the flip (unix seconds, 2026-01-31T12:00:00+00:00, or "
        "now): where main keeps sessions in the same table, those would be main's own",
    )
    parser.add_argument(
        "--from",
        dest="engine",
        metavar="ENGINE",
        help="SESSION_ENGINE of before, for a site that is not split "
        "(django.contrib.sessions.backends.db); of an admin instance the plan knows it",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Move what lives; give the exit status."""
    # Here, because Django is set up only now.
    from django.db import Error

    from django_split.sessions.errors import StoreUnavailableError
    from django_split.sessions.migrate import Moved, Wishes
    from django_split.sessions.preparing import NothingToMoveError, PreparationError, prepare
    from django_split.sessions.sources import UnreadableError
    from django_split.sessions.stopping import Stop

    wishes = Wishes(
        batch=options.batch,
        staff_only=options.staff_only,
        dry_run=options.dry_run,
        written_before=options.written_before,
        engine=options.engine or "",
    )
    done, broken, why = Moved(""), "", ""
    status = 0
    with Stop() as stop:
        try:
            migration = prepare(wishes)
            done = migration.done
            migration.run(stop)
            status = LEFT if done.failed else 0
        except NothingToMoveError as error:
            why = str(error)
        except UnreadableError as error:
            why, status = str(error), LEFT
        except StoreUnavailableError as error:
            broken = f"the session store: {error}. {_mend(str(error))}"
        except Error as error:
            broken = f"the database: {type(error).__name__}: {str(error).strip()}"
        except PreparationError as error:
            broken = str(error)
    if options.json:
        print(json.dumps(_data(done, broken, why, options.dry_run)))
    else:
        _tell(done, broken, why, options.dry_run, bool(stop))
    return stop.status or (BROKEN if broken else status)


def _data(done: Moved, broken: str, why: str, dry_run: bool) -> dict[str, Any]:
    return {
        "from": done.place,
        "dry_run": dry_run,
        "moved": done.moved,
        "renewed": done.renewed,
        "already": done.already,
        "ended": done.ended,
        "skipped": done.skipped,
        "failed": done.failed,
        "reasons": dict(done.reasons),
        "examples": {reason: found for reason, found in done.examples.items() if found},
        "seconds": round(done.seconds, 3),
        "changed": bool(done.moved or done.renewed or done.ended) and not dry_run,
        "nothing_because": why,
        "error": broken,
    }


def _tell(done: Moved, broken: str, why: str, dry_run: bool, stopped: bool) -> None:
    from django_split.sessions.moving import FAILURES, SKIPS

    if why:
        print(f"Nothing is moved: {why}")
        return
    if done.place:
        would = " (--dry-run: nothing was changed)" if dry_run else ""
        print(f"{done.place}: {done.seen:,} live sessions in {seconds(done.seconds)}{would}")
        _line(done.moved, "moved")
        _line(done.renewed, "moved before, and brought up to date")
        _line(done.already, "were there already")
        _line(done.ended, "had ended since they were moved, and are gone from the store")
        for reason, meaning in {**SKIPS, **FAILURES}.items():
            if number := done.reasons[reason]:
                _line(number, f"not moved: {meaning}")
            for example in done.examples.get(reason, []):
                print(f"              {example}")
        if done.already and not done.looked_for_ended and not stopped:
            print("  Whether some have ended since they were moved was not looked for.")
    if broken:
        print(f"Stopped by {broken}" if done.place else broken)
    elif stopped:
        print("Stopped. What was moved stays moved; run it again to go on.")


def _line(number: int, what: str) -> None:
    if number:
        print(f"  {number:>10,} {what}")


def _mend(reason: str) -> str:
    """What to type next, by what the store said."""
    if "OOM" in reason:
        return (
            "It is full: give it more memory (session_store_memory), or move --staff-only. "
            "Then run it again: it goes on."
        )
    if any(word in reason for word in ("NOAUTH", "WRONGPASS", "NOPERM")):
        return (
            "It does not let us in: DJANGO_SPLIT_STORE_USERNAME and DJANGO_SPLIT_STORE_PASSWORD in "
            "the environment are what the admin instance has. Then run it again."
        )
    return (
        "Is it running, and may this user reach it? Its address is DJANGO_SPLIT_SESSIONS['url']. "
        "Then run it again: it goes on."
    )


def _moment(text: str) -> float:
    if text == "now":
        return time.time()
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
