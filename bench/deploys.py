"""What visitors notice of a deploy: p50, p99 and the worst, idle and while releases are replaced.

    python bench/deploys.py [--deploys 10] [--visitors 6] [--slow 1] [--idle 60]

As root, with systemd-nspawn: boots a server of its own, deploys the bundled site by SSH, and again
and again with changed code, while visitors on keep-alive connections ask for pages, every second
time by POST, and others for pages that take three seconds. Controller, server and visitors share
this machine: what a deploy costs of its processor the visitors pay too, and `busy` has the same
visitors while as much is computed as ansible-playbook does, and nothing deployed. The bounds are
issue 6's: no request fails, p99 during deploys within twice the idle one, the worst under 1 s.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deploys", type=int, default=10)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.02)
    parser.add_argument("--idle", type=float, default=60, help="seconds")
    options = parser.parse_args()
    from tests.fleet.crowd import Load
    from tests.fleet.deploying import server
    from tests.fleet.elsewhere import elsewhere

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
                    host.play("playbooks/deploy.yml")
                seconds.append(time.monotonic() - began)
                if mark not in host.visitor.ask("/").text:
                    raise SystemExit("the new release does not serve")
            with load.phase("busy", then="end"), busy():
                time.sleep(options.idle / 2)
            seen = load.end()
    print(f"{options.deploys} deploys, {min(seconds):.0f} to {max(seconds):.0f} s each")
    for name in ("idle", "deploys", "busy"):
        told = seen[name]
        print(
            f"{name:8} {told['requests']:7} requests, {told['failed']} failed; "
            f"p50 {told['p50']} ms, p99 {told['p99']} ms, worst {told['worst']} ms"
        )
        for cause, number in told["failures"].items():
            print(f"         {number} times {cause}")
    ratio = seen["deploys"]["p99"] / seen["idle"]["p99"]
    print(f"p99 during deploys is {ratio:.1f} times the idle one")


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
