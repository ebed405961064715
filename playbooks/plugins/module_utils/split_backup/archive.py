"""The archive: written whole or not at all, read whole before anything is changed."""

from __future__ import annotations

import contextlib
import grp
import gzip
import io
import json
import os
import pwd
import shutil
import tarfile
import time
import zlib
from collections.abc import Mapping
from typing import IO, Any

from .log import copy_log, log_folders
from .parts import BESIDE, BackupError, Part, is_sqlite, parts
from .postgresql import Database
from .sqlite import copied

FORMAT = 1
ABOUT = "backup.json"
DUMP = "database.dump"
PARTIAL = ".partial"


def save(params: Mapping[str, Any]) -> dict[str, Any]:
    """Write an archive, prune old ones; returns its path and what is in it."""
    site, directory = params["site"], params["directory"]
    os.makedirs(directory, 0o700, exist_ok=True)
    saved = parts(params)
    stores = {part.name for part in saved if part.name in params["stores"]}
    database = Database(params["database"]) if params["database"] else None
    total = sum(status.st_size for part in saved for _, status in part.files())
    total += database.size() if database else 0
    room = shutil.disk_usage(directory).free
    if room < total:
        raise BackupError(
            f"{directory} has {room // 1000000} MB free, and the site has up to "
            f"{total // 1000000} MB to save. Make room, or name another backup_directory."
        )
    created = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = os.path.join(directory, f"{site}-{created}.tar.gz")
    about = {
        "format": FORMAT,
        "site": site,
        "created": created,
        "release": os.path.basename(os.path.realpath(params["current"])),
        "database": "postgresql" if database else "files",
        "store": params["store_program"],
        "parts": [part.name for part in saved],
        "media": params["folders"]["media"],
        "bytes": total,
    }
    try:
        # 0600 from its first byte on: it holds the site's secrets.
        handle = os.open(path + PARTIAL, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            # 1: uploads are compressed already, and the rest is small.
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
                _add_bytes(archive, ABOUT, json.dumps(about, indent=1).encode())
                if database:
                    _add_dump(archive, database, path + ".dump")
                for part in saved:
                    if part.name in stores:
                        _add_log(archive, part, path + ".log")
                    else:
                        _add_files(archive, part)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + PARTIAL, path)
    finally:
        shutil.rmtree(path + ".log", ignore_errors=True)
        for left in (path + PARTIAL, path + ".dump"):
            if os.path.exists(left):
                os.unlink(left)
    return {
        **about,
        "path": path,
        "size": os.path.getsize(path),
        "pruned": prune(directory, site, params["keep"]),
    }


def prune(directory: str, site: str, keep: int) -> list[str]:
    """The oldest go; only what this module has named so."""
    # gazette-20260101T000000Z.tar.gz, and not those of gazette-two
    ours = [
        name
        for name in sorted(os.listdir(directory))
        if name.startswith(f"{site}-2") and name.endswith("Z.tar.gz")
    ]
    gone = ours[:-keep] if keep else []
    for name in gone:
        os.unlink(os.path.join(directory, name))
    return gone


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    archive.addfile(member, io.BytesIO(content))


