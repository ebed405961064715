"""Virtualenvs for real sites, built once and kept under .cache/venvs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.trial import REPOSITORY

KEPT = REPOSITORY / ".cache" / "venvs"

# What django-split itself needs beside Django.
OURS = ("jinja2", "rich", "tomli-w", "tomli; python_version < '3.11'")


def virtualenv(requirements: Sequence[str], version: str = "", ours: Sequence[str] = OURS) -> Path:
    """The Python of a virtualenv that has these packages and what django-split needs.

    `version` is a Python's, as "3.13"; the tests' own if empty. Skips where this machine lacks it.
    """
    python = interpreter(version)
    wanted = [*requirements, *ours]
    digest = hashlib.sha256("\n".join([python, *wanted]).encode()).hexdigest()[:10]
    folder = KEPT / digest
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run([python, "-m", "venv", str(folder)])
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            _run([*pip, "--disable-pip-version-check", *wanted])
            (folder / ".complete").touch()
    return folder / "bin" / "python"


def interpreter(version: str) -> str:
    """The path of a Python by its version: pyenv's own, not its shim, or the system's."""
    if not version or sys.version_info[:2] == tuple(map(int, version.split("."))):
        return os.path.realpath(sys.executable)
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in sorted(versions.glob(f"{version}.*/bin/python")):
        return str(candidate)
    found = shutil.which(f"python{version}")
    if found is None or subprocess.run([found, "--version"], capture_output=True).returncode:
        pytest.skip(f"Python {version} is not on this machine")
    return found


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
