"""The command `django-split`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django_split import __version__
from django_split.suggestions import option

PAGES = 150

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
    ("public_sessions", "ENGINE", "keep sessions on main: none, cache or cached_db (none)"),
)

# Exit statuses of `django-split plan`.
CAN_BE_SPLIT = 0
BROKEN = 1
NEEDS_A_DECISION = 3
NOTHING = 4


class InputError(Exception):
    """What was typed, or a file that it names, is wrong; the message is for the operator."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    # A site's names may hold what a terminal without UTF-8 cannot show.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(f"django-split: {error}", file=sys.stderr)
        return BROKEN
    except BrokenPipeError:
        # `| head` has seen enough; Python would complain once more when it closes the stream.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="django-split", description="Run one Django site as two instances: main and admin."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

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
        "--timeout", metavar="SECONDS", type=_seconds, default=120, help="for the analysis (120)"
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
        type=_pages,
        default=PAGES,
        help=f"ask no more pages than that ({PAGES})",
    )
    _add_answers(plan)
    plan.set_defaults(run=_plan)

    render = commands.add_parser("render", help="render templates without Ansible")
    render.add_argument("templates", nargs="+", metavar="TEMPLATE", help="as nginx/nginx.conf.j2")
    render.add_argument(
        "--vars", required=True, metavar="FILE", type=Path, help="variables, JSON or YAML"
    )
    render.add_argument(
        "--output", metavar="DIRECTORY", type=Path, help="where to write (else standard output)"
    )
    render.set_defaults(run=_render)
    return parser


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


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


def _pages(text: str) -> int:
    pages = int(text)
    if pages < 0:
        raise ValueError(text)
    return pages


def _plan(options: argparse.Namespace) -> int:
    from django_split.analysis.analyse import analyse, compare
    from django_split.analysis.deployment import DeploymentError
    from django_split.analysis.process import AnalysisError
    from django_split.report import show

    deploy = _deployment(options)
    try:
        plan = analyse(options.settings, deploy, options.timeout, pages=options.crawl_pages)
        changes = compare(options.settings, plan, options.timeout) if options.diff else {}
    except DeploymentError as error:
        raise InputError(_place(str(error), options)) from error
    except AnalysisError as error:
        raise InputError(str(error)) from error
    if options.output:
        _write(options.output, plan.toml())
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
    deploy = _table(options.deploy, "--deploy") if options.deploy else {}
    for name, *_ in LISTS:
        if typed := getattr(options, name):
            said = deploy.get(name)
            deploy[name] = [*(said if isinstance(said, list) else []), *typed]
    for name, *_ in VALUES:
        typed = getattr(options, name)
        if typed is not None:
            deploy[name] = typed
    return deploy


def _place(error: str, options: argparse.Namespace) -> str:
    """A deployment's error with where it was said: in an option, or in the file."""
    name, _, what = error.partition(": ")
    if getattr(options, name, None) and name in {known for known, *_ in (*LISTS, *VALUES)}:
        return f"{option(name)}: {what}"
    return f"--deploy: {error}"


def _render(options: argparse.Namespace) -> int:
    try:
        from jinja2 import TemplateError, TemplateNotFound

        from django_split.render import Renderer
    except ImportError as error:
        raise InputError(
            f"render needs Jinja2 ({error}): pip install 'django-split[render]'"
        ) from error

    variables = _table(options.vars, "--vars")
    renderer = Renderer()
    for name in options.templates:
        try:
            text = renderer.render(name, variables)
        except TemplateNotFound as error:
            known = ", ".join(renderer.names())
            raise InputError(f"no template {error.name}; there are {known}") from error
        except TemplateError as error:
            raise InputError(f"{name}: {error.message}") from error
        if options.output:
            _write(options.output / name.removesuffix(".j2"), text)
        else:
            sys.stdout.write(text)
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _table(path: Path, option: str) -> dict[str, Any]:
    """Read a JSON object or, by its suffix, a YAML mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{option}: {path} cannot be read: {error.strerror}") from error
    try:
        data = _yaml(text) if path.suffix in (".yml", ".yaml") else json.loads(text)
    except ValueError as error:
        raise InputError(f"{option}: {path} is not valid: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{option}: {path} must hold one object of names and values")
    return data


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise InputError(
            "a YAML file needs PyYAML: pip install 'django-split[yaml]', or give JSON"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
