"""A power cut behind a step leaves what the next step stands on.

The disk is a file system in a file. What the kernel still holds back of it is not in the file: a
copy, mounted, is what a host finds that comes up again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support.plugins import REPOSITORY, load

instance = load("modules", "split_instance")
managers: Any = load("module_utils", "split_service")

OLD, NEW = "s-main@01d", "s-main@2e0"
UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
Moment = Callable[[str], None]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


class Disk:
    def __init__(self, folder: Path) -> None:
        self.image, self.place, self.found = folder / "disk", folder / "now", folder / "found"
        for each in (self.place, self.found):
            each.mkdir(parents=True)
        with self.image.open("wb") as image:
            image.truncate(8_000_000)
        run("mkfs.ext4", "-q", self.image)
        mounted = run("mount", "-o", "loop", self.image, self.place)
        if mounted.returncode != 0:
            pytest.skip(f"no file system in a file can be mounted here: {mounted.stderr.strip()}")

    def write(self) -> None:
        run("sync", "--file-system", self.place)

    def cut(self, late: bool) -> Path:
        """What is there behind a power cut: at once, or ``late``, when the file system has written
        its journal, as it does by itself every five seconds, and not yet what is in the files.
        """
        if late:
            with (self.place / "another").open("w") as file:
                os.fsync(file.fileno())
        copy = self.image.with_name("copy")
        shutil.copyfile(self.image, copy)
        assert run("mount", "-o", "loop", copy, self.found).returncode == 0
        return self.found

    def away(self) -> None:
        for each in (self.found, self.place):
            run("umount", "--lazy", each)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    made: list[Disk] = []

    def make(name: str) -> Disk:
        if os.geteuid() != 0:
            pytest.skip("needs root, who mounts")
        made.append(Disk(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.away()


def test_what_is_held_back_is_lost(disk: Callable[[str], Disk]) -> None:
    """Or the other tests show nothing."""
    some = disk("some")
    (some.place / "new").write_text("hello")
    (some.place / "new").rename(some.place / "named")
    assert (some.cut(late=True) / "named").read_bytes() == b""


def test_static_files_that_are_there_are_whole(disk: Callable[[str], Disk]) -> None:
    srv = disk("srv")
    arriving, release = srv.place / ".static-arriving", srv.place / "3f2a"
    arriving.mkdir()
    release.mkdir()
    (arriving / "site.css").write_text("body { color: black }")
    tasks = yaml.safe_load((REPOSITORY / "roles/release/tasks/ship_static.yml").read_text())
    block = next(task["block"] for task in tasks if "block" in task)
    [task] = [task for task in block if task["name"] == "Put them in their place"]
    variables = {
        "release_static_arriving": str(arriving),
        "release_path_there": str(release),
        # Who makes the release's folder, which is there.
        "split_build_user": "",
        "split_group": "",
    }
    command = Templar(DataLoader(), variables=variables).template(
        trust_as_template(task["ansible.builtin.shell"]["cmd"])
    )
    assert run("sh", "-c", command).returncode == 0
    found = srv.cut(late=True) / "3f2a" / "static" / "site.css"
    assert found.read_text() == "body { color: black }"


class Cut(Exception):  # noqa: N818
    """The power is gone."""


class Host:
    """/etc and the site's folder on a disk each, and the release that serves."""

    def __init__(self, disk: Callable[[str], Disk]) -> None:
        self.etc, self.srv = disk("etc"), disk("srv")
        self.link = self.srv.place / "live" / "main.sock"
        self.link.parent.mkdir()
        self.manager = self.make()
        self.manager.enable(OLD)
        instance.flip(str(self.link), "/run/s/main/main-01d.sock")
        self.etc.write()
        self.srv.write()

    def make(self) -> Any:
        raise NotImplementedError

    def enabled(self, etc: Path, name: str) -> bool:
        raise NotImplementedError

    def flip_and_cut(self, moment: str) -> None:
        """Up to the power cut right behind a step."""

        def then_cut(name: str, work: Callable[..., None]) -> Callable[..., None]:
            def step(*words: str) -> None:
                work(*words)
                if name == moment:
                    raise Cut

            return step

        for name in ("enable", "disable"):
            setattr(self.manager, name, then_cut(name, getattr(self.manager, name)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(instance, "DRAIN_SECONDS", 0)
            patch.setattr(instance, "flip", then_cut("flip", instance.flip))
            target = "/run/s/main/main-2e0.sock"
            with pytest.raises(Cut):
                instance.give(self.manager, NEW, [OLD], str(self.link), target)


class SupervisorHost(Host):
    def make(self) -> Any:
        manager = managers.Supervisor("s")
        for name in ("programs", "active"):
            (self.etc.place / name).mkdir()
            setattr(manager, name, str(self.etc.place / name))
        (self.etc.place / "programs" / "s-main@.conf").write_text("[program:s-main@@RELEASE@]\n")
        return manager

    def enabled(self, etc: Path, name: str) -> bool:
        file = etc / "active" / f"{name}.conf"
        return file.exists() and file.read_text() == f"[program:{name}]\n"


class SystemdHost(Host):
    def make(self) -> Any:
        root = self.etc.place
        units = root / "etc" / "systemd" / "system"
        units.mkdir(parents=True)
        (units / "s-main@.service").write_text(UNIT)
        managers.UNIT_DIRECTORY = str(units)

        class Offline(managers.Systemd):  # type: ignore[misc]  # loaded by its path
            """Its files, and nothing that runs."""

            def _systemctl(self, *words: str, **how: object) -> str:
                return super()._systemctl(f"--root={root}", *words)  # type: ignore[no-any-return]

        return Offline()

    def enabled(self, etc: Path, name: str) -> bool:
        wants = etc / "etc" / "systemd" / "system" / "multi-user.target.wants"
        return (wants / f"{name}.service").is_symlink()


@pytest.mark.parametrize("late", ["etc", "srv"])
@pytest.mark.parametrize("moment", ["enable", "flip", "disable"])
@pytest.mark.parametrize("kind", [SystemdHost, SupervisorHost])
def test_the_release_that_the_link_names_comes_back(
    disk: Callable[[str], Disk],
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Host],
    moment: str,
    late: str,
) -> None:
    monkeypatch.setattr(managers, "UNIT_DIRECTORY", managers.UNIT_DIRECTORY)
    host = kind(disk)
    host.flip_and_cut(moment)
    etc, srv = (each.cut(late == name) for name, each in (("etc", host.etc), ("srv", host.srv)))
    named = (srv / "live" / "main.sock").readlink().stem.rpartition("-")[2]
    assert host.enabled(etc, f"s-main@{named}")
