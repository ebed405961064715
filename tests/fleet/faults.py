"""What is done to a cluster, how it is mended, and whose failed requests that may cost main."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .cluster import NAMES, Cluster
from .network import Networked

Do = Callable[[Cluster], object]

STORES = ("admin1", "admin2", "db")

# One process, or those that it has started, without a chance to say anything; then until the unit
# runs again, in whole.
KILLED = """
unit=$(systemctl list-units --state=running --plain --no-legend '{unit}' | cut -d' ' -f1)
first=$(systemctl show -p MainPID --value "$unit")
killed=$first
[ {part} = first ] || killed=$(cat /proc/$first/task/*/children)
began=$(date +%s%N)
kill -9 $killed
for _ in $(seq 300); do
  sleep 0.05
  for each in $killed; do [ ! -e /proc/$each ] || continue 2; done
  new=$(systemctl show -p MainPID --value "$unit")
  [ "$new" != 0 ] && systemctl --quiet is-active "$unit" || continue
  [ {part} = first ] || [ -n "$(cat /proc/$new/task/*/children)" ] || continue
  echo $(( ($(date +%s%N) - began) / 1000000 ))
  exit
done
systemctl status --no-pager "$unit"
exit 1
"""


def kill_nine(host: Networked, unit: str, part: str) -> float:
    """End a unit's `first` process, or its `workers`; how long until systemd has it back, in s."""
    return int(host.run(KILLED.format(unit=unit, part=part)).stdout) / 1000


@dataclass(frozen=True)
class Fault:
    """Something that happens to hosts, for `seconds`.

    `costs` says whose visitors may see failures of main's: "nobody", "underway" (of each visitor
    the request that was being answered), the name of a proxy (its visitors), or "everybody".
    """

    harm: Do
    mend: Do
    costs: str = "nobody"
    seconds: float = 8


def each(names: tuple[str, ...], do: Callable[[Networked], object]) -> Do:
    """The same on several hosts, one right behind the other."""
    return lambda cluster: [do(cluster[name]) for name in names]


def _systemctl(verb: str) -> Callable[[Networked], object]:
    return lambda host: host.run(f"systemctl {verb} gazette-store gazette-sentinel")


def _dark(cluster: Cluster) -> None:
    """Nobody says goodbye on a cable that was cut first."""
    for name in ("admin1", "admin2"):
        cluster[name].cut()
        cluster[name].kill()
    _systemctl("stop")(cluster["db"])


def _light(cluster: Cluster) -> None:
    for name in ("admin1", "admin2"):
        cluster[name].start()
    _systemctl("start")(cluster["db"])


def _unplugged(host: Networked) -> None:
    host.cut()
    host.kill()


# Some are in `make test`: test_cluster.py.
EVERY_DAY = {
    "power of a main host": Fault(
        each(("main1",), Networked.kill), each(("main1",), Networked.start), "underway"
    ),
    "power of an admin host": Fault(
        each(("admin2",), Networked.kill), each(("admin2",), Networked.start)
    ),
}
FAULTS = {
    "cable of a main host": Fault(
        each(("main2",), Networked.cut), each(("main2",), Networked.mend), "underway"
    ),
    "Redis stopped everywhere": Fault(
        each(STORES, _systemctl("stop")), each(STORES, _systemctl("start"))
    ),
    "power of both admin hosts, and the third Redis": Fault(_dark, _light),
    "power of the database's host": Fault(
        each(("db",), _unplugged), each(("db",), Networked.start), "everybody"
    ),
    "disk of a main host full": Fault(
        each(("main1",), Networked.fill_disk), each(("main1",), Networked.empty_disk)
    ),
    "disk of the first admin host full": Fault(
        each(("admin1",), Networked.fill_disk), each(("admin1",), Networked.empty_disk)
    ),
    "disk of a proxy full": Fault(
        each(("proxy1",), Networked.fill_disk), each(("proxy1",), Networked.empty_disk)
    ),
}
# Host, unit, which of its processes, and whom it may cost something.
KILLS = [
    ("proxy1", "django-split-nginx.service", "first", "proxy1"),
    ("proxy1", "django-split-nginx.service", "workers", "proxy1"),
    ("main1", "django-split-nginx.service", "first", "underway"),
    ("main1", "django-split-nginx.service", "workers", "underway"),
    ("main1", "gazette-main@*.service", "first", "underway"),
    ("main2", "gazette-main@*.service", "workers", "underway"),
    ("admin1", "django-split-nginx.service", "first", "nobody"),
    ("admin1", "gazette-admin@*.service", "first", "nobody"),
    ("admin2", "gazette-admin@*.service", "workers", "nobody"),
    *((name, "gazette-store.service", "first", "nobody") for name in STORES),
    ("admin1", "gazette-sentinel.service", "first", "nobody"),
    ("db", "postgresql@*.service", "first", "everybody"),
]


def spared(cluster: Cluster, costs: str, failed: dict[str, int]) -> bool:
    """Whether nobody saw a failure who should not have."""
    if costs == "everybody":
        return True
    if costs == "underway":
        # A page takes a hundredth of a second, so not all of the four visitors are waiting for one.
        return sum(failed.values()) <= len(cluster.proxies)
    if costs in NAMES:
        return all(cause.startswith(f"{cluster[costs].address} ") for cause in failed)
    return not failed
