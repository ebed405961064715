"""What a tree lists, and what is on the host at those paths."""

from __future__ import annotations

import base64
import grp
import hashlib
import json
import os
import pwd
import stat
import zlib
from dataclasses import dataclass
from typing import Any


class TreeError(Exception):
    """Something the operator has to mend; the message says what."""


@dataclass(frozen=True)
class Entry:
    """One listed path.

    ``data`` is a file's content or a link's target; links have no owner and no mode.
    """

    path: str
    kind: str  # "file", "link" or "directory"
    data: bytes = b""
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    secret: bool = False
    template: str = ""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.kind, self.data)


@dataclass(frozen=True)
class Found:
    """What is at a path on the host: symbolic links are looked at, never followed."""

    kind: str  # as in Entry, or "missing", or "other" (device, socket, fifo)
    uid: int = 0
    gid: int = 0
    mode: int = 0
    size: int = 0


def fingerprint(kind: str, data: bytes) -> str:
    """How a manifest remembers content: the sha256 of a file, the target of a link."""
    if kind == "file":
        return hashlib.sha256(data).hexdigest()
    if kind == "link":
        return "link:" + os.fsdecode(data)
    return "directory"


def unpack(tree: str) -> list[Entry]:
    """Entries from what ``pack`` made on the controller."""
    listed: list[dict[str, Any]] = json.loads(zlib.decompress(base64.b64decode(tree)))
    return [
        Entry(
            path=item["path"],
            kind=item["kind"],
            data=os.fsencode(item["data"]) if item["kind"] == "link" else item["data"].encode(),
            owner=item.get("owner", "root"),
            group=item.get("group", "root"),
            mode=int(item.get("mode", "0755"), 8),
            secret=item.get("secret", False),
            template=item.get("template", ""),
        )
        for item in listed
    ]


def digest(entries: list[Entry]) -> str:
    """One sha256 for the whole list, whatever its order: path, content and mode of each entry."""
    whole = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.path):
        mode = "" if entry.kind == "link" else f"{entry.mode:04o}"
        whole.update(f"{entry.path}\0{entry.kind}\0{mode}\0{entry.fingerprint}\n".encode())
    return whole.hexdigest()


def look(path: str) -> Found:
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Found("missing")
    if stat.S_ISREG(status.st_mode):
        kind = "file"
    elif stat.S_ISLNK(status.st_mode):
        kind = "link"
    elif stat.S_ISDIR(status.st_mode):
        kind = "directory"
    else:
        kind = "other"
    mode = stat.S_IMODE(status.st_mode)
    return Found(kind, status.st_uid, status.st_gid, mode, status.st_size)


def read(path: str, found: Found) -> bytes:
    """Content of a file or target of a link, as ``Entry.data`` has it."""
    if found.kind == "link":
        return os.fsencode(os.readlink(path))
    if found.kind != "file":
        return b""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source:
        return source.read()


def same_content(entry: Entry, found: Found) -> bool:
    if entry.kind != found.kind:
        return False
    if entry.kind == "file" and found.size != len(entry.data):
        return False
    return entry.kind == "directory" or read(entry.path, found) == entry.data


def same_permissions(entry: Entry, found: Found) -> bool:
    """An owner that the host does not know (yet) is never the same."""
    if entry.kind == "link":
        return True
    wanted = (user_id(entry.owner), group_id(entry.group), entry.mode)
    return wanted == (found.uid, found.gid, found.mode)


def user_id(name: str) -> int | None:
    """None when the host has no such user. Digits are an id, as for chown."""
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def group_id(name: str) -> int | None:
    """None when the host has no such group."""
    if name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def permissions(owner: str, group: str, mode: int) -> str:
    return f"{owner}:{group} {mode:04o}"


def found_permissions(found: Found) -> str:
    try:
        owner = pwd.getpwuid(found.uid).pw_name
    except KeyError:
        owner = str(found.uid)
    try:
        group = grp.getgrgid(found.gid).gr_name
    except KeyError:
        group = str(found.gid)
    return permissions(owner, group, found.mode)
