"""`pip install django-split` into a site's virtualenv moves nothing that the site has."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from django_split import __version__
from tests.support.installing import (
    build_wheel,
    fresh_virtualenv,
    frozen,
    pip,
    plain_environment,
    startproject,
)

pytestmark = pytest.mark.slow

# Pinned as old sites pin: each is older than what newer packages of the kind ask for.
OLD = [
    "Django~=4.2.0",
    "jinja2==2.11.3",
    "markupsafe==2.0.1",
    "rich==10.0.0",
    "pygments==2.6.1",
    "tomli==0.2.10",
    "tomli-w==0.1.0",
]
NEW = ["Django~=6.0.0", "jinja2>=3.1", "rich>=14", "tomli-w>=1.2"]
TOO_OLD = ["Django~=3.2.0"]

PLAN = ["django-split", "plan", "--settings", "mysite.settings", "--output", "plan.toml"]
CHECK = ["python", "-m", "django", "check"]

SITES = {"old": (OLD, "3.10"), "new": (NEW, "3.13"), "too-old": (TOO_OLD, "3.10")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the wheel is built by the tests' own Python only")
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@dataclass
class Installed:
    """A site's virtualenv with django-split in it, and what pip says it had and has."""

    python: Path
    before: set[str]
    after: set[str]

    def type(
        self, project: Path, *words: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtualenv's in a project's directory."""
        return subprocess.run(
            [str(self.python.with_name(words[0])), *words[1:]],
            cwd=project,
            env=plain_environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
        )


Install = Callable[[str], Installed]


@pytest.fixture(scope="module")
def install(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    @cache
    def made(which: str) -> Installed:
        requirements, version = SITES[which]
        python = fresh_virtualenv(requirements, version, tmp_path_factory.mktemp("venv") / "venv")
        before = frozen(python)
        pip(python, "install", "--quiet", str(wheel))
        return Installed(python, before, frozen(python))

    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    startproject("mysite", tmp_path)
    return tmp_path


@pytest.mark.parametrize("which", SITES)
def test_nothing_of_the_sites_moves(install: Install, which: str) -> None:
    site = install(which)
    assert site.before <= site.after
    added = {re.split("==| @ ", line)[0].lower() for line in site.after - site.before}
    assert "django-split" in added
    assert added <= {"django-split", "tomli", "tomli-w", "tomli_w"}
    pip(site.python, "check")


@pytest.mark.parametrize("which", ["old", "new"])
def test_plan_is_made_and_both_instances_start(install: Install, which: str, project: Path) -> None:
    site = install(which)
    made = site.type(project, *PLAN)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("mysite.settings: split\n")
    for instance in ("main", "admin"):
        checked = site.type(project, *CHECK, **environment(instance))
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_django_that_is_too_old_is_refused_by_the_plan(install: Install, project: Path) -> None:
    made = install("too-old").type(project, *PLAN)
    assert made.returncode == 1
    assert made.stderr.startswith("django-split: --settings is for a site on Django 3.2.")
    assert made.stderr.endswith("; django-split needs 4.2 or newer\n")
    assert not (project / "plan.toml").exists()


def test_django_that_is_too_old_is_refused_by_an_instance(install: Install, project: Path) -> None:
    """Also when the plan was made elsewhere."""
    assert install("new").type(project, *PLAN).returncode == 0
    checked = install("too-old").type(project, *CHECK, **environment("main"))
    assert checked.returncode == 1
    last = checked.stderr.splitlines()[-1]
    assert re.search(r"Django 3\.2\.\d+; django-split needs 4\.2 or newer$", last)


def test_render_needs_no_more_than_jinja(install: Install, tmp_path: Path) -> None:
    (tmp_path / "vars.json").write_text("{}")
    command = ["django-split", "render", "nothing.j2", "--vars", "vars.json"]
    for which in ("old", "new"):
        assert (
            "no template nothing.j2; there are " in install(which).type(tmp_path, *command).stderr
        )
    without = install("too-old").type(tmp_path, *command)
    assert without.returncode == 1
    assert without.stderr.endswith(": pip install 'django-split[render]'\n")


def test_command_says_its_version(install: Install, tmp_path: Path) -> None:
    said = install("old").type(tmp_path, "django-split", "--version")
    assert said.stdout.strip() == __version__


def environment(instance: str) -> dict[str, str]:
    module = f"django_split.instances.{instance}"
    return {"DJANGO_SPLIT_PLAN": "plan.toml", "DJANGO_SETTINGS_MODULE": module}
