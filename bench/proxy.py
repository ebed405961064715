"""What nginx costs a request, in processor time: a file, a page of main's, with and without TLS.

    python bench/proxy.py [--requests 3000]

The rendered configuration, a gunicorn with an application that answers at once, a client on one
connection at a time. Processor time of nginx's own processes, read before and after: unlike the
clock it hardly minds what else the machine does. Prints microseconds a request, and what one core
could pass on at 70 %: docs/scaling.md reckons with it. Needs nginx.
"""

from __future__ import annotations

import argparse
import http.client
import os
import ssl
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from nginx.stage import Site, site

from tests.support.authority import Authority

TICK = os.sysconf("SC_CLK_TCK")
SHARE = 0.7

Connect = Callable[[], http.client.HTTPConnection]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    number = parser.parse_args().requests
    with tempfile.TemporaryDirectory(prefix="django-split-bench-") as place:
        authority = Authority(Path(place))
        context = ssl.create_default_context(cafile=str(authority.file))
        print(f"{'':44}  µs of nginx   a core at 70 %")
        with site() as plain:
            plain.put("static/app.css", "body {}" * 100)
            plain.start()
            connect: Connect = partial(http.client.HTTPConnection, "127.0.0.1", plain.port)
            # Ten times as many: the kernel counts in hundredths of a second.
            show(plain, "a file of 700 bytes", connect, "/static/app.css", number * 10)
            show(plain, "a page of main's", connect, "/", number)
            show(plain, "the same, a connection each", connect, "/", number, keep=1)
        with site(main_microcache=5) as keeping:
            keeping.start()
            connect = partial(http.client.HTTPConnection, "127.0.0.1", keeping.port)
            show(keeping, "a page that nginx keeps (main_microcache)", connect, "/", number * 10)
        with site(proxy_tls="files") as secured:
            issued = authority.issue("localhost")
            folder = secured.config.parent / "sites" / "gazette" / "tls"
            folder.mkdir(parents=True)
            issued.certificate.rename(folder / "certificate.pem")
            issued.key.rename(folder / "key.pem")
            secured.start()
            port = secured.variables["proxy_tls_port"]
            connect = partial(http.client.HTTPSConnection, "localhost", port, context=context)
            show(secured, "a page by TLS", connect, "/", number)
            show(secured, "the same, a connection each (ECDSA)", connect, "/", number, keep=1)


def show(built: Site, what: str, connect: Connect, path: str, number: int, keep: int = 100) -> None:
    """Print what `number` requests cost, `keep` of them on a connection."""
    ask(connect, path, 50, keep)
    before = processor(built)
    ask(connect, path, number, keep)
    spent = (processor(built) - before) / number
    print(f"{what:44}  {spent * 1e6:11.0f}   {SHARE / spent:10.0f} a second")


def ask(connect: Connect, path: str, number: int, keep: int) -> None:
    for _ in range(number // keep):
        connection = connect()
        for _ in range(keep):
            connection.request("GET", path, headers={"Host": "localhost"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                sys.exit(f"{path} answered {answer.status}")
        connection.close()


def processor(built: Site) -> float:
    """Seconds of processor time that nginx's master and workers have used."""
    master = built.processes["nginx"].pid
    total = 0
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = process.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # somebody else's, and gone
        if master in (int(process.parent.name), int(words[1])):
            total += int(words[11]) + int(words[12])
    return total / TICK


if __name__ == "__main__":
    main()
