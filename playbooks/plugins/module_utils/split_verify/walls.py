"""Claims about what stands between the instances: users, sockets, files, ports, the database."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .process import (
    Process,
    attempts,
    family,
    internet_sockets,
    mode,
    user_name,
)
from .row import Row, listed, not_checked
from .site import Site

NAMES = {"main": "main", "admin": "the admin", "store": "the store", "public": "main's store"}


def exists(user: str) -> bool:
    """Whether this host has the user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def barriers(site: Site) -> dict[str, list[str]]:
    """User -> what that user must not be able to open."""
    sockets = {name: os.path.realpath(site[f"{name}_socket"]) for name in site.parts}
    main = [sockets["main"]] if "main" in sockets else []
    envs = {f"{name}_env": [site[f"{name}_env"]] for name in sockets if name in ("main", "admin")}
    main_env, admin_env = envs.get("main_env", []), envs.get("admin_env", [])
    # The first store is the admin's, the second main's: each is closed to the other instance too.
    store, public = ([sockets[name]] if name in sockets else [] for name in ("store", "public"))
    stores = [*store, *public]
    secret = []
    if "admin" in sockets:
        # A release that drains, or one that failed its gate, listens beside the one that serves
        others = sorted(str(path) for path in Path(sockets["admin"]).parent.glob("*.sock"))
        secret = list(dict.fromkeys([sockets["admin"], *others, *admin_env]))
    password = [site["password_file"]] if os.path.exists(site["password_file"]) else []
    owner_env = os.path.join(os.path.dirname(site["admin_env"]), "owner.env")
    owners = [owner_env] if os.path.exists(owner_env) else []
    closed = {site["main_user"]: [*secret, *owners, *store, *password]}
    if exists(site["admin_user"]):
        closed[site["admin_user"]] = [*public, *main_env, *owners, *password]
    if exists(site["proxy_user"]):
        closed[site["proxy_user"]] = [*stores, *main_env, *admin_env, *password]
    for user in site["strangers"]:
        if exists(user):
            closed[user] = [*main, *secret, *stores, *main_env, *password]
            if owners and os.stat(owner_env).st_uid != pwd.getpwnam(user).pw_uid:
                closed[user] += owners
    return closed


def closed_doors(site: Site) -> list[Row]:
    """Each user tries what it must not reach; only "permission denied" is right."""
    rows = []
    results = {}
    for user, paths in barriers(site).items():
        try:
            results[user] = attempts(user, paths)
        except KeyError:
            results[user] = dict.fromkeys(paths, "no such user")
    groups = {
        "walls.main": (
            "main cannot open the admin's or the store's socket"
            if "store" in site.parts
            else "main cannot open the admin's socket",
            [site["main_user"]],
        ),
        "walls.others": (
            "nobody else opens what is not theirs",
            [user for user in results if user != site["main_user"]],
        ),
    }
    for name, (claim, users) in groups.items():
        if site.apart and not any(results[user] for user in users):
            continue  # of what main must not open, a host of main's alone has nothing
        wrong = [
            f"{user} and {path}: {outcome}"
            for user in users
            for path, outcome in results[user].items()
            if outcome != "denied"
        ]
        tried = ", ".join(f"{user} ({len(results[user])})" for user in users)
        rows.append(
            Row(name, claim, not wrong, listed(wrong) if wrong else f"denied each time: {tried}")
        )
    return rows


def modes(site: Site) -> list[Row]:
    """The modes that make it so, and would still if a user joined no group by mistake."""
    seen, wrong = [], []
    for name in site.parts:
        path = os.path.realpath(site[f"{name}_socket"])
        for what, expected in ((path, "0660"), (os.path.dirname(path), "0750")):
            try:
                found = mode(what)
            except OSError as error:
                wrong.append(f"{what}: {(error.strerror or '').lower()}")
                continue
            seen.append(found)
            if found != expected:
                wrong.append(f"{what}: {found}, not {expected}")
    rows = [
        Row(
            "walls.sockets",
            "sockets are 0660 in directories 0750",
            not wrong,
            listed(wrong) if wrong else f"{len(site.parts)} sockets: {', '.join(seen)}",
        )
    ]
    wrong, files = [], []
    owners = {site[f"{name}_env"]: site[f"{name}_user"] for name in site.instances}
    owners[site["password_file"]] = "root"
    for file, owner in owners.items():
        try:
            status = os.stat(file)
        except FileNotFoundError:
            # An operator may take the password away once it is in a safe
            if file != site["password_file"]:
                wrong.append(f"{file}: missing")
            continue
        files.append(os.path.basename(file))
        if stat.S_IMODE(status.st_mode) & 0o077:
            wrong.append(f"{file}: {mode(file)}")
        if user_name(status.st_uid) not in (owner, "root"):
            wrong.append(f"{file}: owned by {user_name(status.st_uid)}, not {owner}")
    rows.append(
        Row(
            "walls.secrets",
            "files with secrets are for their owner only",
            not wrong,
            listed(wrong) if wrong else ", ".join(files),
        )
    )
    return rows


def no_ports(processes: Mapping[str, Process | str]) -> Row:
    """Nothing but unix sockets: a port on 127.0.0.1 is open to every local user."""
    claim = "none of them listens on a TCP or UDP port"
    wrong, looked_at = [], 0
    for name, process in processes.items():
        if isinstance(process, str):
            wrong.append(f"{NAMES[name]}: {process}")
            continue
        for one in family(process.pid):
            looked_at += 1
            wrong += [
                f"{NAMES[name]} (pid {one.pid}): {port}" for port in internet_sockets(one.pid)
            ]
    seen = listed(wrong) if wrong else f"{looked_at} processes: none"
    return Row("walls.ports", claim, not wrong, seen)


def users(site: Site, processes: Mapping[str, Process | str]) -> Row:
    """Each process runs as its user, and in no group that opens another's door."""
    *first, last = site.parts
    claim = f"{', '.join(first)} and {last} run as users of their own"
    if not first:
        claim = f"{last} runs as a user of its own"
    wrong, seen = [], []
    for name, process in processes.items():
        expected = site[f"{name}_user"]
        if isinstance(process, str):
            wrong.append(f"{NAMES[name]}: {process}")
            continue
        for one in family(process.pid):
            if one.user != expected:
                wrong.append(f"{NAMES[name]} (pid {one.pid}) runs as {one.user}, not {expected}")
            elif extra := one.groups - _groups(expected):
                ids = ", ".join(str(gid) for gid in sorted(extra))
                wrong.append(
                    f"{NAMES[name]} (pid {one.pid}) is in a group that {expected} is not: {ids}"
                )
        seen.append(f"{process.user} (pid {process.pid})")
    return Row("walls.users", claim, not wrong, listed(wrong) if wrong else ", ".join(seen))


def _groups(user: str) -> set[int]:
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return set()
    return set(os.getgrouplist(user, account.pw_gid))


def database(main: Mapping[str, Any], admin: Mapping[str, Any]) -> Row:
    """What main can do to the admin's tables where nobody claims anything: see `rights`."""
    name, claim = "walls.database", "main cannot write the admin's tables"
    if main["vendor"] == "sqlite":
        why = "main can write every table of SQLite: not protected; use PostgreSQL"
        return Row(name, claim, None, why)
    if main["database"] == admin["database"] and main["role"] == admin["role"]:
        why = f"main and the admin share the {main['vendor']} role {main['role']!r}: not protected"
        return Row(name, claim, None, why)
    roles = f"main's {main['vendor']} role is {main['role']!r}, the admin's {admin['role']!r}"
    return not_checked(name, claim, f"{roles}; rights were not tried")
