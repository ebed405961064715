"""The command `django-split`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django_split import __version__

# Exit statuses of `django-split plan`.
CAN_BE_SPLIT = 0
BROKEN = 1
NEEDS_A_DECISION = 3
NOTHING = 4


class InputError(Exception):
    """What was typed, or a file that it names, is wrong; the message is for the operator."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except InputError as error:
        print(f"django-split: {error}", file=sys.stderr)
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
        epilog="Exit status: 0 can be split, 1 the base or the input is broken, "
        "3 needs a decision, 4 nothing to split.",
    )
    plan.add_argument("--settings", required=True, metavar="MODULE", help="the site's settings")
    plan.add_argument("--deploy", metavar="FILE", type=Path, help="JSON: where it is deployed")
    plan.add_argument("--output", metavar="FILE", type=Path, help="write the plan as TOML")
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=120, help="for the analysis (120)"
    )
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


def _plan(options: argparse.Namespace) -> int:
    from django_split.analysis.analyse import analyse
    from django_split.analysis.process import AnalysisError
    from django_split.report import show

    deploy = _table(options.deploy, "--deploy") if options.deploy else {}
    try:
        plan = analyse(options.settings, deploy, options.timeout)
    except AnalysisError as error:
        raise InputError(str(error)) from error
    if options.output:
        _write(options.output, plan.toml())
    if options.json:
        print(plan.json(), end="")
    else:
        show(plan)
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


def _render(options: argparse.Namespace) -> int:
    from jinja2 import TemplateError, TemplateNotFound

    from django_split.render import Renderer

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
