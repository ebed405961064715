"""What a site pins itself is the site's: ours steps back to the floor."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.conftest import RunModule
from tests.support.plugins import load

virtualenv = load("modules", "split_virtualenv")


@pytest.mark.parametrize(
    "line", ["gunicorn==21.2", "Gunicorn >= 20", "gunicorn", "gunicorn[gevent]~=22.0"]
)
def test_a_package_that_the_site_names_is_found(line: str) -> None:
    assert virtualenv.named("gunicorn", ["Django>=4.2\n", line + "\n"])


@pytest.mark.parametrize(
    "line", ["gunicorn-color-logger==1", "# gunicorn==21", "-e ./gunicorn", "uvicorn"]
)
def test_what_only_sounds_like_it_is_not(line: str) -> None:
    assert not virtualenv.named("gunicorn", [line + "\n"])


def test_names_are_compared_as_pip_does() -> None:
    assert virtualenv.named("tomli-w", ["Tomli_W>=1"])


def test_included_files_count_and_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    base = tmp_path / "requirements" / "base.txt"
    base.write_text("redis==5.0\n-r production.txt\n")
    production = tmp_path / "requirements" / "production.txt"
    production.write_text("-r base.txt\nDjango\n")
    lines = [line.strip() for line in virtualenv.requirement_lines(str(production))]
    assert "redis==5.0" in lines
    assert "Django" in lines


@pytest.mark.parametrize(
    ("said", "there", "found"),
    [
        ({}, ["requirements.txt"], "requirements.txt"),
        (
            {"directory": "src"},
            ["requirements.txt", "src/requirements.txt"],
            "src/requirements.txt",
        ),
        ({"requirements": ["Django"]}, ["requirements.txt"], None),
        ({"requirements_file": "r/prod.txt"}, ["requirements.txt"], "r/prod.txt"),
        ({}, [], None),
    ],
)
def test_which_requirements_file_is_meant(
    tmp_path: Path, said: dict[str, object], there: list[str], found: str | None
) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    wanted = {"requirements_file": "", "requirements": [], "directory": "", **said}
    expected = str(tmp_path / found) if found else None
    assert virtualenv.requirements_file(str(tmp_path), wanted) == expected


def test_a_conflict_with_what_we_need_says_whose_need_it_is() -> None:
    own = [
        {"name": "gunicorn", "pin": "==27.0.1", "floor": ">=23"},
        {"name": "redis", "pin": "==8.1.0", "floor": ">=5"},
    ]
    assert "django-split itself needs gunicorn>=23." in virtualenv.floors(own, ["gunicorn==22"])
    assert virtualenv.floors(own, ["Django"]) == ""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Not pytest's own, which nobody else may enter."""
    made = Path(tempfile.mkdtemp(prefix="split-virtualenv-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
def test_a_package_that_is_older_than_pyproject_is_built(
    run_module: RunModule, open_folder: Path
) -> None:
    old = open_folder / "place" / "src"
    old.mkdir(parents=True)
    (old / "setup.py").write_text(
        "from setuptools import setup\nsetup(name='oldie', version='1', py_modules=['oldie'])\n"
    )
    (old / "oldie.py").write_text("")
    for path in (old.parent, old, *old.iterdir()):
        shutil.chown(path, "nobody")
    done = run_module(
        "split_virtualenv",
        path=str(old.parent),
        user="nobody",
        python="/usr/bin/python3",
        requirements=[str(old)],
    )
    assert done.get("wheels") == ["oldie-1-py3-none-any.whl"], done
