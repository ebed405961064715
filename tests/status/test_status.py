"""What SITE-status sees of a site: its files, its sockets, its stores, and who deploys."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from django_split.status import asking, lock, processes, queues, releases, report, systemd
from django_split.status.part import Part
from django_split.status.site import Gate, NoSiteError, Site
from tests.support import stores
from tests.support.plugins import load
from tests.support.unix_http import serving

GATE = Gate("/", "site.example", text="Gazette")
ROLE_FILE = {
    "site": "gazette",
    "home": "/srv/gazette",
    "state": "/var/lib/django-split/gazette",
    "run": "/run/gazette",
    "systemd": True,
    "gates": {
        "main": {
            "path": "/",
            "host": "site.example",
            "scheme": "http",
            "status": [200],
            "text": "Gazette",
        }
    },
    "stores": {"store": "/run/gazette/store/store.sock"},
    "store": "redis",
    "processes": ["worker"],
    "proxy": "django-split-nginx",
    "ports": [80],
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three releases; both instances are on the second."""
    marks = {"aaa": (".complete", ".served"), "bbb": (".complete", ".served"), "ccc": ()}
    for moment, (name, files) in enumerate({**marks, "fff": (".complete",)}.items()):
        folder = tmp_path / "releases" / name
        folder.mkdir(parents=True)
        for each in files:
            (folder / each).touch()
            os.utime(folder / each, (1000 + moment, 1000 + moment))
    (tmp_path / "releases" / "failed-ddd").mkdir()
    told = {"reason": "Migrate: no such table\n news_x", "time": 4000000000}
    (tmp_path / "releases" / "failed-ddd" / ".failed").write_text(json.dumps(told))
    (tmp_path / "releases" / ".pruned-eee").mkdir()
    # Of a proxy that has no releases.
    (tmp_path / "releases" / "fff" / "static").mkdir(parents=True)
    (tmp_path / "live").mkdir()
    for name in ("main", "admin"):
        (tmp_path / "live" / f"{name}.sock").symlink_to(f"/run/gazette/{name}/{name}-bbb.sock")
    return tmp_path


def test_what_serves_is_what_the_links_say(home: Path) -> None:
    serves = releases.serving(home)
    assert {name: each.release for name, each in serves.items()} == {"main": "bbb", "admin": "bbb"}
    assert serves["main"].since == (home / "live" / "main.sock").lstat().st_mtime
    states = {each.name: each.state for each in releases.releases(home)}
    assert states == {
        "aaa": "kept",
        "bbb": "serves",
        "ccc": "unfinished",
        "failed-ddd": "failed",
        "fff": "built",
    }


def state(home: Path, admin: str, main: str, current: str, flip: dict[str, Any]) -> None:
    for name, release in (("admin", admin), ("main", main)):
        link = home / "live" / f"{name}.sock"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/run/gazette/{name}/{name}-{release}.sock")
    (home / "current").symlink_to(f"releases/{current}")
    if flip:
        (home / "live" / "flip.json").write_text(json.dumps(flip))


def both(home: Path) -> str:
    """Where a rollback goes to, as the module has it that does it, and as people are told."""
    found: str = load("module_utils", "split_releases").back(str(home))
    assert releases.back(home) == found
    return found


BEGUN = {"release": "ccc", "back": True, "left": ["bbb"], "hook": True}


@pytest.mark.parametrize(
    ("admin", "main", "current", "flip", "to"),
    [
        ("ccc", "ccc", "ccc", {}, "bbb"),
        ("bbb", "bbb", "bbb", {}, "aaa"),
        ("aaa", "aaa", "aaa", {}, ""),
        # A deploy of ccc behind bbb is killed: between the flips, before and behind it is linked.
        ("ccc", "bbb", "bbb", {**BEGUN, "back": False}, "bbb"),
        ("ccc", "ccc", "bbb", {**BEGUN, "back": False}, "bbb"),
        ("ccc", "ccc", "ccc", {**BEGUN, "back": False}, "bbb"),
        # A rollback from ccc to bbb is, or to a release by its name.
        ("bbb", "ccc", "ccc", {**BEGUN, "release": "bbb"}, "bbb"),
        ("bbb", "bbb", "bbb", {**BEGUN, "release": "bbb"}, "bbb"),
        ("aaa", "ccc", "ccc", {**BEGUN, "release": "aaa"}, "aaa"),
        ("bbb", "bbb", "bbb", {**BEGUN, "release": "gone"}, "aaa"),
    ],
)
def test_a_rollback_goes_to_what_was_deployed_before_or_goes_on(
    home: Path, admin: str, main: str, current: str, flip: dict[str, Any], to: str
) -> None:
    for moment, name in enumerate(("aaa", "bbb", "ccc")):
        for mark in (".complete", ".served"):
            path = home / "releases" / name / mark
            path.touch()
            os.utime(path, (1000 + moment, 1000 + moment))
    state(home, admin, main, current, flip)
    assert both(home) == to


