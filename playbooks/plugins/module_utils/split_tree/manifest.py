"""The manifest: which paths of a host are whose, and what was written there."""

from __future__ import annotations

import contextlib
import glob
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.split_disk import sync_directory
from ansible.module_utils.split_flock import HeldError, held

from .entries import TreeError

FORMAT = 1
# Every version's manifest begins its "about" like this; the rest of the sentence may change.
SIGN = "Written by django-split: "
ABOUT = SIGN + "the paths that it put on this host. Without it they cannot be taken away again."
LOCK_SECONDS = 300.0
NEW = ".new"


@dataclass
class Record:
    """One path.

    ``written`` holds every content that may rightly be there: after a kill, the old or the new one.
    ``adopted`` means that the path was on the host, as it should be, before any manifest listed it.
    Such a path is not ours to take away.
    """

    kind: str
    written: list[str] = field(default_factory=list)
    secret: bool = False
    adopted: bool = False

    def join(self, older: Record) -> Record:
        """This record, which also accepts what the older one wrote."""
        written = self.written + [one for one in older.written if one not in self.written]
        return Record(self.kind, written, self.secret or older.secret, self.adopted)


Records = dict[str, Record]


def load(path: str) -> Records:
    """An absent manifest lists nothing.

    Raises TreeError for one that cannot be read: without it, files would be orphaned silently.
    """
    try:
        with open(path, encoding="utf-8") as source:
            manifest: dict[str, Any] = json.load(source)
        if manifest["format"] != FORMAT:
            raise TreeError(
                f"{path} has format {manifest['format']}, this version knows {FORMAT}.\n"
                "Deploy with the version of django-split that wrote it, or a newer one."
            )
        return {name: Record(**record) for name, record in manifest["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TreeError(
            f"{path} is not a manifest of django-split ({error}).\n"
            f"Move it away (mv {path} {path}.broken) and run again: "
            "what is still listed is then installed anew, "
            "what is not stays where it is."
        ) from error


def foreign(path: str) -> bool:
    """Whether a file is sound JSON but no manifest: a release keeps plan.json beside its own."""
    try:
        with open(path, encoding="utf-8") as source:
            content = json.load(source)
    except (OSError, ValueError):
        return False
    return not (isinstance(content, dict) and str(content.get("about")).startswith(SIGN))


def save(path: str, records: Records) -> None:
    """Atomic and on disk when this returns. 0600: the sha256 of a short secret gives it away."""
    files = {
        name: {
            "kind": record.kind,
            "written": record.written,
            "secret": record.secret,
            "adopted": record.adopted,
        }
        for name, record in sorted(records.items())
    }
    text = json.dumps({"about": ABOUT, "format": FORMAT, "files": files}, indent=1) + "\n"
    temporary = path + NEW
    sweep(path)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.rename(temporary, path)
    sync_directory(os.path.dirname(path))


def sweep(path: str) -> None:
    """Remove what a run that was killed while it saved this manifest has left."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + NEW)


def erase(path: str, root: str) -> None:
    """Take the manifest away, and the directories up to ``root`` that are empty then."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    directory = os.path.dirname(path)
    with contextlib.suppress(OSError):
        os.rmdir(directory)
        while directory != root and directory.startswith(root.rstrip("/") + "/"):
            directory = os.path.dirname(directory)
            os.rmdir(directory)


class Others:
    """Every other manifest of the host: beside this one, and those of all sites under ``root``."""

    def __init__(self, own: str, root: str) -> None:
        self.manifests: dict[str, Records] = {}
        self.unreadable: list[str] = []
        names = glob.glob(os.path.join(glob.escape(os.path.dirname(own)), "*.json"))
        names += glob.glob(os.path.join(glob.escape(root), "*", "manifests", "*.json"))
        for name in sorted({os.path.realpath(name) for name in names} - {os.path.realpath(own)}):
            if foreign(name):
                continue
            try:
                self.manifests[name] = load(name)
            except (TreeError, OSError):
                self.unreadable.append(name)

    def listing(self, path: str) -> str:
        """The first other manifest that lists the path, or an empty string."""
        return next((name for name, records in self.manifests.items() if path in records), "")

    def own(self, path: str) -> bool:
        """Whether another manifest has put the path there (and not only found it)."""
        return any(
            path in records and not records[path].adopted for records in self.manifests.values()
        )

    def hand_over(self, path: str, content: str) -> None:
        """Tell manifests that still list the path what stands there: they may remove it later."""
        for name, records in self.manifests.items():
            record = records.get(path)
            if record is not None and content not in record.written:
                record.written.append(content)
                save(name, records)


@contextlib.contextmanager
def locked(directory: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """One tree at a time on a host."""
    try:
        with held(directory, seconds):
            yield
    except HeldError as error:
        raise TreeError(f"another run installs files on this host: {error}") from None
