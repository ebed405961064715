"""The units, as systemd reads them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from template_cases import NODE, PROCESS, Render

Unit = dict[str, list[str]]


def settings(text: str) -> Unit:
    """Every assignment in order; a line that ends with a backslash goes on."""
    found: Unit = {}
    for line in text.replace("\\\n", " ").splitlines():
        if "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


UNITS: dict[str, tuple[str, dict[str, Any]]] = {
    "gazette-main@.service": ("systemd/instance@.service.j2", {"instance": "main"}),
    "gazette-admin@.service": ("systemd/instance@.service.j2", {"instance": "admin"}),
    "gazette-store.service": ("systemd/store.service.j2", {}),
    "gazette-public.service": ("systemd/store.service.j2", {"store_name": "public"}),
    "gazette-valkey.service": ("systemd/store.service.j2", {"session_store": "valkey"}),
    "gazette-memory.service": ("systemd/store.service.j2", {"session_store": "memcached"}),
    "gazette-node.service": ("systemd/store.service.j2", {"store_node": NODE}),
    "gazette-sentinel.service": (
        "systemd/store.service.j2",
        {"store_node": NODE, "store_name": "sentinel"},
    ),
    "django-split-nginx.service": ("systemd/nginx.service.j2", {}),
    "gazette-watch.service": ("systemd/watch.service.j2", {"watch_stores": ["store", "public"]}),
    "gazette-purge.service": ("systemd/purge.service.j2", {}),
    "gazette-worker.service": ("systemd/process.service.j2", {}),
    "gazette-odd.service": (
        "systemd/process.service.j2",
        {"process": {**PROCESS, "command": "sh -c 'echo \"$HOME\" 100%; \\ true' # x"}},
    ),
}


TIMERS = {
    "gazette-purge.timer": ("systemd/purge.timer.j2", {}),
    "gazette-node-watch.service": (
        "systemd/watch.service.j2",
        {"watch_stores": [], "watch_node": {"address": "192.0.2.1", "port": 6379}},
    ),
    "gazette-watch.timer": ("systemd/watch.timer.j2", {}),
}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_to_say_about_them(plain: Render, tmp_path: Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    units = UNITS | TIMERS
    for name, (template, changed) in units.items():
        (folder / name).write_text(plain(template, **changed))
        unit = settings(plain(template, **changed))
        for command in ("ExecStart", "ExecStartPre", "ExecReload"):
            for line in unit.get(command, []):
                program = tmp_path / line.split()[0].lstrip("/").replace("%i", "0123456789ab")
                program.parent.mkdir(parents=True, exist_ok=True)
                program.touch(mode=0o755)
    names = [name.replace("@.", "@0123456789ab.") for name in units]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"]
    ran = subprocess.run(
        [*command, f"--root={tmp_path}", *names], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


# The figures of docs/operating.md.
SCORES = {
    "gazette-main@.service": 1.0,
    "gazette-admin@.service": 1.0,
    "gazette-store.service": 0.3,
    "gazette-valkey.service": 0.3,
    "gazette-memory.service": 0.3,
    "gazette-node.service": 1.0,
    "gazette-sentinel.service": 1.0,
    "gazette-purge.service": 1.0,
    "gazette-worker.service": 1.2,
    "django-split-nginx.service": 2.6,
}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("name", SCORES)
def test_score_is_as_documented(name: str, plain: Render, tmp_path: Path) -> None:
    """That they work under it is seen on hosts (tests/fleet/units.py)."""
    template, changed = UNITS[name]
    unit = tmp_path / name.replace("@.", "@0123456789ab.")
    unit.write_text(plain(template, **changed))
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    score = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert score
    assert float(score[1]) <= SCORES[name], said


@pytest.mark.parametrize(
    ("memory", "high"), [("25%", "22%"), ("1%", "1%"), ("512M", "460M"), ("2G", "1843M")]
)
def test_an_instance_is_slowed_down_before_it_is_stopped(
    plain: Render, memory: str, high: str
) -> None:
    unit = settings(plain("systemd/instance@.service.j2", instance_memory=memory))
    assert (unit["MemoryHigh"], unit["MemoryMax"]) == ([high], [memory])


def test_main_comes_before_the_admin_where_both_want_the_cpu(plain: Render) -> None:
    units = [
        settings(plain("systemd/instance@.service.j2", instance=instance))
        for instance in ("main", "admin")
    ]
    assert [int(unit["CPUWeight"][0]) for unit in units] == [400, 50]
    # By default each template has a slice of its own, and a weight counts within a slice.
    assert [unit["Slice"] for unit in units] == [["system.slice"]] * 2


TIMED = ("gazette-purge.service", "gazette-watch.service", "gazette-node-watch.service")


def test_what_has_ended_is_started_again_for_as_long_as_it_takes(plain: Render) -> None:
    for name, (template, changed) in UNITS.items():
        unit = settings(plain(template, **changed))
        if name not in TIMED:
            assert unit["Restart"] == ["always"], name
            assert unit["StartLimitIntervalSec"] == ["0"], name


def test_a_process_is_told_to_stop_as_it_wants(plain: Render) -> None:
    for signal in ("TERM", "USR1"):
        unit = settings(
            plain("systemd/process.service.j2", process={**PROCESS, "stop_signal": signal})
        )
        assert unit["KillSignal"] == [f"SIG{signal}"]
        assert unit["KillMode"] == ["mixed"], "its main process alone is told"


@pytest.mark.parametrize("template", ["instance@.service", "process.service", "purge.service"])
def test_networks_are_those_said_and_else_all_but_multicast(plain: Render, template: str) -> None:
    few = ["localhost", "10.0.0.0/8"]
    changed = {
        "instance_networks": few,
        "purge_networks": few,
        "process": {**PROCESS, "networks": few},
    }
    unit = settings(plain(f"systemd/{template}.j2", **changed))
    assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == (["any"], [" ".join(few)])
    unit = settings(plain(f"systemd/{template}.j2"))
    allowed = [ip_network(word) for line in unit["IPAddressAllow"] for word in line.split()]

    def reached(address: str) -> bool:
        ip = ip_address(address)
        return any(ip in network for network in allowed if network.version == ip.version)

    reach = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "203.0.113.9", "223.255.255.255")
    reach6 = ("::1", "2001:db8::1", "64:ff9b::1", "fd00::1", "fe80::1")
    assert all(reached(each) for each in (*reach, *reach6))
    assert not any(reached(each) for each in ("224.0.0.1", "255.255.255.255", "ff02::1"))


def test_only_programs_that_every_host_has_are_run(plain: Render) -> None:
    """A minimal Debian has no /bin/kill, and then a reload fails."""
    stores = ("/usr/bin/redis-server", "/usr/bin/valkey-server")
    ours = ("/usr/sbin/nginx", *stores, "/usr/local/sbin/gazette-", "/srv/gazette/")
    for template, changed in UNITS.values():
        unit = settings(plain(template, **changed))
        lines = [line for name in unit if name.startswith("Exec") for line in unit[name]]
        assert lines
        assert all(line.startswith((*ours, "/bin/sh -c 'kill ")) for line in lines), lines


@pytest.mark.parametrize(
    ("instance", "store"), [("main", ""), ("main", "public"), ("admin", "store")]
)
def test_instance_is_its_own_user_in_few_groups(plain: Render, instance: str, store: str) -> None:
    unit = settings(plain("systemd/instance@.service.j2", instance=instance, instance_store=store))
    assert unit["User"] == [f"gazette-{instance}"]
    assert unit["Group"] == [f"gazette-{instance}-http"]
    # The store's group is what lets an instance, and only that one, at its sessions.
    assert unit["SupplementaryGroups"] == [f"gazette gazette-{store}" if store else "gazette"]
    assert unit.get("Wants", []) == ([f"gazette-{store}.service"] if store else [])
    assert unit["After"][0].split()[1:] == ([f"gazette-{store}.service"] if store else [])


@pytest.mark.parametrize("kind", ["redis", "valkey", "memcached"])
def test_two_stores_have_nothing_in_common(plain: Render, kind: str) -> None:
    """Whoever is in one's group has no way to the other: user, group, folders, command."""
    unit, other = (
        settings(plain("systemd/store.service.j2", store_name=name, session_store=kind))
        for name in ("store", "public")
    )
    assert other["User"] == other["Group"] == ["gazette-public"]
    for name in ("User", "Group", "ExecStart", "ReadWritePaths", "SyslogIdentifier"):
        assert set(unit[name]).isdisjoint(other[name]), name
    # ... and are confined in the same way.
    own = {"User", "Group", "ExecStart", "ReadWritePaths", "Description", "SyslogIdentifier"}
    kept = {*unit} - own
    assert {name: unit[name] for name in kept} == {name: other[name] for name in kept}


