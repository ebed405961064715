"""Name a release by what goes into it, and pack its source: on the controller.

The name is a digest of the source, the requirements, the target's Python, django-split itself and
the
settings' inputs, so that every host, batch, re-run and kill agrees on it without asking another
host.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parents[3]

# What django-split itself puts into a release or into the processes that serve it.
OWN = (
    "django_split",
    "templates/settings",
    "templates/gunicorn",
    "templates/env",
    # A unit is shared by all releases, and starts them: a changed one is another release.
    "templates/systemd/instance@.service.j2",
    "templates/supervisor/instance.program.j2",
    "templates/supervisor/run.sh.j2",
    "pyproject.toml",
)

# Never part of a site's source: history, caches, virtualenvs, and databases, which a release must
# not carry.
SKIPPED_FOLDERS = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".tox", ".mypy_cache"}
SKIPPED_FILES = re.compile(r"\.py[co]$|\.sqlite3(-journal|-wal|-shm)?$|\.swp$|^\.DS_Store$")

GIT_SECONDS = 120

# On the controller, for its user alone: the trial and the release unpack the same archive.
CACHE = ROOT / ".cache"
KEPT_SECONDS = 24 * 3600


class ChangedError(AnsibleActionFail):  # type: ignore[misc]  # Ansible ships no types
    """What would be packed is not what the release is named by."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} has changed since the release was named. Run the same command again."
        )


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """``state: named`` says the release's id. ``state: packed`` writes a tar of the source that was
    named (``source_digest``, ``own_digest``), whatever has become of it since.
    """

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = self._task.args
        source = str(args["source"])
        version = str(args.get("version") or "")
        kind = source_kind(source, version)
        result.update(changed=False, kind=kind)
        try:
            if args.get("state", "named") == "named":
                digest, own = source_state(kind, source, version), tree_digest(ROOT, OWN)
                result.update(source_digest=digest, own_digest=own)
                result["release"] = release_id(digest, own, args.get("inputs") or {})
                return result
            result["archive"] = pack(kind, source, str(args["source_digest"]))
        except (OSError, subprocess.SubprocessError) as error:
            raise AnsibleActionFail(
                f"site_source {source!r} cannot be read: {_told(error)}"
            ) from error
        try:
            result["wheel"] = own_wheel(str(args["own_digest"]))
        except (OSError, subprocess.SubprocessError) as error:
            raise AnsibleActionFail(
                f"django-split's own wheel was not built: {_told(error)}"
            ) from error
        return result


def source_kind(source: str, version: str) -> str:
    """``git`` (a URL, or any repository with a version named), ``directory`` or ``requirement``."""
    if (
        version
        or re.match(r"^(git\+|git@|git://|ssh://)", source)
        or re.match(r"^https?://.*\.git/?$", source)
    ):
        return "git"
    return "directory" if os.path.isdir(source) else "requirement"


def source_state(kind: str, source: str, version: str) -> str:
    """What tells one state of a source from another: a commit, or a digest of the files."""
    if kind == "git":
        return git_commit(source, version)
    if kind == "directory":
        return tree_digest(Path(source))
    return hashlib.sha256(source.encode()).hexdigest()


