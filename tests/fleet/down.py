"""Remove hosts and their networks: `python -m tests.fleet.down [--all]`.

A host belongs to the process that booted it, or to nobody if it was booted to play with. Those of
living processes (a test run) stay, without `--all`. Networks are handled alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from . import bridges, cgroups, locks, paths
from .hosts import remove
from .nspawn import PROPAGATE
from .processes import start_time


def names() -> list[str]:
    """Every host that there is anything of on this machine."""
    found = set(cgroups.leftovers())
    for directory in (paths.HOSTS, PROPAGATE):
        found.update(path.name for path in directory.glob(f"{paths.PREFIX}*"))
    return sorted(found)


def orphaned(name: str) -> bool:
    """Whether the process that booted a host is gone."""
    owner = paths.HOSTS / name / "owner"
    if not owner.is_file():
        return True
    pid, *started = owner.read_text().split()
    return pid != "kept" and start_time(int(pid)) != int(started[0])


def kept(name: str) -> bool:
    """Whether a host was booted to play with."""
    owner = paths.HOSTS / name / "owner"
    return owner.is_file() and owner.read_text() == "kept\n"


def down(which: Callable[[str], bool] = orphaned) -> list[str]:
    """Remove the hosts that `which` is true of, and return their names."""
    with locks.held("hosts"):
        gone = [name for name in names() if which(name)]
        for name in gone:
            remove(name)
    return gone


def bridges_down(*, everything: bool = False) -> list[str]:
    """Remove the bridges that nobody living owns, or all of ours, and return their names."""
    with locks.held("hosts"):
        gone = [name for name, owned in bridges.names().items() if everything or not owned]
        for name in gone:
            bridges.remove(name)
    return gone


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.down", description=__doc__)
    parser.add_argument("--all", action="store_true", help="also hosts that a running process uses")
    everything: bool = parser.parse_args(arguments).all
    gone = down(lambda name: everything or kept(name) or orphaned(name))
    gone += bridges_down(everything=everything)
    print(f"removed {', '.join(gone)}" if gone else "no hosts to remove")


if __name__ == "__main__":
    main()
