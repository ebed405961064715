"""The stage: the tree as it will be, below a private directory, for validators to look at."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from .entries import Entry, TreeError, group_id, look, user_id
from .plan import Plan, ancestors

# A login over SSH or sudo may come without the sbin directories, where nginx and friends are.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USEFUL_LINES = 15
SHORTEST_SECRET = 6


@contextlib.contextmanager
def staged(manifest: str, entries: list[Entry], plan: Plan, overlay: list[str]) -> Iterator[str]:
    """Build the stage and take it away again, whatever happens.

    The directory is 0700: secrets stand in it for a moment. Validators run as the module's user.
    """
    prefix = f"split-tree-{hashlib.sha256(manifest.encode()).hexdigest()[:8]}-"
    _sweep(prefix)
    stage = tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-")
    try:
        for directory in sorted(overlay):
            _copy(os.path.normpath(directory), stage)
        for step in plan.removals:
            if step.change == "removed":
                _drop(step.path, stage)
        for entry in sorted(entries, key=lambda entry: entry.path):
            _place(entry, stage)
        _turn_links_inwards(stage)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _sweep(prefix: str) -> None:
    """Remove the stages of runs that were killed (kill -9 leaves no time to tidy up)."""
    parent = tempfile.gettempdir()
    for name in os.listdir(parent):
        match = re.match(re.escape(prefix) + r"(\d+)-", name)
        path = os.path.join(parent, name)
        if match and not os.path.exists(f"/proc/{match.group(1)}"):
            found = look(path)
            if found.kind == "directory" and found.uid == os.geteuid():
                shutil.rmtree(path, ignore_errors=True)


def _copy(directory: str, stage: str) -> None:
    """Copy what is on the host; sockets and pipes stay out, reading one would hang."""
    if not os.path.isdir(directory):
        return
    path = _real_parents(directory, stage)
    if os.path.islink(path):
        os.unlink(path)
    elif os.path.isdir(path):
        return  # came with an overlay above it

    def special(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if look(os.path.join(folder, name)).kind == "other"]

    shutil.copytree(directory, path, symlinks=True, ignore=special)


def _real_parents(path: str, stage: str) -> str:
    """Make the directories above a staged path, and return that path.

    A link among them would lead out of the stage, and what is written to the stage would be
    written to the host: it becomes a copy of the directory that it points to.
    """
    for above in ancestors(path):
        here = stage + above
        if os.path.islink(here):
            os.unlink(here)
            _copy(above, stage)
        os.makedirs(here, exist_ok=True)
    return stage + path


def _drop(path: str, stage: str) -> None:
    here = _real_parents(path, stage)
    with contextlib.suppress(OSError):
        if look(here).kind == "directory":
            os.rmdir(here)
        else:
            os.unlink(here)


def _place(entry: Entry, stage: str) -> None:
    path = _real_parents(entry.path, stage)
    if look(path).kind == "link" or (entry.kind != "directory" and look(path).kind != "missing"):
        os.unlink(path)
    if entry.kind == "link":
        os.symlink(os.fsdecode(entry.data), path)
        return
    if entry.kind == "directory":
        os.makedirs(path, exist_ok=True)
    else:
        with open(path, "xb") as target:
            target.write(entry.data)
    _own(path, entry)


def _own(path: str, entry: Entry) -> None:
    """Owners as on the host where they exist: in check mode on a new host they do not."""
    uid, gid = user_id(entry.owner), group_id(entry.group)
    if uid is not None and gid is not None:
        os.chown(path, uid, gid)
    os.chmod(path, entry.mode)


def _turn_links_inwards(stage: str) -> None:
    """An absolute link to something staged must show the staged file, not the host's old one."""
    for folder, directories, files in os.walk(stage):
        for name in directories + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                target = os.readlink(path)
                if target.startswith("/") and os.path.lexists(stage + target):
                    os.unlink(path)
                    os.symlink(stage + target, path)


def lacking(validator: dict[str, Any]) -> list[str]:
    """What a validator needs and this host does not have."""
    needs = list(validator["needs"])
    program = validator["command"][0]
    if "{stage}" not in program and program not in needs:
        needs.insert(0, program)
    missing = [name for name in needs if shutil.which(name, path=PATH) is None]
    return missing + [f"the user {name}" for name in validator["users"] if user_id(name) is None]


def check(validator: dict[str, Any], stage: str, entries: list[Entry]) -> str | None:
    """Run a validator on the stage. None when content, else what the operator has to know."""
    command = [part.replace("{stage}", stage) for part in validator["command"]]
    environment = {"PATH": PATH, "LC_ALL": "C", "HOME": "/root", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=stage,
            start_new_session=True,
        )
    except OSError as error:
        return f"{command[0]} could not be started: {error.strerror}"
    try:
        output, _ = process.communicate(timeout=validator["timeout"])
        ending = f"exit code {process.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        ending = f"no end after {validator['timeout']} s"
    finally:
        # Its children too: a validator that starts a server must not leave it running.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.returncode == 0:
        return None
    shown = useful(output.decode("utf-8", "replace"), stage, entries)
    said = "\n".join("  " + line for line in shown) or "  (it said nothing)"
    return f"{' '.join(validator['command'])}\n({ending}):\n{said}{sources(shown, entries)}"


def useful(output: str, stage: str, entries: list[Entry]) -> list[str]:
    """The last lines of a validator's output, with the host's paths and without secrets."""
    output = output.replace(stage + "/", "/").replace(stage, "/")
    for word in secret_words(entries):
        output = output.replace(word, "(secret)")
    return [line.rstrip() for line in output.splitlines() if line.strip()][-USEFUL_LINES:]


def secret_words(entries: list[Entry]) -> list[str]:
    """What a parser's message may quote of secret files: whole lines, values, words."""
    words = set()
    for entry in entries:
        if entry.secret:
            for line in entry.data.decode("utf-8", "replace").splitlines():
                words.add(line.strip())
                words.add(line.partition("=")[2].strip().strip("\"'"))
                words.update(line.split()[1:])
    return sorted((word for word in words if len(word) >= SHORTEST_SECRET), key=len, reverse=True)


def sources(lines: list[str], entries: list[Entry]) -> str:
    """Which template to open, for every listed path that the validator named."""
    text = "\n".join(lines)
    named = [entry for entry in entries if entry.template and entry.path in text]
    return "".join(f"\n  {entry.path} is rendered from {entry.template}" for entry in named)


def validate(
    validators: list[dict[str, Any]],
    stage: str,
    entries: list[Entry],
    check_mode: bool,
) -> list[str]:
    """Run every validator; returns what could not be checked, which only check mode may have.

    Raises TreeError with the validator's own words when one is not content.
    """
    skipped = []
    for validator in validators:
        program = " ".join(validator["command"])
        missing = lacking(validator)
        if missing and check_mode:
            skipped.append(f"not checked: {program} (this host lacks {', '.join(missing)})")
        elif missing:
            raise TreeError(
                f"cannot check the files with: {program}\nThis host lacks {', '.join(missing)}. "
                "Nothing has been installed. Install what is missing first, then run again."
            )
        else:
            complaint = check(validator, stage, entries)
            if complaint is not None:
                raise TreeError(
                    f"the new files do not pass: {complaint}\n"
                    "Nothing has been installed, the host is as it was. "
                    "Mend the template, or the variable that it uses, and run again."
                )
    return skipped