def test_a_rollback_goes_to_none_that_is_not_complete(home: Path) -> None:
    state(home, "bbb", "bbb", "bbb", {})
    assert both(home) == "aaa"
    (home / "releases" / "aaa" / ".complete").unlink()
    assert both(home) == ""


def test_a_site_that_was_never_deployed_has_none(tmp_path: Path) -> None:
    assert releases.serving(tmp_path) == {}
    assert releases.releases(tmp_path) == []
    assert releases.history(tmp_path) == []


def test_who_deployed_is_written_down_once_and_read(tmp_path: Path) -> None:
    """The module's half and the command's half of one file."""
    history = load("module_utils", "split_history")
    path = str(tmp_path / releases.HISTORY)
    said = {"by": "ada@desk", "playbook": "site.yml"}
    assert history.deployed(path, "aaa", "", said)
    assert history.deployed(path, "bbb", "aaa", said)
    assert not history.deployed(path, "bbb", "aaa", said), "a run that was killed, run again"
    assert history.deployed(path, "aaa", "bbb", {**said, "playbook": "playbooks/rollback.yml"})
    with open(path, "a") as file:
        file.write("half a li")  # the disk was full
    seen = releases.history(tmp_path)
    assert [each["release"] for each in seen] == ["aaa", "bbb", "aaa"]
    assert seen[-1]["playbook"] == "playbooks/rollback.yml"


def test_the_history_does_not_grow_for_ever(tmp_path: Path) -> None:
    history = load("module_utils", "split_history")
    for number in range(history.KEPT + 20):
        history.deployed(str(tmp_path / releases.HISTORY), str(number), "", {})
    seen = releases.history(tmp_path)
    assert len(seen) == history.KEPT
    assert seen[-1]["release"] == str(history.KEPT + 19)


def test_the_gate_is_asked_and_told_how_many_wait(tmp_path: Path) -> None:
    with serving(tmp_path / "main-bbb.sock"):
        (tmp_path / "main.sock").symlink_to(tmp_path / "main-bbb.sock")
        part = asking.instance("main", str(tmp_path / "main.sock"), GATE)
    assert part.ok
    assert "/ answers 200 in " in part.seen
    assert "0 of 5 wait for a worker" in part.seen


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(500, b"Gazette", "answers 500"), (200, b"It works!", 'without the text "Gazette"')],
)
def test_a_wrong_answer_is_not_well(tmp_path: Path, status: int, body: bytes, told: str) -> None:
    with serving(tmp_path / "s", status, body):
        part = asking.instance("main", str(tmp_path / "s"), GATE)
    assert part.ok is False
    assert told in part.seen


def test_nobody_behind_the_link_is_said(tmp_path: Path) -> None:
    part = asking.instance("main", str(tmp_path / "s"), GATE)
    assert (part.ok, part.seen) == (False, "/: no such file or directory")


def test_connections_that_wait_are_counted(tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX) as busy,
        socket.socket(socket.AF_UNIX) as one,
        socket.socket(socket.AF_UNIX) as two,
    ):
        busy.bind(str(tmp_path / "s"))
        busy.listen(7)
        for visitor in (one, two):
            visitor.connect(str(tmp_path / "s"))
        assert queues.unix(str(tmp_path / "s")) == (2, 7)
    assert queues.unix(str(tmp_path / "elsewhere")) is None


def test_connections_that_wait_on_a_port_are_counted() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(7)
        port = busy.getsockname()[1]
        assert queues.tcp(port) == 0
        with socket.create_connection(("127.0.0.1", port)):
            assert queues.tcp(port) == 1
    assert queues.tcp(port) is None


