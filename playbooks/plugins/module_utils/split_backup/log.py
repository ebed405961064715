"""A copy of Redis' append-only files while Redis writes them."""

from __future__ import annotations

import os
import shutil

from .parts import BackupError

TRIES = 20


def log_folders(folder: str) -> list[str]:
    """The folders of append-only files in a store's folder (Redis' and Valkey's have two names)."""
    if not os.path.isdir(folder):
        return []
    return sorted(
        name
        for name in os.listdir(folder)
        if os.path.isdir(os.path.join(folder, name)) and manifest(os.path.join(folder, name))
    )


def manifest(folder: str) -> str:
    """The manifest's name, "" where there is none."""
    found = [name for name in os.listdir(folder) if name.endswith(".aof.manifest")]
    return found[0] if found else ""


def copy_log(folder: str, target: str) -> None:
    """The manifest and the files that it names.

    Files are appended to or replaced, and the manifest says which count: when it is the same
    afterwards, they belong together. A last command that was cut off is dropped when it is loaded
    (aof-load-truncated). No command of Redis' is needed, and no right to give it.
    """
    for _ in range(TRIES):
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target, 0o700)
        name = manifest(folder)
        try:
            before = read(os.path.join(folder, name))
            for line in before.splitlines():
                # file NAME seq N type X
                words = line.split()
                if words[:1] == ["file"]:
                    shutil.copy2(os.path.join(folder, words[1]), os.path.join(target, words[1]))
            if read(os.path.join(folder, name)) != before:
                continue
        except FileNotFoundError:
            continue  # rewritten meanwhile
        with open(os.path.join(target, name), "w") as file:
            file.write(before)
        return
    raise BackupError(f"{folder} is rewritten all the time: its sessions could not be copied")


def read(path: str) -> str:
    with open(path) as file:
        return file.read()