def test_what_the_unit_says_of_the_settings_module_comes_with_the_release(plain: Render) -> None:
    unit = settings(plain("systemd/instance@.service.j2", site_directory="src/"))
    assert "DJANGO_SETTINGS_MODULE=split_admin" in unit["Environment"]
    release = "/srv/gazette/releases/%i"
    assert f"PYTHONPATH={release}/settings:{release}/src/src" in unit["Environment"]
    assert unit["WorkingDirectory"] == [f"{release}/src/src"]
    [start] = unit["ExecStart"]
    assert shlex.split(start)[0] == f"{release}/venv/bin/gunicorn"
    assert "unix:/run/gazette/admin/admin-%i.sock" in start


def test_purge_may_do_no_more_than_the_admin_whose_user_it_is(plain: Render) -> None:
    purge = settings(plain("systemd/purge.service.j2"))
    admin = settings(plain("systemd/instance@.service.j2", instance="admin"))
    for name in ("User", "Group", "SupplementaryGroups", "UMask"):
        assert purge[name] == admin[name]
    kept = {name for name in admin if name.startswith(("Protect", "Private", "Restrict", "System"))}
    kept |= {"NoNewPrivileges", "CapabilityBoundingSet", "LockPersonality"}
    kept -= {"Restart", "RestartSec"}
    assert {name: purge.get(name) for name in kept} == {name: admin[name] for name in kept}
    assert set(purge["ReadWritePaths"]) < set(admin["ReadWritePaths"])
    # What it starts with is the release that serves then, not one of the deploy that wrote it.
    assert "releases" not in plain("systemd/purge.service.j2")


