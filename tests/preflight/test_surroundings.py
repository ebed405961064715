"""Room, clock, locale, name: what a host has around a site is looked at, and told with its mend."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.plugins import load

from .conftest import Preflight
from .test_host import UP

Namespace = Callable[[str], tuple[str, ...]]

# The end of /etc/os-release, for a host that is another Debian.
DEBIAN_12 = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


@pytest.fixture
def around() -> ModuleType:
    looked: ModuleType = load("modules", "split_preflight").surroundings
    return looked


def test_a_disk_that_cannot_take_so_many_files_is_refused(
    preflight: Preflight, own_namespace: Namespace
) -> None:
    full = own_namespace(f"{UP}\nmount -t tmpfs -o size=600m,nr_inodes=900 none /srv")
    told = preflight(under=full).problem("/srv has room for 89")
    assert "more files (inodes), and a release has up to 25000" in told
    assert "preflight_disk_inodes" in told
    assert preflight({"preflight_disk_inodes": 0}, under=full).code == 0


def test_where_the_release_is_tried_needs_room_too(
    preflight: Preflight, own_namespace: Namespace
) -> None:
    full = own_namespace(f"{UP}\nmount -t tmpfs -o size=20m none /var/lib")
    told = preflight(under=full).problem("/var/lib has 20 MB free")
    assert "du -xh /var/lib" in told


def test_a_large_site_needs_twice_of_what_it_has(around: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "release" / "src").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    # A virtualenv that releases share counts as one of its own.
    (tmp_path / "release" / "venv").symlink_to(tmp_path / "shared")
    for place in ("release/src", "shared"):
        (tmp_path / place / "large").write_bytes(b"x" * 3_000_000)
    size, files = around.measured(str(tmp_path / "release"))
    assert 6_000_000 <= size < 6_500_000
    assert files == 4  # two files, src, and the link
    assert around.measured(str(tmp_path / "nowhere")) == (0, 0)


def test_a_large_site_is_refused_by_what_it_has(
    around: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "measured", lambda folder: (10**18, 10**12))
    seen = around.Seen()
    around.room(seen, 1, 1, "/srv/gazette/current")
    wanted = [each["what"].rpartition("up to ")[2] for each in seen.problems]
    assert "2000000000000 MB" in wanted


@pytest.mark.parametrize(
    ("off", "told"),
    [(7300, "2 hours ahead of"), (-90, "90 seconds behind"), (3 * 86400, "3 days ahead of")],
)
def test_a_clock_that_is_wrong_is_told(around: ModuleType, off: int, told: str) -> None:
    seen = around.Seen()
    around.clock(seen, time.time() - off, 60)
    assert told.split(" ", 1)[1] in seen.problems[0]["what"]
    assert "timedatectl set-ntp true" in seen.problems[0]["mend"]


def test_a_clock_within_reason_is_right(around: ModuleType) -> None:
    seen = around.Seen()
    around.clock(seen, time.time() - 40, 60)
    around.clock(seen, time.time() - 4000, 0)
    assert seen.problems == []


@pytest.mark.slow
def test_the_hosts_clock_is_compared_with_the_one_here(preflight: Preflight) -> None:
    told = preflight({"preflight_clock_seconds": -1}).problem("the host's clock is ")
    assert "preflight_clock_seconds" in told


def test_a_clock_that_nobody_keeps_is_a_remark(
    around: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "command", lambda *words: int("chrony" not in words))
    seen = around.Seen()
    around.time_kept(seen)
    assert seen.remarks == []
    monkeypatch.setattr(around, "command", lambda *words: 3)
    around.time_kept(seen)
    assert "systemd-timesyncd, chrony or ntpsec" in seen.remarks[0]
    # A container's clock is its host's.
    monkeypatch.setattr(around, "command", lambda *words: int(words[0] != "systemd-detect-virt"))
    alone = around.Seen()
    around.time_kept(alone)
    assert alone.remarks == []


@pytest.mark.slow
def test_a_host_that_does_not_know_its_own_name_is_told(
    preflight: Preflight, own_namespace: Namespace, tmp_path: Path
) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    (tmp_path / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    line = (
        f"{UP}\nmkdir -p {tmp_path}/etc\ncp -a /etc/. {tmp_path}/etc\n"
        f"cp {tmp_path}/hosts {tmp_path}/nsswitch.conf {tmp_path}/etc\n"
        f"mount --bind {tmp_path}/etc /etc"
    )
    outcome = preflight(under=own_namespace(line))
    assert outcome.code == 0, outcome.message
    assert "does not know its own name" in outcome.output + outcome.warnings


def test_a_host_without_utf8_is_refused(
    around: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No mount takes it away for the module alone: Ansible itself does not start without."""

    def missing(category: int, wanted: str | None = None) -> str:
        if wanted == "C.UTF-8":
            raise around.locale.Error("unsupported locale setting")
        return "C"

    seen = around.Seen()
    around.utf8(seen)
    assert seen.problems == []
    monkeypatch.setattr(around.locale, "setlocale", missing)
    around.utf8(seen)
    assert "no locale C.UTF-8" in seen.problems[0]["what"]
    assert "libc-bin" in seen.problems[0]["mend"]


def test_what_confines_programs_is_said(
    around: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(around, "SYS", str(tmp_path))
    seen = around.Seen()
    assert around.confinement(seen) == {"selinux": "absent", "apparmor": "absent"}
    assert seen.remarks == []
    for path, text in {
        "fs/selinux/enforce": "1",
        "module/apparmor/parameters/enabled": "Y\n",
        "kernel/security/apparmor/profiles": (
            "/usr/sbin/nginx (enforce)\nredis-server (complain)\n/usr/bin/man (enforce)\n"
        ),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert around.confinement(seen) == {"selinux": "enforcing", "apparmor": "enabled"}
    assert [remark.split(" on the host")[0] for remark in seen.remarks] == [
        "SELinux enforces",
        "AppArmor confines /usr/sbin/nginx",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("there", [False, True])
def test_valkey_on_debian_12_is_refused_unless_it_is_there(
    preflight: Preflight, own_namespace: Namespace, tmp_path: Path, there: bool
) -> None:
    (tmp_path / "os-release").write_text(DEBIAN_12)
    (tmp_path / "upper").mkdir()
    (tmp_path / "work").mkdir()
    if there:
        (tmp_path / "upper" / "valkey-server").touch()
    line = (
        f"{UP}\nmount --bind {tmp_path}/os-release $(readlink -f /etc/os-release)\n"
        f"mount -t tmpfs none /mnt\nmkdir /mnt/upper /mnt/work\n"
        f"cp -a {tmp_path}/upper/. /mnt/upper\n"
        "mount -t overlay -o lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work none /usr/bin"
    )
    outcome = preflight({"session_store": "valkey"}, under=own_namespace(line))
    assert (outcome.code == 0) is there, outcome.message
    if not there:
        told = outcome.problem("session_store is valkey, and Debian GNU/Linux 12 (bookworm) has no")
        assert "Set session_store: redis" in told
        assert "group_vars/all.yml" in told
