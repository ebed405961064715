"""A site's virtualenv into which django-split's wheel is installed, as a user types it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.trial import REPOSITORY
from tests.support.virtualenvs import virtualenv


def build_wheel(folder: Path) -> Path:
    """The wheel of the tree as it is now."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run([*command, "--no-build-isolation", "--wheel-dir", str(folder), str(REPOSITORY)])
    return next(folder.glob("django_split-*.whl"))


def fresh_virtualenv(requirements: Sequence[str], version: str, folder: Path) -> Path:
    """The Python of a virtualenv of one's own with these packages, and nothing of ours."""
    kept = virtualenv(requirements, version, ours=()).parents[1]
    # Its Python finds its packages from where it lies; only scripts remember where they were made.
    shutil.copytree(kept, folder, symlinks=True)
    return folder / "bin" / "python"


def pip(python: Path, *words: str) -> str:
    return run([str(python), "-m", "pip", "--disable-pip-version-check", *words])


def frozen(python: Path) -> set[str]:
    return set(pip(python, "freeze").splitlines())


def startproject(name: str, folder: Path, python: Path = Path(sys.executable)) -> None:
    run([str(python), "-m", "django", "startproject", name, str(folder)])


def plain_environment(**more: str) -> dict[str, str]:
    """What a user's shell has: nothing that says where django-split's source is."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # pip finds packages as this machine is set up to.
    return kept | {k: v for k, v in os.environ.items() if k.startswith("PIP_")} | more


def run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=plain_environment(), timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
