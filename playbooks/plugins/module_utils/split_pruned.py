"""Folders that go as a whole: a kill in the middle leaves none of them half under its name."""

from __future__ import annotations

import os
import shutil

PRUNED = ".pruned-"


def remove(folder: str, gone: list[str]) -> None:
    """Remove what is called so in a folder, and what a run that was killed has left of others."""
    for name in gone:
        os.rename(os.path.join(folder, name), os.path.join(folder, PRUNED + name))
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.startswith(PRUNED):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
