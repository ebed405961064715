"""The command `django-split`."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from django_split import (
    __version__,
    audit_command,
    grants_command,
    plan_command,
    sessions_command,
    status_command,
)
from django_split.files import InputError, read_table, write

# What was typed, or the site itself, is broken.
BROKEN = 1


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

    plan_command.add_to(commands)
    audit_command.add_to(commands)
    sessions_command.add_to(commands)
    grants_command.add_to(commands)
    status_command.add_to(commands)

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


def _render(options: argparse.Namespace) -> int:
    try:
        from jinja2 import TemplateError, TemplateNotFound

        from django_split.render import Renderer
    except ImportError as error:
        raise InputError(
            f"render needs Jinja2 ({error}): pip install 'django-split[render]'"
        ) from error

    variables = read_table(options.vars, "--vars")
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
            write(options.output / name.removesuffix(".j2"), text)
        else:
            sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
