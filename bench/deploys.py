"""What visitors notice of a deploy: p50, p99 and the worst, idle and while releases are replaced.

    python bench/deploys.py [--deploys 10] [--visitors 6] [--slow 1] [--idle 60] [--tasks 10]

As root, with systemd-nspawn: boots a server of its own, deploys the bundled site by SSH, and again
and again with changed code, while visitors on keep-alive connections ask for pages, every second
time by POST, and others for pages that take three seconds. Controller, server and visitors share
this machine: what a deploy costs of its processor the visitors pay too, and `busy` has the same
visitors while as much is computed as ansible-playbook does, and nothing deployed. The bounds: no
request fails, p99 during deploys within twice the idle one, the worst under 1 s. At the end one
rollback (bound: each flip under 5 s), and the tasks that took most of the last deploy.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

if TYPE_CHECKING:
    from tests.fleet.deploying import Server

TASK = re.compile(r"^TASK \[(.+)\] \*+$")
FLIP = "instance : The release is serving"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deploys", type=int, default=10)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.02)
    parser.add_argument("--idle", type=float, default=60, help="seconds")
    parser.add_argument("--tasks", type=int, default=10, help="that are shown of the last deploy")
    options = parser.parse_args()
    from tests.fleet.crowd import Load
    from tests.fleet.deploying import server
    from tests.fleet.elsewhere import elsewhere

    # Else a task's name is printed with its first result, and its seconds are another one's.
    os.environ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"] = "true"
    with (
        tempfile.TemporaryDirectory(prefix="django-split-bench-") as place,
        server(Path(place), main_workers=4) as host,
        elsewhere() as behind,
    ):
        host.behind = behind
        host.play("site.yml", timeout=900)
        words = ("visitors", "slow", "pause")
        given = [part for name in words for part in (f"--{name}", str(getattr(options, name)))]
        with Load(host.address, *given) as load:
            time.sleep(5)
            with load.phase("idle", then="warm"):
                time.sleep(options.idle)
            seconds = []
            for _ in range(options.deploys):
                mark = host.change()
                began = time.monotonic()
                with load.phase("deploys", then="between"):
                    tasks = timed(host, "playbooks/deploy.yml")
                seconds.append(time.monotonic() - began)
                if mark not in host.visitor.ask("/").text:
                    raise SystemExit("the new release does not serve")
            with load.phase("rollback", then="between"):
                back = timed(host, "playbooks/rollback.yml")
            if mark in host.visitor.ask("/").text:
                raise SystemExit("the release before does not serve")
            with load.phase("busy", then="end"), busy():
                time.sleep(options.idle / 2)
            seen = load.end()
    print(f"{options.deploys} deploys, {min(seconds):.0f} to {max(seconds):.0f} s each")
    for name in ("idle", "deploys", "rollback", "busy"):
        told = seen[name]
        print(
            f"{name:8} {told['requests']:7} requests, {told['failed']} failed; "
            f"p50 {told['p50']} ms, p99 {told['p99']} ms, worst {told['worst']} ms"
        )
        for cause, number in told["failures"].items():
            print(f"         {number} times {cause}")
    ratio = seen["deploys"]["p99"] / seen["idle"]["p99"]
    print(f"p99 during deploys is {ratio:.1f} times the idle one")
    flips = ", ".join(f"{took:.1f}" for name, took in back if name == FLIP)
    print(f"rollback: {sum(took for _, took in back):.0f} s; flips of admin and main: {flips} s")
    print(f"the last deploy: {sum(took for _, took in tasks):.0f} s, {len(tasks)} tasks; of these")
    spent: dict[str, float] = {}
    for name, took in tasks:
        spent[name] = spent.get(name, 0) + took
    for name in sorted(spent, key=lambda each: -spent[each])[: options.tasks]:
        print(f"{spent[name]:8.1f} s {name}")


def timed(host: Server, playbook: str) -> list[tuple[str, float]]:
    """Run a playbook to its end: what it began, in order, and the seconds until it began the next.

    Raises SystemExit when it fails.
    """
    run = host.start(playbook)
    now, began, said, found = "start", time.monotonic(), [], []
    for line in run.stdout or ():
        said.append(line)
        if task := TASK.match(line):
            found.append((now, time.monotonic() - began))
            now, began = task[1], time.monotonic()
    if run.wait():
        raise SystemExit("".join(said))
    return [*found, (now, time.monotonic() - began)]


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """One process that computes all the time, as ansible-playbook does."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