def test_purge_has_no_hour_of_its_own_and_misses_none(plain: Render) -> None:
    timer = settings(plain("systemd/purge.timer.j2"))
    assert timer["OnCalendar"] == ["daily"]
    assert timer["Persistent"] == ["yes"]
    assert timer["RandomizedDelaySec"] == ["3h"]


def test_directories_of_sockets_belong_to_nobodys_unit(plain: Render) -> None:
    """Stopping one of two releases would delete the other's socket."""
    for template, changed in UNITS.values():
        assert "RuntimeDirectory" not in settings(plain(template, **changed))


@pytest.mark.parametrize("instance", ["main", "admin"])
def test_socket_path_fits_with_the_longest_name(plain: Render, instance: str) -> None:
    unit = settings(plain("systemd/instance@.service.j2", instance=instance, site_name="a" * 20))
    words = shlex.split(unit["ExecStart"][0])
    path = words[words.index("--bind") + 1].removeprefix("unix:").replace("%i", "0" * 12)
    assert len(path) <= 107


def test_tmpfiles_and_the_start_script_make_the_same_directories(plain: Render) -> None:
    texts = [plain("systemd/tmpfiles.conf.j2")]
    texts += [plain("systemd/store.tmpfiles.conf.j2", store_name=s) for s in ("store", "public")]
    lines = [line.split() for text in texts for line in text.splitlines()]
    by_tmpfiles = {tuple(line[1:5]) for line in lines if line and line[0] == "d"}
    script = plain("supervisor/start.sh.j2").replace("$site", "gazette")
    found = re.findall(r"(?m)(?:^|\|\| )(directory .*)", script)
    # The loop over the stores, each if its user is there.
    assert "for store in store public; do" in script
    found = [c.replace("$store", s) for c in found for s in ("store", "public")]
    calls = [shlex.split(line) for line in dict.fromkeys(found)]
    by_script = {(path, mode, user, group) for _, mode, user, group, path in calls}
    assert by_tmpfiles
    assert by_tmpfiles <= by_script
    extra = {path for path, *_ in by_script - by_tmpfiles}
    assert extra == {"/run/gazette/pids", "/var/log/django-split/gazette"}


@pytest.mark.parametrize(
    ("setting", "template"),
    [
        ("TimeoutStopSec", "systemd/instance@.service.j2"),
        ("stopwaitsecs", "supervisor/instance.program.j2"),
    ],
)
def test_request_in_flight_is_waited_for(plain: Render, setting: str, template: str) -> None:
    """gunicorn gives it instance_timeout seconds; who kills earlier has dropped it."""
    unit = settings(plain(template, instance_timeout=90))
    assert int(unit[setting][0]) > 90
