"""What is done to the processes and the disk of one server, and whom it may be felt by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from . import units
from .hosts import Host

Harm = Callable[[Host], object]


class Fault(NamedTuple):
    """What is done, what mends it after a while (nothing: it mends itself), and who may feel it."""

    harm: Harm
    mend: Harm | None
    felt_by: tuple[str, ...]


def _main_pid(host: Host, pattern: str) -> int:
    """The first process of the one unit of that name."""
    [unit] = units.names(host, pattern)
    pid = int(units.properties(host, unit)["MainPID"])
    assert pid > 1, f"{unit} does not run"
    return pid


def _master(pattern: str) -> Harm:
    return lambda host: host.run(["bash", "-c", f"kill -KILL {_main_pid(host, pattern)}"])


def _child(pattern: str) -> Harm:
    """One process that the first has started."""
    return lambda host: host.run(
        f"kill -KILL $(pgrep --parent {_main_pid(host, pattern)} | head -1)"
    )


def _systemctl(*words: str) -> Harm:
    return lambda host: host.run(["systemctl", *words])


NGINX, MAIN, ADMIN = "django-split-nginx.service", "gazette-main@*", "gazette-admin@*"
STORE, DATABASE = "gazette-store.service", "postgresql@*"

FAULTS = {
    "kill -9 nginx's master": Fault(_master(NGINX), None, ("main", "admin")),
    "kill -9 a worker of nginx": Fault(_child(NGINX), None, ("main", "admin")),
    "kill -9 main's master": Fault(_master(MAIN), None, ("main",)),
    "kill -9 a worker of main": Fault(_child(MAIN), None, ("main",)),
    "kill -9 the admin's master": Fault(_master(ADMIN), None, ("admin",)),
    "kill -9 a worker of the admin": Fault(_child(ADMIN), None, ("admin",)),
    "kill -9 the store": Fault(_master(STORE), None, ("admin",)),
    "the store hangs": Fault(
        _systemctl("kill", "--signal=STOP", STORE),
        _systemctl("kill", "--signal=CONT", STORE),
        ("admin",),
    ),
    "the store is stopped": Fault(
        _systemctl("stop", STORE), _systemctl("start", STORE), ("admin",)
    ),
    "kill -9 PostgreSQL": Fault(_master(DATABASE), None, ("main", "admin")),
    "kill -9 a process of PostgreSQL": Fault(_child(DATABASE), None, ("main", "admin")),
}

# All that the site, its nginx and its stores write to.
FOLDERS = "/srv/gazette/shared /var/lib/django-split /var/lib/postgresql"
SMALL = "/mnt/small"
# Those that run: a pattern would not start what has ended.
RUNNING = (
    "systemctl list-units --plain --no-legend --state=active"
    " 'gazette-*' 'django-split-*' 'postgresql@*' | cut -d ' ' -f 1"
)
# From /: cp of Debian 12 looks for the folders above an absolute path where it stands.
MOVE = f"""
set -e
cd /
systemctl stop $(cat /root/units)
used=$(du --total --block-size=1M --summarize {FOLDERS} | tail -1 | cut -f 1)
mkdir -p {SMALL}
mount -t tmpfs -o mode=755,size=$((used + 48))m tmpfs {SMALL}
for folder in {FOLDERS}; do
    cp -a --parents $folder {SMALL}
    mount --bind {SMALL}$folder $folder
done
systemctl start $(cat /root/units)
"""
BACK = f"""
set -e
rm -f {SMALL}/filler
systemctl stop $(cat /root/units)
for folder in {FOLDERS}; do
    umount $folder
    find $folder -mindepth 1 -delete
    cp -a {SMALL}$folder/. $folder
done
umount {SMALL}
systemctl start $(cat /root/units)
"""


@contextmanager
def small_disk(host: Host) -> Iterator[None]:
    """What the site writes lies on a disk of its own, which has little room."""
    host.run(f"{RUNNING} > /root/units")
    host.run(MOVE)
    try:
        yield
    finally:
        host.run(BACK)


def fill(host: Host) -> None:
    """Not a byte more goes onto the small disk."""
    host.run(f"dd if=/dev/zero of={SMALL}/filler bs=4k", check=False)
    room = f"df --output=avail {SMALL} | tail -1"
    assert host.run(room).stdout.strip() == "0"


def make_room(host: Host) -> None:
    host.run(["rm", f"{SMALL}/filler"])
