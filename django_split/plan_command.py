"""`django-split plan`: its options, and what becomes of them."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from django_split.files import InputError, read_table, write
from django_split.options import count, seconds
from django_split.suggestions import option

# Exit statuses; 1 is for what is broken.
CAN_BE_SPLIT = 0
NEEDS_A_DECISION = 3
NOTHING = 4

# The operator's answers: variable, what to type, what it does.
LISTS = (
    ("admin_extra_prefixes", "PREFIX", "paths that the admin instance serves too"),
    ("main_closed_prefixes", "PREFIX", "paths that are 404 on main"),
    ("main_closed_views", "VIEW", "dotted names of views, * for anything, that are 404 on main"),
    (
        "main_anonymous_views",
        "VIEW",
        "dotted names of views, * for anything, that main may serve to nobody signed in",
    ),
    ("admin_urlconfs", "MODULE", "URL modules that are admins too"),
)
VALUES = (
    ("admin_host", "NAME", "a host name of the admin's own"),
    ("admin_path", "PATH", "which admin is meant by the admin, where there are several"),
    ("admin_cache", "shared|own", "whether the admin shares main's caches (shared)"),
    (
        "public_sessions",
        "ENGINE",
        "keep sessions on main: none, redis, redis_db, cache or cached_db (none)",
    ),
    ("admin_secret_key", "shared|own", "whether the admin signs with the site's key (shared)"),
    ("admin_cookie_samesite", "Lax|Strict", "of the admin's session cookie (Lax)"),
    (
        "session_preset",
        "default|hardened",
        "how long the admin's sessions last: as the site says, or 30 minutes idle and 12 hours",
    ),
)
NUMBERS = (
    ("session_idle_timeout", "SECONDS", "without a request, after which the admin signs out"),
    ("session_absolute_timeout", "SECONDS", "since the login, after which the admin signs out"),
)


def add_to(commands: Any) -> None:
    """Add the command `plan` to a parser's commands."""
    plan = commands.add_parser(
        "plan",
        help="say what each instance's settings change in a site's, and why",
        description="Say what each instance's settings change in a site's, and why. "
        "Run it where `python manage.py` is run.",
        epilog="Exit status: 0 can be split, 1 the base or the input is broken, "
        "3 needs a decision, 4 nothing to split.",
    )
    plan.add_argument("--settings", required=True, metavar="MODULE", help="the site's settings")
    plan.add_argument("--deploy", metavar="FILE", type=Path, help="JSON: where it is deployed")
    plan.add_argument("--output", metavar="FILE", type=Path, help="write the plan as TOML")
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.add_argument(
        "--diff",
        action="store_true",
        help="show what differs from the site's settings, without secrets (JSON: key diff)",
    )
    plan.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, default=120, help="for the analysis (120)"
    )
    crawl = plan.add_mutually_exclusive_group()
    crawl.add_argument(
        "--no-crawl",
        dest="crawl_pages",
        action="store_const",
        const=0,
        default=argparse.SUPPRESS,
        help="ask no pages: what only they show is then not found",
    )
    crawl.add_argument(
        "--crawl-pages",
        metavar="N",
        type=count,
        help="ask no more pages than that",
    )
    _add_answers(plan)
    plan.set_defaults(run=run)


def _add_answers(plan: argparse.ArgumentParser) -> None:
    """One option for each variable of the inventory that answers a question."""
    answers = plan.add_argument_group(
        "answers",
        "What the operator decides; named like the variables of the inventory. "
        "Lists are added to what --deploy has, other values replace it.",
    )
    for name, metavar, about in LISTS:
        answers.add_argument(
            option(name), nargs="+", action="extend", metavar=metavar, default=[], help=about
        )
    for name, metavar, about in VALUES:
        answers.add_argument(option(name), metavar=metavar, help=about)
    for name, metavar, about in NUMBERS:
        answers.add_argument(option(name), metavar=metavar, help=about, type=int)


def run(options: argparse.Namespace) -> int:
    from django_split.analysis.analyse import analyse, compare
    from django_split.analysis.deployment import Deployment, DeploymentError
    from django_split.analysis.process import AnalysisError
    from django_split.report import show

    deploy = _deployment(options)
    limits = {} if options.crawl_pages is None else {"pages": options.crawl_pages}
    try:
        # Here too: what is misspelt needs no analysis to be told.
        Deployment.read(deploy, default_site=options.settings.partition(".")[0])
        plan = analyse(options.settings, deploy, options.timeout, **limits)
        changes = compare(options.settings, plan, options.timeout) if options.diff else {}
    except DeploymentError as error:
        raise InputError(_place(str(error), options)) from error
    except AnalysisError as error:
        raise InputError(str(error)) from error
    if options.output:
        write(options.output, plan.toml())
    if options.json:
        data = plan.data()
        if options.diff:
            data["diff"] = {
                instance: [dataclasses.asdict(change) for change in changed]
                for instance, changed in changes.items()
            }
        print(json.dumps(data, indent=2))
    else:
        show(plan, changes)
    verdict = plan.verdict
    if verdict.can_be_split:
        return CAN_BE_SPLIT
    if options.json:
        # Standard output is the plan; who reads it may show no more than this.
        reasons = "; ".join([*verdict.decisions, *verdict.reasons])
        print(
            f"django-split: {options.settings} is not split ({verdict.is_}): {reasons}",
            file=sys.stderr,
        )
    return NEEDS_A_DECISION if plan.verdict.decisions else NOTHING


def _deployment(options: argparse.Namespace) -> dict[str, Any]:
    """What --deploy says, with the answers that were typed."""
    deploy = read_table(options.deploy, "--deploy") if options.deploy else {}
    for name, *_ in LISTS:
        if typed := getattr(options, name):
            said = deploy.get(name) or []
            # What is no list is for Deployment to refuse.
            deploy[name] = [*said, *typed] if isinstance(said, list) else said
    for name, *_ in (*VALUES, *NUMBERS):
        typed = getattr(options, name)
        if typed is not None:
            deploy[name] = typed
    return deploy


def _place(error: str, options: argparse.Namespace) -> str:
    """A deployment's error with where it was said: in an option, or in the file."""
    name, _, what = error.partition(": ")
    known = {variable for variable, *_ in (*LISTS, *VALUES, *NUMBERS)}
    if getattr(options, name, None) and name in known:
        return f"{option(name)}: {what}"
    return f"--deploy: {error}"
