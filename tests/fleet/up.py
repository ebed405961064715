"""Boot hosts to play with: `python -m tests.fleet.up [--release trixie] [--no-init] [HOW_MANY]`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from . import nspawn
from .hosts import Host
from .images import RELEASES, Image


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.up", description=__doc__)
    parser.add_argument("how_many", nargs="?", type=int, default=1)
    parser.add_argument("--release", choices=RELEASES, default="bookworm")
    parser.add_argument("--no-init", action="store_true", help="a container: no systemd in it")
    chosen = parser.parse_args(arguments)
    if reason := nspawn.unavailable():
        sys.exit(reason)
    image = Image(chosen.release, "container" if chosen.no_init else "server")
    for _ in range(chosen.how_many):
        host = Host.boot(image, init=not chosen.no_init)
        host.clone_repo()
        host.keep()
        print(f"{host.name}: {shlex.join([*nspawn.enter(host.leader()), 'bash', '--login'])}")
    print("They share this machine's network and ports. `make hosts-down` ends them.")


if __name__ == "__main__":
    main()
