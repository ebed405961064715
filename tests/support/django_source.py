"""Django's own tests, which are in its source distribution only."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.trial import REPOSITORY

KEPT = REPOSITORY / ".cache" / "django"


def django_tests(version: str, python: str | Path = sys.executable) -> Path:
    """The folder `tests` of a Django, fetched once; skips where the registry is out of reach.

    `python` is one for which that Django is: pip looks for no other.
    """
    folder = KEPT / f"django-{version}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(version, python)
    return folder / "tests"


def _fetch(version: str, python: str | Path) -> None:
    place = KEPT / f"fetched-{version}"
    pip = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-binary", ":all:", "--dest", str(place), f"Django=={version}"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"Django {version} could not be fetched: {done.stderr.strip()[-200:]}")
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    # Whole or not at all: a run that is killed here begins again.
    (place / f"django-{version}").rename(KEPT / f"django-{version}")
    shutil.rmtree(place)