def _add_dump(archive: tarfile.TarFile, database: Database, path: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        database.save(file)
    archive.add(path, DUMP, recursive=False)
    os.unlink(path)


def _add_log(archive: tarfile.TarFile, part: Part, copy: str) -> None:
    for name in log_folders(part.folder):
        copy_log(os.path.join(part.folder, name), copy)
        archive.add(os.path.join(part.folder, name), f"{part.name}/{name}", recursive=False)
        owner = os.stat(os.path.join(part.folder, name))
        for file in sorted(os.listdir(copy)):
            os.chown(os.path.join(copy, file), owner.st_uid, owner.st_gid)
            archive.add(os.path.join(copy, file), f"{part.name}/{name}/{file}")


def _add_files(archive: tarfile.TarFile, part: Part) -> None:
    found = list(part.files())
    names = {name for name, _ in found}
    for name, _ in found:
        path = os.path.join(part.folder, name)
        base = next((name[: -len(end)] for end in BESIDE if name.endswith(end)), "")
        if base in names and is_sqlite(os.path.join(part.folder, base)):
            continue
        try:
            if part.name == "data" and os.path.isfile(path) and is_sqlite(path):
                _add_sqlite(archive, path, f"{part.name}/{name}")
            elif os.path.isfile(path) and not os.path.islink(path):
                _add_file(archive, path, f"{part.name}/{name}")
            elif os.path.islink(path) or os.path.isdir(path):
                archive.add(path, f"{part.name}/{name}", recursive=False)
        except FileNotFoundError:
            continue  # deleted meanwhile


def _add_file(archive: tarfile.TarFile, path: str, name: str) -> None:
    """As long as it is now: a log that grows, or is cut off meanwhile, does not spoil the rest."""
    with open(path, "rb") as file:
        member = archive.gettarinfo(name, name, file)
        if member.islnk():
            member.type, member.size = tarfile.REGTYPE, os.fstat(file.fileno()).st_size
        archive.addfile(member, _AsLong(file))  # type: ignore[arg-type]


class _AsLong:
    """A file that never ends too early."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return self._file.read(size).ljust(size, b"\0")


def _add_sqlite(archive: tarfile.TarFile, path: str, name: str) -> None:
    with copied(path) as copy:
        member = archive.gettarinfo(copy, name)
        was = archive.gettarinfo(path, name)
        member.mode, member.uname, member.gname = was.mode, was.uname, was.gname
        with open(copy, "rb") as file:
            archive.addfile(member, file)


def check(path: str, site: str) -> dict[str, Any]:
    """Read all of an archive: what it says of itself. Raises BackupError for one that is no use."""
    about: dict[str, Any] = {}
    try:
        # tarfile stops before the end, where the checksum is.
        with gzip.open(path) as packed:
            while packed.read(1 << 20):
                pass
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if not about:
                    about = _about(archive, member)
                top = member.name.partition("/")[0]
                if ".." in member.name.split("/") or top not in (ABOUT, DUMP, *about["parts"]):
                    raise BackupError(f"{path} has {member.name} in it, which no backup has")
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError) as error:
        raise BackupError(f"{path} is no backup, or not a whole one: {error}") from error
    if about.get("format") != FORMAT:
        raise BackupError(
            f"{path} has format {about.get('format')}, and this version knows {FORMAT}: restore it "
            "with the version of django-split that made it, or a newer one"
        )
    if about["site"] != site:
        raise BackupError(
            f'{path} is a backup of the site "{about["site"]}", and site_name is "{site}"'
        )
    return about


def _about(archive: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    file = archive.extractfile(member) if member.name == ABOUT else None
    if file is None:
        raise BackupError(f"{archive.name!r} is no backup of django-split")
    told: dict[str, Any] = json.load(file)
    return told


def unpack(path: str, part: str, folder: str) -> None:
    """One part into an empty folder that only root enters, owners and modes as they were."""
    modes: list[tuple[str, tarfile.TarInfo]] = []
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            top, _, name = member.name.partition("/")
            if top != part or not name:
                continue
            target = os.path.join(folder, name)
            # The folder is ours alone, and a link in it is never followed.
            if os.path.realpath(os.path.dirname(target)) != os.path.dirname(target):
                raise BackupError(f"{path}: {member.name} lies behind a link")
            if member.isdir():
                os.mkdir(target)
                modes.append((target, member))
            elif member.issym():
                os.symlink(member.linkname, target)
                os.lchown(target, *owner(member))
            elif member.isfile():
                source = archive.extractfile(member)
                with open(target, "xb") as file:
                    shutil.copyfileobj(source, file)  # type: ignore[arg-type]
                    file.flush()
                    os.fsync(file.fileno())
                _take(target, member)
    for target, member in reversed(modes):
        _take(target, member)


def _take(path: str, member: tarfile.TarInfo) -> None:
    os.chown(path, *owner(member))
    os.chmod(path, member.mode)
    os.utime(path, (member.mtime, member.mtime))


def owner(member: tarfile.TarInfo) -> tuple[int, int]:
    """Ids by name: on another host they have other numbers."""
    uid, gid = member.uid, member.gid
    with contextlib.suppress(KeyError):
        uid = pwd.getpwnam(member.uname).pw_uid
    with contextlib.suppress(KeyError):
        gid = grp.getgrnam(member.gname).gr_gid
    return uid, gid
