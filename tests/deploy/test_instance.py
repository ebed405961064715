"""The module that gates and flips, whole: real processes of a real supervisord."""

from __future__ import annotations

import http.client
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load

from .conftest import RunModule

unix = load("module_utils", "split_unix")

SUPERVISORD = Path(sys.executable).with_name("supervisord")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who writes in /etc and /run"),
    pytest.mark.skipif(
        Path("/run/systemd/system").exists(), reason="the module would speak to systemd here"
    ),
]

# Answers each request with what a file says at that moment: a status, and a text.
SERVER = """
import http.server, os, socketserver, sys
path, answer = sys.argv[1:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = open(answer).read().split()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def address_string(self):
        return "unix"
if os.path.exists(path):
    os.unlink(path)
socketserver.ThreadingUnixStreamServer(path, Handler).serve_forever()
"""
CONFIGURATION = """
[unix_http_server]
file=/run/{site}/supervisor.sock
[supervisord]
user=root
nodaemon=true
pidfile=/run/{site}/supervisord.pid
logfile=/run/{site}/supervisord.log
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files=conf.d/*.conf
"""
PROGRAM = """
[program:{site}-main@@RELEASE@]
command=/usr/bin/python3 {run}/server.py {run}/main-@RELEASE@.sock {run}/@RELEASE@
startsecs=0
redirect_stderr=true
stdout_logfile={run}/main.log
"""


@dataclass
class Site:
    """One instance of a site, whose releases answer what they are told to."""

    name: str
    run_module: RunModule

    @property
    def run(self) -> Path:
        return Path("/run") / self.name

    @property
    def conf(self) -> Path:
        return Path("/etc/django-split") / self.name

    def answers(self, release: str, answer: str) -> None:
        (self.run / release).write_text(answer)

    def ask(self, state: str, release: str) -> dict[str, Any]:
        return self.run_module(
            "split_instance",
            state=state,
            site=self.name,
            instance="main",
            release=release,
            socket=str(self.run / f"main-{release}.sock"),
            link=str(self.run / "live" / "main.sock"),
            current=str(self.run / "current"),
            gate={"host": "site.example", "text": "Gazette", "seconds": 20},
        )

    def serves(self) -> str:
        """The release that the link names, when that answers."""
        link = self.run / "live" / "main.sock"
        connection = unix.UnixConnection(str(link), 5)
        try:
            connection.request("GET", "/")
            assert connection.getresponse().status == http.client.OK
        finally:
            connection.close()
        return link.readlink().stem.removeprefix("main-")

    def enabled(self) -> list[str]:
        return sorted(
            path.stem.partition("@")[2] for path in (self.conf / "supervisor/conf.d").iterdir()
        )

    def running(self) -> list[str]:
        found = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            words = each.read_bytes().decode().split("\0")
            if str(self.run / "server.py") in words:
                found.append(Path(words[-2]).name)
        return sorted(found)


@pytest.fixture
def site(run_module: RunModule) -> Iterator[Site]:
    made = Site(f"gate-{secrets.token_hex(4)}", run_module)
    folder = made.conf / "supervisor"
    for each in (folder / "programs", folder / "conf.d", made.run / "live"):
        each.mkdir(parents=True)
    (made.run / "server.py").write_text(SERVER)
    program = PROGRAM.format(site=made.name, run=made.run)
    (folder / "programs" / f"{made.name}-main@.conf").write_text(program)
    (folder / "supervisord.conf").write_text(CONFIGURATION.format(site=made.name))
    supervisor = subprocess.Popen(
        [SUPERVISORD, "-c", folder / "supervisord.conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while not (made.run / "supervisor.sock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for release in ("01d", "2e0"):
        made.answers(release, "200 Gazette")
    made.ask("serving", "01d")
    (made.run / "current").symlink_to("releases/01d")
    yield made
    supervisor.terminate()
    supervisor.wait(20)
    shutil.rmtree(made.conf)
    shutil.rmtree(made.run)


def test_the_new_one_is_started_asked_and_given_the_traffic(site: Site) -> None:
    assert site.ask("gated", "2e0")["changed"]
    assert site.running() == ["01d", "2e0"]
    assert site.serves() == "01d"
    again = site.ask("gated", "2e0")
    assert (again["changed"], again["before"]) == (False, "")
    done = site.ask("serving", "2e0")
    assert (done["changed"], Path(done["before"]).name) == (True, "main-01d.sock")
    assert (site.serves(), site.running(), site.enabled()) == ("2e0", ["2e0"], ["2e0"])
    assert not site.ask("serving", "2e0")["changed"]


def test_what_a_killed_run_has_flipped_can_go_back(site: Site) -> None:
    site.ask("serving", "2e0")
    for state in ("gated", "serving"):
        again = site.ask(state, "2e0")
        assert (again["changed"], Path(again["before"]).name) == (False, "main-01d.sock")
    # The deploy has come to its end: what was before that is no business of the next one's.
    (site.run / "current").unlink()
    (site.run / "current").symlink_to("releases/2e0")
    assert site.ask("serving", "2e0")["before"] == ""


def test_one_that_is_refused_when_it_runs_already_ends_and_is_told_so(site: Site) -> None:
    """It passed the gate, and not the look right before the flip: a database was away."""
    site.ask("gated", "2e0")
    site.answers("2e0", "500 oops")
    done = site.ask("serving", "2e0")
    assert done["failed"]
    assert "GET / answered 500" in done["msg"]
    assert "The release that served before still does" in done["msg"]
    assert "has the traffic" not in done["msg"]
    assert (site.serves(), site.running(), site.enabled()) == ("01d", ["01d"], ["01d"])


def test_one_that_a_killed_run_has_left_is_asked_at_the_gate(site: Site) -> None:
    """Or the other instance is flipped before this one is refused."""
    site.ask("gated", "2e0")
    site.answers("2e0", "500 oops")
    done = site.ask("gated", "2e0")
    assert done["failed"]
    assert "The release that served before still does" in done["msg"]
    assert (site.running(), site.enabled()) == (["01d"], ["01d"])


def test_one_that_has_the_traffic_and_does_not_start_is_told_as_that(site: Site) -> None:
    site.ask("serving", "2e0")
    link = site.run / "live" / "main.sock"
    site.answers("2e0", "500 oops")
    # As when it was killed: no process, and the link names it still.
    link.unlink()
    site.ask("withdrawn", "2e0")
    link.symlink_to(site.run / "main-2e0.sock")
    done = site.ask("serving", "2e0")
    assert done["failed"]
    assert "It is the one that has the traffic" in done["msg"]
