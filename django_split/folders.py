"""Folders that a base makes in its source while it is imported.

``python -m django_split.folders SETTINGS SOURCE [DIRECTORY]``

A settings module that does ``(BASE_DIR / "logs").mkdir(exist_ok=True)`` cannot do it in a release:
nobody writes there. So the base is imported once in a copy that this process owns, and each folder
that came into being is named; the deploy puts a link to the shared directory in its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 120


def made_by(settings: str, source: Path, directory: str = "") -> list[Path]:
    """The folders, relative to ``source``; none that lies in another, and none of Python's own.

    A base that does not import has made what it made until then: what is wrong with it is the
    analysis's to say.
    """
    with tempfile.TemporaryDirectory(prefix="django-split-folders-") as place:
        copy = Path(place, "src")
        shutil.copytree(source, copy, symlinks=True)
        for folder, _, _ in os.walk(copy):
            os.chmod(folder, 0o700)
        before = _folders(copy)
        home = copy / directory
        try:
            subprocess.run(
                [sys.executable, "-c", f"import importlib; importlib.import_module({settings!r})"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=home,
                env={
                    **os.environ,
                    "PYTHONPATH": str(home),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "DJANGO_SETTINGS_MODULE": settings,
                },
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return []
        new = _folders(copy) - before
    return sorted(folder for folder in new if not new.intersection(folder.parents))


def _folders(top: Path) -> set[Path]:
    return {
        Path(folder, name).relative_to(top)
        for folder, names, _ in os.walk(top)
        for name in names
        if name != "__pycache__"
    }


def main(settings: str, source: str, directory: str = "") -> None:
    """Print one folder a line."""
    for folder in made_by(settings, Path(source), directory):
        print(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