def test_a_store_answers_or_is_away() -> None:
    page = ("--user", "page", "on", "nopass", "+info", "--maxmemory", "64mb")
    with stores.redis_server(*page) as server:
        part = asking.store("store", "redis", str(server.path))
        assert part.ok
        assert " of 64 MB are taken" in part.seen
        server.kill()
        part = asking.store("store", "redis", str(server.path))
        assert (part.ok, part.seen) == (False, f"{server.path}: no such file or directory")


def test_a_store_without_the_pages_user_is_well_all_the_same() -> None:
    with stores.redis_server() as server:
        assert asking.store("public", "redis", str(server.path)) == Part(
            "store", "public", True, "answers"
        )


def test_a_nearly_full_store_is_not_well() -> None:
    page = ("--user", "page", "on", "nopass", "+info", "--maxmemory", "1mb")
    with stores.redis_server(*page) as server:
        part = asking.store("store", "redis", str(server.path))
    assert part.ok is False
    assert "nearly full" in part.seen


def test_a_deploy_that_is_under_way_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "gazette"
    folder.mkdir()
    said = {"by": "ada@desk", "begun": 5.0, "playbook": "site.yml", "pid": 1}
    (folder / "holder.json").write_text(json.dumps(said))
    (folder / "renewed").write_text("3f2a")
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert lock.holder("gazette", tmp_path) == {
            "by": "ada@desk",
            "since": 5.0,
            "playbook": "site.yml",
            "release": "3f2a",
        }
    assert lock.holder("gazette", tmp_path) == {}, "nobody holds what a killed run has left"


