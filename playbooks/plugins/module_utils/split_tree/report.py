"""What Ansible shows of a plan: a line per path, and the diff."""

from __future__ import annotations

from typing import Any

from .entries import Entry, Found, found_permissions, permissions, read
from .manifest import Records
from .plan import Plan, Step

LARGEST_DIFF = 200_000


def files(plan: Plan) -> list[dict[str, str]]:
    """One item for every path: path, change, and the reason where one is due."""
    shown = []
    for step in plan.steps + plan.removals:
        item = {"path": step.path, "change": step.change}
        if step.reason:
            item["reason"] = step.reason
        shown.append(item)
    return shown


def count(plan: Plan) -> str:
    """``2 created, 1 updated, 27 unchanged``"""
    order = ("created", "updated", "permissions", "removed", "kept", "unchanged")
    changes = [step.change for step in plan.steps + plan.removals]
    said = [f"{changes.count(change)} {change}" for change in order if change in changes]
    return ", ".join(said) or "nothing to do"


def diff(plan: Plan, old: Records) -> list[dict[str, Any]]:
    """What --diff prints. Has to be made before the plan is carried out."""
    shown: list[dict[str, Any]] = []
    for step in plan.steps + plan.removals:
        if step.changes:
            shown.extend(_step(step, old))
    return shown


def _step(step: Step, old: Records) -> list[dict[str, Any]]:
    path, entry, found = step.path, step.entry, step.found
    items: list[dict[str, Any]] = []
    # Secret now, or when it was written: a file that stops being secret shows no old secret.
    secret = entry.secret or (path in old and old[path].secret)
    if step.change != "permissions" and "file" in (entry.kind, found.kind):
        gone = step.change == "removed"
        if secret:
            items.append({"prepared": f"{path}: {step.change} (secret, content not shown)\n"})
        else:
            before = _text(read(path, found)) if found.kind == "file" else _line(found, path)
            after = "" if gone else _after(entry)
            items.append(_item(path, "", before, after))
    elif step.change != "permissions":
        after = "" if step.change == "removed" else _after(entry)
        items.append(_item(path, "", _line(found, path), after))
    before = found_permissions(found) if found.kind in ("file", "directory") else ""
    after = permissions(entry.owner, entry.group, entry.mode) if entry.kind != "link" else ""
    if step.change != "removed" and before and after and before != after:
        items.append(_item(path, " (owner and mode)", before + "\n", after + "\n"))
    return items


def _item(path: str, what: str, before: str, after: str) -> dict[str, Any]:
    return {
        "before_header": path + what,
        "after_header": path + what,
        "before": before,
        "after": after,
    }


def _after(entry: Entry) -> str:
    if entry.kind == "file":
        return _text(entry.data)
    if entry.kind == "link":
        return f"link to {entry.data.decode('utf-8', 'replace')}\n"
    return f"directory {permissions(entry.owner, entry.group, entry.mode)}\n"


def _line(found: Found, path: str) -> str:
    if found.kind == "link":
        return f"link to {read(path, found).decode('utf-8', 'replace')}\n"
    if found.kind == "directory":
        return f"directory {found_permissions(found)}\n"
    return ""


def _text(data: bytes) -> str:
    if len(data) > LARGEST_DIFF:
        return f"({len(data)} bytes, too large to show)\n"
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes that are not text)\n"
