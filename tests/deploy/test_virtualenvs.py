"""Releases with the same requirements share a virtualenv; any other difference is another one."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load

from .conftest import RunModule

requirements = load("module_utils", "split_requirements")

PYTHON = "/usr/bin/python3"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("Django==5.2\n-r more.txt\n-c pins.txt\n")
    (tmp_path / "more.txt").write_text("bleach\n")
    (tmp_path / "pins.txt").write_text("bleach==6\n")
    (tmp_path / "views.py").write_text("")
    return tmp_path


def name(source: Path, **changes: Any) -> str:
    wanted = {
        "python": PYTHON,
        "requirements": [],
        "requirements_file": "",
        "directory": "",
        "own": [{"name": "gunicorn", "pin": "==27.0.1", "floor": ">=23"}],
        "wheel": None,
        "source_digest": "one",
    }
    found: str = requirements.virtualenv_name({**wanted, **changes}, str(source))
    return found


def test_code_alone_is_no_other_virtualenv(source: Path) -> None:
    before = name(source)
    (source / "views.py").write_text("changed = True")
    assert name(source, source_digest="two") == before


@pytest.mark.parametrize("file", ["requirements.txt", "more.txt", "pins.txt"])
def test_any_line_of_the_requirements_is_another(source: Path, file: str) -> None:
    before = name(source)
    with (source / file).open("a") as lines:
        lines.write("# fetch them anew\n")
    assert name(source) != before


def test_our_own_packages_and_our_wheel_count(source: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "django_split.whl"
    wheel.write_bytes(b"one")
    before = name(source, wheel=str(wheel))
    wheel.write_bytes(b"two")
    assert name(source, wheel=str(wheel)) != before
    assert name(source, own=[]) != name(source)


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=./vendor/thing",
        ".",
        "./vendor/thing",
        "vendor/thing",
        "thing.whl",
        "thing @ file:///srv/thing",
        "-f wheels",
        "--find-links=wheels",
    ],
)
def test_what_lies_in_the_source_is_as_new_as_the_source(source: Path, line: str) -> None:
    with (source / "requirements.txt").open("a") as lines:
        lines.write(line + "\n")
    assert name(source, source_digest="one") != name(source, source_digest="two")


@pytest.mark.parametrize(
    "line",
    [
        "thing==1 ; python_version > '3.8'",
        "thing[extra]>=1  # see ./docs",
        "thing @ https://example.org/thing.whl",
        "thing@git+https://example.org/thing@v1",
        "git+https://example.org/thing.git",
        "--index-url https://example.org/simple",
    ],
)
def test_what_comes_from_elsewhere_is_not(source: Path, line: str) -> None:
    with (source / "requirements.txt").open("a") as lines:
        lines.write(line + "\n")
    assert name(source, source_digest="one") == name(source, source_digest="two")


@pytest.fixture
def place() -> Iterator[Path]:
    """Not pytest's own, which nobody else may enter; with a package that needs no index."""
    made = Path(tempfile.mkdtemp(prefix="split-virtualenv-"))
    made.chmod(0o755)
    with zipfile.ZipFile(made / "thing-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing.py", "here = True\n")
        info = "thing-1.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    for folder in ("one", "two", "trial"):
        (made / folder / "src").mkdir(parents=True)
        for path in (made / folder, made / folder / "src"):
            shutil.chown(path, "nobody")
    yield made
    shutil.rmtree(made)


def make(run_module: RunModule, place: Path, folder: str, **options: Any) -> dict[str, Any]:
    return run_module(
        "split_virtualenv",
        path=str(place / folder),
        user="nobody",
        python=PYTHON,
        requirements=[str(place / "thing-1-py3-none-any.whl")],
        cache=str(place / "venvs"),
        **{"keep": True, "source_digest": "same", **options},
    )


def imports(folder: Path) -> bool:
    words = [str(folder / "venv/bin/python"), "-c", "import thing"]
    return subprocess.run(words, cwd="/", capture_output=True).returncode == 0


@pytest.mark.slow
def test_the_second_release_builds_nothing(run_module: RunModule, place: Path) -> None:
    first = make(run_module, place, "one")
    assert (first["changed"], first["built"]) == (True, True), first
    assert first["wheels"] == ["thing-1-py3-none-any.whl"]
    second = make(run_module, place, "two")
    assert (second["changed"], second["built"]) == (True, False), second
    assert (place / "one/venv").resolve() == (place / "two/venv").resolve()
    assert [path.name for path in (place / "two/wheels").iterdir()] == first["wheels"]
    assert imports(place / "two")
    assert make(run_module, place, "two")["changed"] is False
    # A trial has one of its own, which goes away again, and fetches nothing for it.
    trial = make(run_module, place, "trial", keep=False)
    assert trial["built"] is False
    assert not (place / "trial/venv").is_symlink()
    assert imports(place / "trial")


@pytest.mark.slow
def test_one_that_a_kill_left_half_built_is_built_again(run_module: RunModule, place: Path) -> None:
    make(run_module, place, "one")
    [kept] = [path for path in (place / "venvs").iterdir() if path.is_dir()]
    (kept / ".complete").unlink()
    [thing] = kept.rglob("thing.py")
    thing.unlink()
    assert make(run_module, place, "one")["built"] is True
    assert imports(place / "one")


@pytest.mark.slow
def test_what_a_killed_run_left_behind_is_waited_for(run_module: RunModule, place: Path) -> None:
    make(run_module, place, "one")
    with (place / "venvs/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done: list[dict[str, Any]] = []
        run = threading.Thread(target=lambda: done.append(make(run_module, place, "two")))
        run.start()
        run.join(3)
        assert done == []
        fcntl.flock(lock, fcntl.LOCK_UN)
        run.join(60)
    assert done[0]["built"] is False


@pytest.mark.slow
def test_what_failed_leaves_nothing_behind(run_module: RunModule, place: Path) -> None:
    (place / "thing-1-py3-none-any.whl").write_bytes(b"")
    said = make(run_module, place, "one")
    assert "Collecting the site's requirements failed" in said["msg"]
    assert [path.name for path in (place / "venvs").iterdir()] == [".lock"]
