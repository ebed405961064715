"""Derive an instance's settings from the base's, by a plan's plain data.

Without the plan's classes, which cost more than all that is done here: this is part of the start of
every process. `django_split.plan` has them, for those who make plans or look into one.
"""

from __future__ import annotations

import copy
import os
from binascii import crc32
from collections.abc import Mapping
from typing import Any

from django_split.plan_file import PlanError

Data = Mapping[str, Any]


def apply_data(plan: Data, instance: str, base: Data) -> tuple[dict[str, Any], list[str]]:
    """Derive an instance's settings from the base's.

    Takes a plan's data and the base's upper-case names, and gives back all settings of the instance
    and a list of what no longer fits ("drift"). Works by string only and leaves every object of the
    base as it was.
    """
    if instance not in ("main", "admin"):
        raise PlanError(f"there is no instance {instance!r}: it is main or admin")
    drift = _drift(plan.get("drift", {}), base)
    values = {name: copied(value) for name, value in base.items()}
    (_apply_main if instance == "main" else _apply_admin)(plan[instance], values)
    for place, derived in plan.get("deploy", {}).items():
        _apply_derived(place, derived, values, instance)
    return values, drift


def copied(value: Any) -> Any:
    """A copy of dictionaries, lists and tuples all the way down; what they hold is shared.

    One of a package's own class stays of that class: a site may use what that one adds.
    """
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if isinstance(value, dict):
        table = copy.copy(value)
        for key, item in value.items():
            table[key] = copied(item)
        return table
    if isinstance(value, list):
        entries = copy.copy(value)
        entries[:] = [copied(item) for item in value]
        return entries
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(copied(item) for item in value)
    return value


def structure(base: Data) -> dict[str, str]:
    """Digests of those settings of a base that a plan depends on."""
    parts: dict[str, Any] = {
        name: [str(entry) for entry in base.get(name) or ()]
        for name in ("INSTALLED_APPS", "MIDDLEWARE")
    }
    parts["ROOT_URLCONF"] = str(base.get("ROOT_URLCONF"))
    parts["TEMPLATES"] = [
        [str(entry) for entry in _context_processors(engine)]
        for engine in base.get("TEMPLATES") or ()
    ]
    # Nobody forges them: what could not be forged would take longer to load than all the rest.
    return {name: f"{crc32(str(part).encode()):08x}" for name, part in parts.items()}


def lies_inside(path: Any, directory: str) -> bool:
    """Whether a setting's path is in the directory. A relative one counts from there."""
    if not directory or not isinstance(path, (str, os.PathLike)):
        return False
    path = str(path)  # a lazy one says that it is a str, and os.path does not take it
    if path in ("", ":memory:") or path.startswith("file:"):
        return False
    # As it is written, too: a folder that settings make in the source is a link to a shared one.
    return any(
        os.path.commonpath([seen(os.path.join(directory, path)), seen(directory)])
        == seen(directory)
        for seen in (os.path.abspath, os.path.realpath)
    )


def _drift(planned: Mapping[str, str], base: Data) -> list[str]:
    now = structure(base)
    return [
        f"{name} is not what it was when the plan was made"
        for name, digest in planned.items()
        if now.get(name) != digest
    ]


def _apply_main(main: Data, values: dict[str, Any]) -> None:
    added, dropped = main.get("add_apps", ()), main.get("drop_apps", ())
    instead = main.get("replace_apps", {})
    kept = [instead.get(app, app) for app in values.get("INSTALLED_APPS", ()) if app not in dropped]
    # Once, also where the base is an instance's settings already.
    values["INSTALLED_APPS"] = [*added, *(app for app in kept if app not in added)]
    last = main.get("add_middleware", ())
    gone = (*main.get("drop_middleware", ()), *last)
    stand_ins = main.get("replace_middleware", {})
    values["MIDDLEWARE"] = [
        *(
            stand_ins.get(entry, entry)
            for entry in values.get("MIDDLEWARE", ())
            if entry not in gone
        ),
        *last,
    ]
    _apply_middleware(main, values)
    swapped = main.get("swap_context_processors", {})
    for engine in values.get("TEMPLATES", ()):
        if processors := _context_processors(engine):
            engine["OPTIONS"]["context_processors"] = [
                swapped.get(entry, entry) for entry in processors
            ]
    _apply_changes(main, values)


def _apply_admin(admin: Data, values: dict[str, Any]) -> None:
    apps = values.get("INSTALLED_APPS", ())
    added = (app for app in admin.get("add_apps", ()) if app not in apps)
    values["INSTALLED_APPS"] = [*apps, *added]
    _apply_middleware(admin, values)
    _apply_changes(admin, values)


def _apply_middleware(part: Data, values: dict[str, Any]) -> None:
    """Put what is to be first, and what is to follow an entry of the base, in its place.

    Once, also where the base is an instance's settings already; nothing follows what is not there.
    """
    first, after = part.get("first_middleware", ()), part.get("after_middleware", {})
    if not first and not after:
        return
    ours = {*first, *(entry for entries in after.values() for entry in entries)}
    entries = [entry for entry in values.get("MIDDLEWARE", ()) if entry not in ours]
    for before, following in after.items():
        if before in entries:
            # The last of several: that is the one whose work the rest of the chain sees.
            place = len(entries) - entries[::-1].index(before)
            entries[place:place] = following
    values["MIDDLEWARE"] = [*first, *entries]


def _apply_changes(changes: Data, values: dict[str, Any]) -> None:
    if ours := changes.get("caches"):
        caches = values.get("CACHES") or {
            # What Django itself uses when a base says nothing; naming ours alone would take it
            # away.
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        }
        values["CACHES"] = {**caches, **copied(ours)}
    values.update(copied(changes.get("settings", {})))
    for name in changes.get("unset", ()):
        values.pop(name, None)


def _apply_derived(place: str, derived: Data, values: dict[str, Any], instance: str) -> None:
    holder, last = _holder(place, values)
    if holder is None:
        return  # a database or handler that this environment does not have
    how = derived["how"]
    own = derived.get("for_admin") if instance == "admin" else None
    value = copied(derived.get("value") if own is None else own)
    if how == "add":
        present = list(holder.get(last) or ())
        holder[last] = [*present, *(item for item in value if item not in present)]
    elif (
        how == "set"
        or (how == "default" and not holder.get(last))
        or (how == "move" and lies_inside(holder.get(last), derived.get("inside", "")))
    ):
        holder[last] = value
    elif how == "own" and "filebased" in str(holder.get("BACKEND")):
        holder[last] = f"{value}-{instance}"


def _holder(place: str, values: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The dictionary that a place like "DATABASES.default.NAME" is in, and its key there.

    A key may hold dots itself, as a logging handler's name does.
    """
    if "." not in place or place in values:
        return values, place
    for key, value in values.items():
        if place.startswith(f"{key}.") and isinstance(value, dict):
            return _holder(place.removeprefix(f"{key}."), value)
    return None, place


def _context_processors(engine: Any) -> list[str]:
    return list(((engine or {}).get("OPTIONS") or {}).get("context_processors") or ())
