"""What every other fleet test counts on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import controller, nspawn, paths
from .cgroups import Cgroup
from .conftest import Boot
from .down import down, kept, names
from .hosts import CommandError, remove
from .images import RELEASES, Release

pytestmark = [pytest.mark.fleet, pytest.mark.soak]

WAYS = [
    pytest.param(release, init, id=f"{release}-{'systemd' if init else 'no-init'}")
    for release in RELEASES
    for init in (True, False)
]
every_way = pytest.mark.parametrize(("release", "init"), WAYS)
every_release = pytest.mark.parametrize("release", RELEASES)


@every_way
def test_a_host_is_the_debian_that_was_asked_for(boot: Boot, release: Release, init: bool) -> None:
    host = boot(release, init=init)
    assert f"VERSION_CODENAME={release}\n" in host.run("cat /etc/os-release").stdout
    assert (host.run("cat /proc/1/comm").stdout.strip() == "systemd") is init
    assert host.run("hostname --fqdn").stdout.strip() == host.name


@every_release
def test_every_unit_of_a_fresh_host_is_well(boot: Boot, release: Release) -> None:
    host = boot(release)
    state = host.run("systemctl is-system-running", check=False).stdout.strip()
    assert state == "running", host.run("systemctl --failed").stdout


@every_way
def test_a_newcomer_has_nothing_that_the_playbook_installs(
    boot: Boot, release: Release, init: bool
) -> None:
    host = boot(release, init=init)
    host.run("command -v git make python3")
    for tool in ("nginx", "redis-server", "memcached", "supervisord", "pip3", "ansible"):
        assert host.run(["which", tool], check=False).returncode != 0, tool
    assert host.run("python3 -c 'import apt'", check=False).returncode != 0
    assert host.run("python3 -c 'import ensurepip'", check=False).returncode != 0


# Each release once and each way once: it is the slowest test here.
@pytest.mark.parametrize(("release", "init"), [WAYS[0], WAYS[3]])
def test_a_newcomer_reaches_the_registries(boot: Boot, release: Release, init: bool) -> None:
    host = boot(release, init=init)
    host.run("apt-get update && apt-get install --yes python3-venv", timeout=300)
    host.run("python3 -m venv /opt/venv && /opt/venv/bin/pip install asgiref", timeout=300)
    host.run("/opt/venv/bin/python -c 'import asgiref'")


@every_way
def test_a_reboot_keeps_the_disk_and_ends_the_processes(
    boot: Boot, release: Release, init: bool
) -> None:
    host = boot(release, init=init)
    host.run("echo kept > /srv/note; echo gone > /run/note")
    before = host.run("cat /proc/sys/kernel/random/boot_id").stdout
    host.reboot()
    assert host.run("cat /srv/note").stdout == "kept\n"
    assert host.run("cat /run/note", check=False).returncode != 0
    assert host.run("cat /proc/sys/kernel/random/boot_id").stdout != before


@every_release
def test_an_enabled_unit_comes_back_after_a_power_cut(boot: Boot, release: Release) -> None:
    host = boot(release)
    unit = "[Service]\nExecStart=/bin/sleep 1d\n[Install]\nWantedBy=multi-user.target\n"
    host.run("cat > /etc/systemd/system/napper.service", stdin=unit.encode())
    host.run("systemctl enable --now napper && sync")
    host.cut_power()
    assert not host.running
    host.start()
    assert host.run("systemctl is-active napper").stdout == "active\n"


@every_release
def test_the_journal_of_a_host_that_is_off_can_be_read(boot: Boot, release: Release) -> None:
    host = boot(release)
    host.run("systemd-run --wait --unit=speaker echo something to say")
    assert "something to say" in host.journal("speaker")
    host.poweroff()
    assert "something to say" in host.journal("speaker")


# What each directive forbids. Some others are accepted and have no effect on a machine with the
# legacy cgroup hierarchy (MemoryMax, TasksMax, IPAddressDeny): test those elsewhere.
FORBIDDEN = {
    "ProtectSystem=strict": "touch /etc/mark",
    "PrivateTmp=yes": "test -e /tmp/outside",
    "NoNewPrivileges=yes": "grep '^NoNewPrivs:.*0' /proc/self/status",
    "PrivateUsers=yes": "grep -q 4294967295 /proc/self/uid_map",
    "PrivateDevices=yes": "test -e /dev/console",
    "ProtectProc=invisible": "test -d /proc/1",
    "ProcSubset=pid": "test -e /proc/meminfo",
    "RestrictNamespaces=yes": "unshare --user true",
    "RestrictAddressFamilies=AF_UNIX": "python3 -c 'import socket; socket.socket(socket.AF_INET)'",
    "SystemCallFilter=~@resources": "python3 -c 'import os; os.sched_setaffinity(0, {0})'",
    "MemoryDenyWriteExecute=yes": "python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7)'",
    "InaccessiblePaths=/srv": "ls /srv",
}


@every_release
def test_hardening_of_units_has_effect_inside(boot: Boot, release: Release) -> None:
    host = boot(release)
    host.run("useradd --system tester && touch /tmp/outside && chmod 777 /etc /srv")
    for directive, forbidden in FORBIDDEN.items():
        unit = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--property=User=tester"]
        shell = ["bash", "-c", forbidden]
        host.run([*unit, *shell])  # what it does without the directive: all is well
        host.run([*unit, f"--property={directive}", "true"])
        tried = host.run([*unit, f"--property={directive}", *shell], check=False)
        assert tried.returncode != 0, f"{directive} did not keep a unit from: {forbidden}"


@every_way
def test_commands_get_words_environment_and_input_unchanged(
    boot: Boot, release: Release, init: bool
) -> None:
    host = boot(release, init=init)
    words = ["$HOME", "${PATH}", "100%", "%n", "a b", "'", '"', "\\", "$$"]
    assert host.run(["printf", "%s\n", *words]).stdout.splitlines() == words
    assert host.run("echo $COLOUR", env={"COLOUR": "a $b %c"}).stdout == "a $b %c\n"
    assert host.run("cat; pwd", stdin=b"given\n", cwd="/srv").stdout == "given\n/srv\n"


@every_way
def test_a_failing_command_says_what_it_printed(boot: Boot, release: Release, init: bool) -> None:
    host = boot(release, init=init)
    with pytest.raises(CommandError, match=r"exits 3\n--- stdout\nout\n\n--- stderr\nerr"):
        host.run("echo out; echo err >&2; exit 3")
    assert host.run("exit 3", check=False).returncode == 3


@every_way
def test_a_late_command_ends_with_its_children(boot: Boot, release: Release, init: bool) -> None:
    host = boot(release, init=init)
    began = time.monotonic()
    with pytest.raises(CommandError, match="not done in 1 s"):
        host.run("setsid sleep 4711 & sleep 4711", timeout=1)
    assert time.monotonic() - began < 15
    assert not [each for each in host.processes().values() if "4711" in each]


@every_way
def test_a_daemon_that_holds_the_output_open_keeps_nobody_waiting(
    boot: Boot, release: Release, init: bool
) -> None:
    host = boot(release, init=init)
    began = time.monotonic()
    assert host.run("sleep 4712 & echo started", timeout=30).stdout == "started\n"
    assert time.monotonic() - began < 15
    # systemd takes a unit's last processes away, a container keeps them. The shell's child may not
    # have become the sleep yet.
    deadline = time.monotonic() + 10
    while (left := "sleep 4712" in host.processes().values()) is init:
        assert time.monotonic() < deadline, host.processes()
        time.sleep(0.1)
    assert left is not init


def test_a_command_has_no_more_rights_than_process_1(boot: Boot) -> None:
    host = boot(init=False)
    rights = "grep CapBnd /proc/{}/status"
    assert host.run(rights.format("self")).stdout == host.run(rights.format(1)).stdout


@every_way
def test_the_clone_is_head_and_nothing_else(
    boot: Boot, release: Release, init: bool, stray: Path
) -> None:
    host = boot(release, init=init)
    host.clone_repo()
    git = "git -C /root/django-split "
    head = ["git", "-C", str(paths.REPOSITORY), "rev-parse", "HEAD"]
    assert host.run(f"{git} rev-parse HEAD").stdout == subprocess.check_output(head, text=True)
    assert host.run(f"{git} status --porcelain").stdout == ""
    assert host.run(["test", "-e", f"/root/django-split/{stray.name}"], check=False).returncode
    assert host.run("stat --format=%U /root/django-split").stdout == "root\n"


@pytest.fixture
def stray() -> Iterator[Path]:
    """A file in the work tree that nobody committed."""
    path = paths.REPOSITORY / f".stray-{os.getpid()}.cache"
    path.write_text("not committed\n")
    yield path
    path.unlink()


def test_what_one_host_writes_the_next_does_not_see(boot: Boot) -> None:
    first = boot()
    first.run("touch /srv/mark && rm /etc/debian_version")
    second = boot()
    assert second.run("ls /srv").stdout == ""
    assert second.run("test -e /etc/debian_version").returncode == 0
    # Two at once are two machines.
    assert first.run("cat /etc/machine-id").stdout != second.run("cat /etc/machine-id").stdout


def test_nothing_of_a_removed_host_is_left(boot: Boot) -> None:
    host = boot()
    assert leftovers(host.name)
    with host:
        pass
    assert leftovers(host.name) == []
    remove(host.name)  # twice does no harm


def test_only_hosts_of_ours_can_be_removed() -> None:
    with pytest.raises(ValueError, match="not a host of ours"):
        remove("system.slice")


BOOT_AND_WAIT = """
import time
from tests.fleet.hosts import Host
from tests.fleet.images import Image
with Host.boot(Image("bookworm", "container"), init=False) as host:
    print(host.name, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def other_run() -> Iterator[subprocess.Popen[str]]:
    """Another process that has booted a host, and says its name."""
    process = subprocess.Popen(
        [sys.executable, "-c", BOOT_AND_WAIT],
        cwd=paths.REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_ctrl_c_takes_the_host_down(other_run: subprocess.Popen[str]) -> None:
    assert other_run.stdout is not None
    name = other_run.stdout.readline().strip()
    assert leftovers(name)
    os.killpg(other_run.pid, signal.SIGINT)  # as a terminal does: to all of them
    other_run.wait(60)
    assert leftovers(name) == []


def test_down_removes_the_hosts_of_killed_runs_only(
    boot: Boot, other_run: subprocess.Popen[str]
) -> None:
    mine = boot(init=False)
    assert other_run.stdout is not None
    name = other_run.stdout.readline().strip()
    assert name not in down()
    other_run.kill()
    other_run.wait(60)
    assert name in down()
    assert leftovers(name) == []
    assert mine.run("echo alive").stdout == "alive\n"


def test_hosts_to_play_with_live_until_hosts_down() -> None:
    words = [sys.executable, "-m", "tests.fleet.up", "--no-init"]
    name = subprocess.check_output(words, cwd=paths.REPOSITORY, text=True).partition(":")[0]
    try:
        assert name not in down()  # a test run that begins leaves them alone
        assert Cgroup(name).processes()
        down(lambda each: each == name and kept(each))
        assert leftovers(name) == []
    finally:
        remove(name)


def test_a_machine_without_the_tools_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nspawn.unavailable() is None
    monkeypatch.setenv("PATH", "")
    assert "apt-get install mmdebstrap systemd-container" in str(nspawn.unavailable())


def test_no_directory_of_the_controller_is_passed_to_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CERT", "/somewhere/house.pem")
    monkeypatch.setenv("PIP_FIND_LINKS", "/somewhere/wheels")
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.invalid/simple")
    passed = controller.environment()
    assert passed["PIP_CERT"] == controller.BUNDLE
    assert passed["PIP_INDEX_URL"] == "https://packages.invalid/simple"
    assert "PIP_FIND_LINKS" not in passed


def leftovers(name: str) -> list[str]:
    """Everything on the machine that is a host's of that name."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    found = [line for line in mounts if f"/{name}/" in line]
    found += [f"process {pid}" for pid in Cgroup(name).processes()]
    found += [str(path) for path in Cgroup(name).directories if path.exists()]
    return found + [each for each in names() if each == name]