# What systemd 252 says of a site's units.
UNITS = """\
Id=gazette-main@bbb.service
ActiveState=active
SubState=running
Result=success
NRestarts=2
MemoryCurrent=88080384
ActiveEnterTimestamp=Thu 2026-11-26 00:45:19 UTC
UnitFileState=enabled

Id=gazette-main@ccc.service
ActiveState=active
SubState=running
Result=success
NRestarts=0
MemoryCurrent=[not set]
ActiveEnterTimestamp=Thu 2026-11-26 00:45:19 UTC
UnitFileState=disabled

Id=gazette-store.service
ActiveState=failed
SubState=failed
Result=exit-code
NRestarts=0
MemoryCurrent=18446744073709551615
ActiveEnterTimestamp=
UnitFileState=enabled

Id=gazette-worker.service
ActiveState=active
SubState=running
Result=success
NRestarts=0
MemoryCurrent=18446744073709551615
ActiveEnterTimestamp=Thu 2026-11-26 00:45:19 UTC
UnitFileState=disabled

Id=django-split-nginx.service
ActiveState=inactive
SubState=dead
Result=success
NRestarts=0
MemoryCurrent=[not set]
ActiveEnterTimestamp=
UnitFileState=
"""


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for systemctl where no systemd runs; tests/fleet asks a real one."""
    command = tmp_path / "systemctl"
    command.write_text(f"#!/bin/sh\ncat {tmp_path}/units\n")
    command.chmod(0o755)
    real = subprocess.run

    def run(words: list[str], **how: Any) -> Any:
        return real([str(command), *words[1:]], **how)

    monkeypatch.setattr(systemd.subprocess, "run", run)
    return tmp_path / "units"


def test_units_are_what_they_are_to_be(systemctl: Path) -> None:
    systemctl.write_text(UNITS)
    parts = processes.processes(Site.of(ROLE_FILE), {"main": "bbb"})
    seen = {part.name: (part.ok, part.seen) for part in parts}
    assert seen == {
        "gazette-main@bbb": (True, "active, restarted 2 times, 84 MB"),
        "gazette-main@ccc": (None, "active, without traffic"),
        "gazette-store": (False, "failed"),
        "gazette-worker": (False, "active, will not start at the next boot"),
        "django-split-nginx": (False, "does not run"),
    }
    assert parts[0].since == 1795653919


def test_a_timer_whose_last_run_failed_is_not_well(systemctl: Path) -> None:
    systemctl.write_text(
        "Id=gazette-purge.timer\nActiveState=active\nResult=success\n"
        "NextElapseUSecRealtime=Fri 2026-11-27 03:10:00 UTC\n"
        "LastTriggerUSec=Thu 2026-11-26 03:10:00 UTC\n"
        "\nId=gazette-two-purge.timer\nActiveState=failed\n"
        "\nId=gazette-purge.service\nResult=exit-code\n"
    )
    [part] = systemd.timers(Site.of(ROLE_FILE))
    assert part.ok is False
    assert part.seen == (
        "next 2026-11-27 03:10 UTC, last 2026-11-26 03:10 UTC, "
        "which failed (exit-code): journalctl -u gazette-purge"
    )


def test_the_report_for_people_and_for_programs(home: Path) -> None:
    (home / "live" / "admin.maintenance").touch()
    seen = report.Report(
        site="gazette",
        host="web1",
        serves=releases.serving(home),
        deployments=[{"release": "bbb", "by": "ada@desk", "playbook": "site.yml"}],
        releases=releases.releases(home),
        maintenance=releases.maintenance(home),
        lock={"by": "bob@ci", "since": 0, "release": "", "playbook": "site.yml"},
        parts=[
            Part("process", "gazette-main@bbb", True, "active", 60.0),
            Part("gate", "x", False, "y"),
        ],
    )
    text = seen.as_text()
    assert text.startswith("gazette on web1: 1 of 2 parts are not well\n")
    assert "deployed by ada@desk (site.yml)" in text
    assert "admin is in maintenance since " in text
    assert "being deployed by bob@ci since 1970-01-01 00:00 UTC: a release that has no name" in text
    assert "✔ process gazette-main@bbb  active, since 1970-01-01 00:01 UTC" in text
    assert re.search("failed-ddd +failed +at 2096-.* UTC: Migrate: no such table news_x\n", text)
    assert "  failed-ddd did not come to serve, at 2096-10-02 07:06 UTC: Migrate: no such" in text
    assert "There is no earlier release to go back to." in text
    told = json.loads(seen.as_json())
    assert told["well"] is False
    assert told["serves"]["main"]["release"] == "bbb"
    assert [each["name"] for each in told["releases"] if each["state"] == "failed"] == [
        "failed-ddd"
    ]
    assert json.loads(replace(seen, parts=[], lock={}).as_json())["well"] is True


def test_what_was_gone_back_to_is_told_with_what_it_was_gone_back_from(home: Path) -> None:
    """And a failure of before is no news any more."""
    folder = home / "releases" / "failed-ddd"
    (folder / ".failed").write_text(json.dumps({"reason": "Migrate: x", "time": 5}))
    gone = {
        "release": "bbb",
        "before": "eee",
        "by": "ada@desk",
        "playbook": "playbooks/rollback.yml",
    }
    kept = releases.releases(home)
    seen = report.Report("g", "h", releases.serving(home), [gone], kept, {}, {}, [], "aaa")
    text = seen.as_text()
    assert ", gone back to from eee by ada@desk (playbooks/rollback.yml)\n" in text
    assert "  playbooks/rollback.yml goes back to aaa\n" in text
    assert "did not come to serve" not in text
    assert json.loads(seen.as_json())["back"] == "aaa"
    goes_on = replace(seen, back="bbb").as_text()
    assert "  playbooks/rollback.yml goes on to bbb\n" in goes_on


def test_a_host_of_the_proxys_alone_misses_no_release() -> None:
    seen = report.Report("g", "h", {}, [], [], {}, {}, [], instances=())
    assert "Neither main nor the admin is on this host." in seen.as_text()
    assert "No release serves here." in replace(seen, instances=("main",)).as_text()


def test_two_instances_on_two_releases_are_not_passed_over(home: Path) -> None:
    (home / "live" / "main.sock").unlink()
    (home / "live" / "main.sock").symlink_to("/run/gazette/main/main-aaa.sock")
    seen = report.Report("g", "h", releases.serving(home), [], [], {}, {}, [])
    assert "different releases: run the same command again" in seen.as_text()


def test_a_host_without_the_site_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NoSiteError, match="no site gazette on this host"):
        Site.read("gazette", tmp_path)
    (tmp_path / "gazette").mkdir()
    (tmp_path / "gazette" / "status.json").write_text("{")
    with pytest.raises(NoSiteError, match=r"status\.json: "):
        Site.read("gazette", tmp_path)


def test_the_copy_on_a_host_runs_with_the_standard_library_alone(tmp_path: Path) -> None:
    """As SITE-status starts it: no Django, no django_split, no site-packages."""
    import django_split.status as package

    shutil.copytree(Path(package.__file__).parent, tmp_path / "status")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from status.command import main; "
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", f"{code}sys.exit(main())", "--site", "no-such"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == 2
    told = "no site no-such on this host" if os.geteuid() == 0 else "run me as root"
    assert told in ran.stderr