def release_id(source_digest: str, own_digest: str, inputs: dict[str, Any]) -> str:
    """Twelve hex characters: short enough for a socket's path (107 bytes), long enough never to
    meet.
    """
    text = json.dumps([source_digest, own_digest, inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def source_files(top: Path, only: tuple[str, ...] = ()) -> list[Path]:
    """The files of a source, relative and sorted; what git ignores there is not part of it."""
    git = (
        subprocess.run(
            [
                "git",
                "-C",
                str(top),
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
                "--",
                *only,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
        )
        if _in_git(top)
        else None
    )
    # Nothing listed: a folder that the repository around it ignores as a whole (a checkout in
    # .cache/).
    if git and git.returncode == 0 and git.stdout:
        names = {Path(os.fsdecode(name)) for name in git.stdout.split(b"\0") if name}
    else:
        starts = [top / name for name in only] or [top]
        names = set()
        for start in starts:
            if start.is_file():
                names.add(start.relative_to(top))
            for folder, folders, files in os.walk(start):
                folders[:] = [f for f in folders if not _skipped_folder(Path(folder) / f)]
                names.update((Path(folder) / file).relative_to(top) for file in files)
    return sorted(
        name
        for name in names
        if not SKIPPED_FILES.search(name.name)
        and not SKIPPED_FOLDERS.intersection(name.parts)
        and (top / name).is_symlink() | (top / name).is_file()
    )


def _in_git(top: Path) -> bool:
    return any((folder / ".git").exists() for folder in (top, *top.parents))


def _skipped_folder(folder: Path) -> bool:
    return folder.name in SKIPPED_FOLDERS or (folder / "pyvenv.cfg").exists()


def tree_digest(top: Path, only: tuple[str, ...] = ()) -> str:
    """sha256 over names, contents, links and the executable bit."""
    total = hashlib.sha256()
    for name in source_files(top, only):
        path = top / name
        if path.is_symlink():
            content = b"link " + os.fsencode(os.readlink(path))
        else:
            mode = b"x" if path.stat().st_mode & 0o100 else b"-"
            content = mode + hashlib.sha256(path.read_bytes()).digest()
        total.update(os.fsencode(str(name)) + b"\0" + content)
    return total.hexdigest()


def git_commit(url: str, version: str) -> str:
    """The commit that ``version`` (a branch, a tag, a commit; the default branch when empty) names
    now.
    """
    if re.fullmatch(r"[0-9a-f]{40}", version):
        return version
    url = url.removeprefix("git+")
    listed = _git("ls-remote", "--", url)
    named = {
        name: commit
        for commit, _, name in (line.partition("\t") for line in listed.decode().splitlines())
    }
    # An annotated tag is an object of its own; the name that ends in ^{} is the commit that it
    # means.
    wanted = (
        [f"refs/tags/{version}^{{}}", f"refs/tags/{version}", f"refs/heads/{version}"]
        if version
        else ["HEAD"]
    )
    for name in wanted:
        if name in named:
            return named[name]
    raise OSError(f"site_version {version!r} is no branch, tag or full commit of {url}")


def pack(kind: str, source: str, digest: str) -> str:
    """A tar of the source, made once for each state of it; what nobody has used for a day goes.

    Raises ChangedError when a folder is not in that state any more, and was not packed while it
    was.
    """
    folder = CACHE / "sources"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    packed = folder / f"{kind}-{digest}.tar.gz"
    if packed.exists():
        packed.touch()
        return str(packed)
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as archive:
        if kind == "git":
            archive.write(_git_archive(source.removeprefix("git+"), digest))
        else:
            # A requirement brings its own files.
            _add_files(
                archive, Path(source), source_files(Path(source)) if kind == "directory" else []
            )
    # Behind the packing, which takes its time.
    if kind == "directory" and tree_digest(Path(source)) != digest:
        Path(name).unlink()
        raise ChangedError(f"site_source {source!r}")
    Path(name).rename(packed)
    return str(packed)


def _add_files(archive: IO[bytes], top: Path, files: list[Path]) -> None:
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
        for file in files:
            tar.add(top / file, arcname=str(file), recursive=False, filter=_nobodys)


def own_wheel(digest: str) -> str:
    """django-split's own wheel, built once for each state of its source and kept under .cache/.

    Raises ChangedError when it is not in that state any more, also where the wheel is: what the
    roles write beside it is of now.
    """
    if tree_digest(ROOT, OWN) != digest:
        raise ChangedError("django-split itself")
    folder = CACHE / "wheels" / digest[:12]
    if not list(folder.glob("*.whl")):
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
        ]
        subprocess.run(
            [*command, "--wheel-dir", str(folder), str(ROOT)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    return str(next(folder.glob("*.whl")))


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose files they are on the controller, and how open, is nobody's business on the host."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o750 if entry.mode & 0o100 else 0o640
    return entry


def _git_archive(url: str, commit: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="django-split-git-") as folder:
        _git("init", "--quiet", "--bare", folder)
        try:
            _git("-C", folder, "fetch", "--quiet", "--depth", "1", "--", url, commit)
        except subprocess.SubprocessError:
            # A server may refuse a bare commit; then its branches and tags are what it gives.
            _git(
                "-C", folder, "fetch", "--quiet", "--tags", "--", url, "+refs/heads/*:refs/heads/*"
            )
        tar = _git("-C", folder, "archive", "--format=tar", commit)
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(tar)) as given,
        tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as taken,
    ):
        for entry in given:
            if entry.isfile() or entry.issym():
                content = given.extractfile(entry) if entry.isfile() else None
                taken.addfile(_nobodys(entry), content)
    return packed.getvalue()


def _git(*words: str) -> bytes:
    return subprocess.run(
        ["git", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=GIT_SECONDS,
        check=True,
        # A prompt for a password would hang a playbook that nobody sits at.
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
    ).stdout


def _told(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr or b"").decode(errors="replace").strip() or str(error)
    return str(error)
