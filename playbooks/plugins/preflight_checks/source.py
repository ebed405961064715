"""The site's source: whether it is there, and what files it has. Nothing of it is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .values import requirement_wrong

# The kinds and their rule are those of the action split_source, which fetches what was checked.
GIT_URL = re.compile(r"(git\+|git@|git://|ssh://).*|https?://.*\.git/?")
SKIPPED_FOLDERS = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".tox", ".mypy_cache"}
COMMIT = re.compile(r"[0-9a-f]{40}")


class NotThereError(Exception):
    """The source cannot be had; the text goes on after ``site_source is "…": ``."""

    def __init__(self, text: str, variable: str = "site_source") -> None:
        super().__init__(text)
        self.variable = variable


@dataclass
class Source:
    """A source that is there; ``files`` is None when they cannot be known without installing it."""

    kind: str
    location: str
    commit: str = ""
    files: set[str] | None = None
    texts: dict[str, bytes] = field(default_factory=dict)
    # Files that lie in the directory and that git ignores: no part of a release.
    ignored: set[str] = field(default_factory=set)


def find(location: str, version: str, wanted: list[str], seconds: int) -> Source:
    """Look for the source; ``wanted`` are files whose text is needed. Raises NotThereError."""
    if version or GIT_URL.fullmatch(location):
        return _git_source(location, version, wanted, seconds)
    if os.path.isdir(location):
        return _directory(Path(location), wanted)
    if os.path.exists(location):
        raise NotThereError("it is a file, not a directory")
    if "://" in location and " @ " not in location:
        raise NotThereError(
            "a git URL ends in .git, or has a site_version (a branch, a tag or a commit)"
        )
    if location.startswith(("/", ".", "~")) or ("/" in location and " @ " not in location):
        raise NotThereError(f"no such directory on this machine{_nearest_directory(location)}")
    wrong = requirement_wrong(location)
    if wrong:
        raise NotThereError(f"neither a directory of this machine, nor a git URL, and {wrong}")
    return Source("requirement", location)


def _nearest_directory(location: str) -> str:
    """The directory that was meant, or how far the path goes."""
    expanded = Path(os.path.expanduser(location))
    if location.startswith("~"):
        return f' (write "{expanded}")' if expanded.is_dir() else ""
    path = Path(os.path.abspath(location))
    there = next(parent for parent in path.parents if parent.is_dir())
    return f" ({there} is there, {path.relative_to(there).parts[0]} is not in it)"


def _directory(top: Path, wanted: list[str]) -> Source:
    if not os.access(top, os.R_OK | os.X_OK):
        raise NotThereError("the user who runs ansible-playbook may not read it")
    walked = set(_walk(top))
    if not walked:
        raise NotThereError("the directory is empty")
    listed = _git_files(top)
    files = walked & listed if listed else walked
    texts = {name: (top / name).read_bytes() for name in wanted if name in files}
    return Source("directory", str(top.resolve()), files=files, texts=texts, ignored=walked - files)


def _walk(top: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(top):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if name not in SKIPPED_FOLDERS and not (here / name / "pyvenv.cfg").exists()
        ]
        for name in files:
            yield str((here / name).relative_to(top))


def _git_files(top: Path) -> set[str]:
    """What git takes for the source's files; empty outside a repository or where all is ignored."""
    if not shutil.which("git") or not any(
        (folder / ".git").exists() for folder in (top, *top.resolve().parents)
    ):
        return set()
    done = subprocess.run(
        ["git", "-C", str(top), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:…@", url)


def _git_source(location: str, version: str, wanted: list[str], seconds: int) -> Source:
    url = location.removeprefix("git+")
    if not shutil.which("git"):
        raise NotThereError("git is not installed on this machine, which has to fetch it")
    if os.path.isdir(url) and not (Path(url, ".git").exists() or Path(url, "HEAD").exists()):
        raise NotThereError(
            "a version of a directory that is no git repository cannot be had. Take it out.",
            "site_version",
        )
    if not requirement_wrong(location):
        raise NotThereError("only a git source has a version. Take it out.", "site_version")
    commit = version if COMMIT.fullmatch(version) else _resolved(url, version, seconds)
    with tempfile.TemporaryDirectory(prefix="django-split-preflight-") as folder:
        files, texts = _contents(folder, url, commit, wanted, seconds * 3)
    return Source("git", without_password(location), commit, files, texts)


def _resolved(url: str, version: str, seconds: int) -> str:
    listed = _git(
        ["ls-remote", "--", url, *([version, version + "^{}"] if version else ["HEAD"])],
        url,
        seconds,
    )
    lines = [line.split("\t") for line in listed.decode(errors="replace").splitlines()]
    # "main" is answered with feature/main too.
    names = {
        f"{kind}{version}{end}" for kind in ("", "refs/heads/", "refs/tags/") for end in ("", "^{}")
    }
    lines = [line for line in lines if not version or line[1] in names]
    if not lines:
        short = re.fullmatch(r"[0-9a-f]{7,39}", version)
        why = (
            "a commit is written with all its 40 digits"
            if short
            else "it has no branch and no tag of that name"
        )
        raise NotThereError(f"{without_password(url)} was reached; {why}", "site_version")
    peeled = [commit for commit, name in lines if name.endswith("^{}")]
    return peeled[0] if peeled else lines[0][0]


def _contents(
    folder: str, url: str, commit: str, wanted: list[str], seconds: int
) -> tuple[set[str] | None, dict[str, bytes]]:
    """The names of a commit's files and the text of a few, without fetching the rest."""
    here = ["-C", folder]
    _git(["init", "--quiet", "--bare", folder], url, seconds)
    _git([*here, "remote", "add", "origin", url], url, seconds)
    _git([*here, "config", "remote.origin.promisor", "true"], url, seconds)
    try:
        fetch = ["fetch", "--quiet", "--depth", "1", "--filter=blob:none", "origin", commit]
        _git([*here, *fetch], url, seconds)
    except NotThereError as error:
        if "not our ref" in str(error):
            raise NotThereError(
                f"{without_password(url)} was reached; it has no such commit", "site_version"
            ) from None
        # A server that gives no bare commits, or is too slow: the trial of the settings will tell.
        return None, {}
    files = {
        os.fsdecode(name)
        for name in _git([*here, "ls-tree", "-rz", "--name-only", commit], url, seconds).split(
            b"\0"
        )
    }
    texts = {
        name: _git([*here, "show", f"{commit}:{name}"], url, seconds)
        for name in wanted
        if name in files
    }
    return files - {""}, texts


def _git(words: list[str], url: str, seconds: int) -> bytes:
    """Raises NotThereError with git's own last line."""
    environment = {
        **os.environ,
        "LC_ALL": "C",
        # A question for a password or a host key would hang a playbook that nobody sits at.
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
    }
    try:
        return subprocess.run(
            ["git", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=True,
            env=environment,
        ).stdout
    except subprocess.TimeoutExpired:
        raise NotThereError(f"git had no answer within {seconds} seconds") from None
    except subprocess.CalledProcessError as error:
        told = (
            error.stderr.decode(errors="replace")
            .strip()
            .replace(url, without_password(url))
            .splitlines()
        )
        fatal = [
            line for line in told if line.startswith(("fatal:", "error:", "remote: error:", "ssh:"))
        ]
        raise NotThereError(
            "git cannot read it: " + ((fatal or told or ["no reason given"])[0])
        ) from None
