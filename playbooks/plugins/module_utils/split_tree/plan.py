"""What a run would change: reads the host, writes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .entries import (
    Entry,
    Found,
    TreeError,
    fingerprint,
    group_id,
    look,
    read,
    same_content,
    same_permissions,
    user_id,
)
from .manifest import Others, Record, Records


@dataclass
class Step:
    """One path and what becomes of it (report.count has the words)."""

    entry: Entry
    found: Found
    change: str
    reason: str = ""

    @property
    def path(self) -> str:
        return self.entry.path

    @property
    def changes(self) -> bool:
        return self.change not in ("unchanged", "kept")


@dataclass
class Plan:
    steps: list[Step] = field(default_factory=list)
    removals: list[Step] = field(default_factory=list)
    records: Records = field(default_factory=dict)
    handed: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return any(step.changes for step in self.steps + self.removals)


def make(entries: list[Entry], old: Records, others: Others, force: bool = False) -> Plan:
    """Compare the list with the host.

    Raises TreeError for what a run must not touch (a directory where a file is to go, and so on),
    all of it at once.
    """
    plan = Plan()
    problems: list[str] = []
    listed = {entry.path for entry in entries}
    _parents(plan, problems, entries, listed, old, others)
    for entry in entries:
        _compare(plan, problems, entry, old, others)
    if problems:
        raise TreeError("\n".join(problems))
    _removals(plan, old, others, force)
    return plan


def unknown_owners(entries: list[Entry]) -> list[str]:
    """Users and groups that the host does not have, each as a sentence for the operator."""
    users: dict[str, str] = {}
    groups: dict[str, str] = {}
    for entry in entries:
        if entry.kind != "link":
            if user_id(entry.owner) is None:
                users.setdefault(entry.owner, entry.path)
            if group_id(entry.group) is None:
                groups.setdefault(entry.group, entry.path)
    return [f"no user {name} on this host (owner of {path})" for name, path in users.items()] + [
        f"no group {name} on this host (group of {path})" for name, path in groups.items()
    ]


def ancestors(path: str) -> list[str]:
    """Directories above a path, the nearest to / first, without / itself."""
    above: list[str] = []
    while True:
        path = os.path.dirname(path)
        if path in ("/", ""):
            return above[::-1]
        above.append(path)


def _parents(
    plan: Plan,
    problems: list[str],
    entries: list[Entry],
    listed: set[str],
    old: Records,
    others: Others,
) -> None:
    """Directories that files need and nobody lists: root's, 0755, recorded when made by us."""
    needed = sorted({above for entry in entries for above in ancestors(entry.path)} - listed)
    # Without root's rights (a try in a directory of one's own) they can only be the caller's.
    owner, group = ("root", "root") if os.geteuid() == 0 else (str(os.geteuid()), str(os.getegid()))
    for path in needed:
        entry = Entry(path, "directory", owner=owner, group=group, mode=0o755)
        found = look(path)
        if found.kind == "missing":
            plan.steps.append(Step(entry, found, "created"))
            plan.records[path] = Record("directory", [entry.fingerprint])
        elif not os.path.isdir(path):
            problems.append(
                f"{path} is not a directory on this host, and files are to go below it. "
                "Move it away."
            )
        elif path in old:
            plan.records[path] = old[path]
        elif others.own(path):
            plan.records[path] = Record("directory", [entry.fingerprint])


def _compare(plan: Plan, problems: list[str], entry: Entry, old: Records, others: Others) -> None:
    found = look(entry.path)
    before = old.get(entry.path)
    if found.kind == "missing":
        change = "created"
    elif found.kind == entry.kind:
        if not same_content(entry, found):
            change = "updated"
        else:
            change = "unchanged" if same_permissions(entry, found) else "permissions"
    elif {found.kind, entry.kind} == {"file", "link"}:
        change = "updated"  # rename(2) replaces a link, it never follows it
    elif entry.kind == "directory" and before is not None and _ours(entry.path, found, before):
        change = "updated"  # we put it there, nobody changed it, and now it is to be a directory
    else:
        what = {"link": "a symbolic link", "other": "a device, socket or pipe"}
        problems.append(
            f"{entry.path} is {what.get(found.kind, 'a ' + found.kind)} on this host "
            f"and a {entry.kind} in the list. "
            "It is not ours to replace: move it away and run again."
        )
        return
    rewritten = change in ("created", "updated")
    if before is not None:
        adopted = before.adopted and not rewritten
    else:
        adopted = not rewritten and not others.own(entry.path)
    plan.steps.append(Step(entry, found, change))
    plan.records[entry.path] = Record(entry.kind, [entry.fingerprint], entry.secret, adopted)


def _ours(path: str, found: Found, record: Record) -> bool:
    """Whether what is there is what we wrote."""
    return (
        found.kind == record.kind
        and found.kind in ("file", "link")
        and fingerprint(found.kind, read(path, found)) in record.written
    )


def _removals(plan: Plan, old: Records, others: Others, force: bool) -> None:
    """Paths of this manifest that are no longer listed, deepest first: directories come empty."""
    gone: set[str] = set()
    for path in sorted(set(old) - set(plan.records), key=lambda path: (-path.count("/"), path)):
        record = old[path]
        found = look(path)
        if found.kind == "missing":
            gone.add(path)
            continue
        step = Step(Entry(path, record.kind, secret=record.secret), found, "removed")
        plan.removals.append(step)
        if record.adopted:
            step.change, step.reason = "kept", "it was on this host before"
        elif others.listing(path):
            step.change, step.reason = "kept", f"{others.listing(path)} lists it too"
            if _ours(path, found, record):
                plan.handed[path] = fingerprint(found.kind, read(path, found))
        elif others.unreadable:
            _keep(plan, step, record, f"it may be in {others.unreadable[0]}, which cannot be read")
        elif found.kind != record.kind:
            _keep(plan, step, record, f"it is a {found.kind} now, we made a {record.kind}")
        elif found.kind == "directory":
            if not empties(path, gone):
                step.change, step.reason = "kept", "it is not empty"
        elif not force and not _ours(path, found, record):
            _keep(plan, step, record, "it was changed on this host after we wrote it")
        if step.change == "removed":
            gone.add(path)


def _keep(plan: Plan, step: Step, record: Record, reason: str) -> None:
    """Leave it, say so, and remember it: the next run looks again."""
    step.change, step.reason = "kept", reason
    plan.records[step.path] = record
    plan.warnings.append(
        f"{step.path} is no longer listed and stays: {reason}. Look at it, then remove it by hand."
    )


def empties(path: str, gone: set[str]) -> bool:
    """Whether a directory has nothing left once ``gone`` is gone."""
    try:
        return all(os.path.join(path, name) in gone for name in os.listdir(path))
    except OSError:
        return False
