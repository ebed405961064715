"""Put a backup in the place of what is there."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tarfile
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.split_service import Supervisor, Systemd, manager_for

from .archive import DUMP, check, unpack
from .log import log_folders
from .parts import OURS, BackupError, Part, parts
from .postgresql import Database

KEY = "DJANGO_SPLIT_ADMIN_SECRET_KEY"


def restore(params: Mapping[str, Any]) -> dict[str, Any]:
    """Everything is unpacked and loaded beside what is there; then the site stops, and both swap.

    Returns what was stopped, for `start`. When something fails, what was there is there again.
    """
    path = params["path"]
    about = check(path, params["site"])
    database = Database(params["database"]) if params["database"] else None
    if (about["database"] == "postgresql") != (database is not None):
        raise BackupError(
            f"{path} has the database {'of PostgreSQL' if database is None else 'in files'}, and "
            f"site_database is {'url' if database is None else 'postgresql'}"
        )
    wanted = [part for part in parts(params) if part.name in about["parts"]]
    notes = []
    if about["store"] != params["store_program"]:
        wanted = [part for part in wanted if part.name not in params["stores"]]
        notes.append(
            f"sessions are not restored: they are of {about['store']}, and session_store is "
            f"{params['store_program']}"
        )
    staged = {part.name: _stage(part) for part in wanted}
    manager = manager_for(params["site"])
    stopped: list[str] = []
    moves: list[tuple[str, str]] = []
    try:
        for part in wanted:
            unpack(path, part.name, staged[part.name])
        if database:
            _load(database, path)
        stopped = stop(manager, params)
        for part in wanted:
            swap(part, staged[part.name], params["stores"], moves)
        if database:
            database.swap()
        _key(params)
    except BaseException:
        for source, target in reversed(moves):
            os.rename(target, source)
        start(manager, stopped)
        if database:
            database.give_up()
        raise
    finally:
        for part in wanted:
            shutil.rmtree(os.path.join(part.folder, f"{OURS}restore"), ignore_errors=True)
    return {**about, "stopped": stopped, "notes": notes}


def _stage(part: Part) -> str:
    """Within the folder: it may be a mount of its own, and what is moved must not be copied."""
    top = os.path.join(part.folder, f"{OURS}restore")
    shutil.rmtree(top, ignore_errors=True)
    for folder in (top, os.path.join(top, "new"), os.path.join(top, "old")):
        os.mkdir(folder, 0o700)
    return os.path.realpath(os.path.join(top, "new"))


def _load(database: Database, path: str) -> None:
    with tarfile.open(path, "r:gz") as archive:
        source = archive.extractfile(DUMP)
        if source is None:
            raise BackupError(f"{path} has no {DUMP}")
        # pg_restore wants a file of its own to read from.
        copy = f"{path}.dump"
        handle = os.open(copy, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w+b") as file:
                shutil.copyfileobj(source, file)
                file.seek(0)
                database.load(file)
        finally:
            os.unlink(copy)


def stop(manager: Systemd | Supervisor, params: Mapping[str, Any]) -> list[str]:
    """End what writes or reads it: the processes of the site, last those that others need."""
    site = params["site"]
    names = sorted(
        os.path.basename(path) for path in glob.glob(f"{params['state_folder']}/processes/*")
    )
    names += [f"{site}-purge"]
    for instance in ("main", "admin"):
        names += manager.instances(f"{site}-{instance}@")
    names += [f"{site}-{store}" for store in params["stores"]]
    running = [name for name in names if manager.running(name)]
    for name in running:
        manager.stop(name)
    return running


def start(manager: Systemd | Supervisor, names: list[str]) -> None:
    """Begin again what `stop` has ended, what others need first."""
    for name in reversed(names):
        # systemd's runs once, and its timer begins it; elsewhere it is a process like the others.
        if manager.name != "systemd" or not name.endswith("-purge"):
            manager.start(name)


def swap(part: Part, new: str, stores: list[str], moves: list[tuple[str, str]]) -> None:
    """What is there goes aside, what was saved takes its place; ``moves`` is for the way back."""
    old = os.path.join(os.path.dirname(new), "old")
    if part.name in stores:
        # Beside its log a store keeps nothing.
        replaced = log_folders(part.folder)
    elif part.name in ("secrets", "state"):
        # What the backup has not is none of its business: a key that was made since.
        replaced = [name for name in os.listdir(new) if os.path.lexists(f"{part.folder}/{name}")]
    else:
        replaced = [name for name in os.listdir(part.folder) if not name.startswith(OURS)]
    wanted = [(os.path.join(part.folder, name), os.path.join(old, name)) for name in replaced]
    wanted += [
        (os.path.join(new, name), os.path.join(part.folder, name)) for name in os.listdir(new)
    ]
    for source, target in wanted:
        os.rename(source, target)
        moves.append((source, target))


def _key(params: Mapping[str, Any]) -> None:
    """A release has the admin's own key in its environment: a restored key goes there, too."""
    file = os.path.join(params["conf"], "admin-secret-key")
    if not os.path.exists(file):
        return
    with open(file) as text:
        key = text.read().strip()
    for path in glob.glob(os.path.join(params["releases"], "*", "*.env")):
        with open(path) as text:
            before = text.read()
        after = re.sub(f'^{KEY}=".*"$', f'{KEY}="{key}"', before, flags=re.MULTILINE)
        if after != before:
            status = os.stat(path)
            handle = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
            with os.fdopen(handle, "w") as text:
                os.fchown(text.fileno(), status.st_uid, status.st_gid)
                text.write(after)
            os.rename(f"{path}.new", path)
