"""Projects made by their own commands, and the base that both instances are compared with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.browsing import PASSWORD, crawl
from tests.support.trial import Site

# The base on its own, as it would be deployed without a split. The plan has no part in it.
BASE = """
import importlib
_base = importlib.import_module({settings!r})
globals().update({{name: value for name, value in vars(_base).items() if name.isupper()}})
DEBUG = False
ALLOWED_HOSTS = [*globals().get("ALLOWED_HOSTS", ()), "trial.example"]
CSRF_TRUSTED_ORIGINS = [
    *globals().get("CSRF_TRUSTED_ORIGINS", ()), "http://trial.example:8080",
]
"""

# As many as a busy machine asks for within the crawl's seconds: plans are compared.
FEW_PAGES = ("--crawl-pages", "40")

# Files and database stay where the site has them: the base must see the same ones.
IN_PLACE = dict.fromkeys(("data_root", "media_root", "var_root"))


def run(python: Path, *command: str | Path, cwd: Path) -> str:
    """Run a program of a virtualenv, with the virtualenv's programs first on PATH."""
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    program = python.with_name(str(command[0]))
    done = subprocess.run(
        [program, *command[1:]],
        cwd=cwd,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def fresh(place: Path) -> Path:
    """The folder that a project is made in."""
    (place / "src").mkdir()
    return place / "src"


def set_up(site: Site, *commands: Sequence[str], content: str = "") -> None:
    """Make the tables, the superuser and some content, with the base alone.

    `commands` are the site's own, instead of `migrate`. Afterwards `site.ask("base", …)` answers
    as the unsplit site does.
    """
    (site.place / "settings").mkdir()
    base = site.place / "settings" / "split_base.py"
    base.write_text(BASE.format(settings=site.settings))
    for command in commands or [["migrate", "-v0"]]:
        site.manage("base", *command)
    site.ask(
        "base",
        f"""
        from django.contrib.auth import get_user_model
        user = get_user_model()
        fields = {{"email": "chief@trial.example", "password": {PASSWORD!r}}}
        # Where people are known by their mail address, that is the name.
        user.objects.create_superuser(**{{user.USERNAME_FIELD: "chief", **fields}})
        """,
    )
    if content:
        site.ask("base", content)
    # Some sites make rows and files when they are first looked at: later a plan would say less.
    crawl(site, "base", most=40, starts=["/", "/nothing-is-here/"])


def split(site: Site, store: Path, **answers: Any) -> None:
    """Plan the site in place, with the operator's answers."""
    site.plan(FEW_PAGES, **deployment(store), **answers)


def deployment(store: Path) -> dict[str, Any]:
    return {**IN_PLACE, "session": {"url": f"unix://{store}?db=0"}}
