"""Which releases a host has, which of them have the traffic, and what a rollback goes to."""

from __future__ import annotations

import os

from ansible.module_utils.split_flip import unfinished

# In a release that has served, as old as its last deploy.
SERVED = ".served"
COMPLETE = ".complete"


def linked(path: str) -> str:
    return os.path.basename(os.readlink(path)) if os.path.islink(path) else ""


def live(home: str) -> set[str]:
    """The releases that an instance's link names: those that have the traffic."""
    folder = os.path.join(home, "live")
    listed = os.listdir(folder) if os.path.isdir(folder) else []
    # main.sock leads to main-3f2a….sock; a main.sock.new is what a killed flip has left.
    links = [linked(os.path.join(folder, name)) for name in listed if name.endswith(".sock")]
    return {link.rpartition("-")[2].partition(".")[0] for link in links} - {""}


def serving(home: str) -> set[str]:
    """Those, and what ``current`` names: never pruned."""
    return (live(home) | {linked(os.path.join(home, "current"))}) - {""}


def order(home: str, names: list[str]) -> list[str]:
    """Newest deploy first; those that never served are last, the newest of them first."""

    def worth(name: str) -> tuple[bool, float]:
        path = os.path.join(home, "releases", name)
        served = os.path.join(path, SERVED)
        has_served = os.path.exists(served)
        return has_served, os.stat(served if has_served else path).st_mtime

    return sorted(names, key=worth, reverse=True)


def names(home: str) -> list[str]:
    folder = os.path.join(home, "releases")
    listed = os.listdir(folder) if os.path.isdir(folder) else []
    return [name for name in listed if not name.startswith(".")]


def complete(home: str, release: str) -> bool:
    return os.path.exists(os.path.join(home, "releases", release, COMPLETE))


def served(home: str) -> list[str]:
    """Those that can serve again, newest deploy first."""
    marked = [
        name
        for name in names(home)
        if complete(home, name) and os.path.exists(os.path.join(home, "releases", name, SERVED))
    ]
    return order(home, marked)


def back(home: str) -> str:
    """Where a rollback goes to that is given no name, "" for nowhere.

    One that was begun goes on. A deploy that ended between its flips has not moved ``current``.
    django_split/status/releases.py says the same to people.
    """
    begun = unfinished(home)
    if begun.get("back") and complete(home, begun["release"]):
        return str(begun["release"])
    current, can = linked(os.path.join(home, "current")), served(home)
    if current and live(home) - {current}:
        return current
    behind = can[can.index(current) + 1 :] if current in can else []
    return behind[0] if behind else ""
