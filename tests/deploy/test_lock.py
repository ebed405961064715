"""One deploy of a site at a time, and a lock that never outlives its run for long.

Real runs of ansible-playbook against this machine, which keeps the lock in /run.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.plugins import REPOSITORY

from . import writing

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who keeps locks in /run")

PLAYBOOKS = REPOSITORY / "playbooks"
# Long enough to be in the way of a test that waits for it.
LONG = 60


@dataclass
class Site:
    """A site without anything but a lock, and runs that hold it."""

    name: str
    folder: Path

    @property
    def lock(self) -> Path:
        return Path("/run/django-split") / self.name

    def start(self, play: str, *words: str) -> subprocess.Popen[str]:
        """Start a run of ``play``: the lock, then what the text says."""
        path = self.folder / f"{secrets.token_hex(4)}.yml"
        path.write_text(play)
        return subprocess.Popen(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                *("-i", self.folder / "hosts", path, *words),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "LC_ALL": "C.UTF-8", "SUDO_USER": "ada"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, play: str, *words: str) -> tuple[int, str]:
        return ended(self.start(play, *words))

    def reached(self, mark: str) -> Path:
        """Wait until a run has made a file."""
        file = self.folder / mark
        until(file.exists)
        return file

    def holder(self) -> dict[str, str]:
        return dict(json.loads((self.lock / "holder.json").read_text()))

    def keeper(self, run: subprocess.Popen[str]) -> int:
        """The process on the controller that renews the lock: the run's command once more."""
        own = Path(f"/proc/{run.pid}/cmdline").read_bytes()
        others = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                parent = int(each.with_name("stat").read_text().rpartition(")")[2].split()[1])
                if each.read_bytes() == own and parent == 1:
                    others.append(int(each.parent.name))
            except OSError:
                continue
        [keeper] = others
        return keeper


def until(reached: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not reached():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def ended(run: subprocess.Popen[str]) -> tuple[int, str]:
    said = run.communicate(timeout=90)[0]
    return run.returncode, said


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    name = f"lock-{secrets.token_hex(4)}"
    (tmp_path / "hosts").write_text(
        "[admin]\nlocalhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"
        f"[all:vars]\nsite_name={name}\n"
    )
    yield Site(name, tmp_path)
    # Who holds it may be ending just now, and takes its folder away itself.
    folder = Path("/run/django-split") / name
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(json.loads((folder / "holder.json").read_text())["pid"], signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def play(*tasks: str, lease: float | None = None) -> str:
    """The playbook's own lock, or one with a shorter lease; then tasks."""
    if lease is None:
        taken = f"- import_playbook: {PLAYBOOKS}/lock.yml\n"
    else:
        taken = (
            "- hosts: all\n  gather_facts: false\n  tasks:\n"
            f"    - split_lock: {{state: taken, site: '{{{{ site_name }}}}', lease: {lease}, "
            "renewal: 0.2}\n      register: taken\n"
            "    - set_fact: {split_lock: '{{ taken.lock }}'}\n"
        )
    return (
        taken
        + "- hosts: all\n  gather_facts: false\n  tasks:\n"
        + "".join(f"    - {task}\n" for task in tasks)
    )


def shell(text: str) -> str:
    return f"shell: {json.dumps(text)}"


HELD = (
    "split_lock: {state: held, site: '{{ site_name }}', release: 3f2a1b, "
    'lock: "{{ split_lock }}"}'
)


def test_a_second_run_is_refused_at_once_and_told_whose_the_first_is(site: Site) -> None:
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(HELD, goes_on))
    try:
        site.reached("on")
        until(lambda: (site.lock / "renewed").read_text() == "3f2a1b")
        begun = time.monotonic()
        code, said = site.run(play(shell(f"touch {site.folder}/second")))
        assert time.monotonic() - begun < 20
    finally:
        (site.folder / "stop").touch()
        assert ended(first)[0] == 0
    assert code != 0
    assert not (site.folder / "second").exists()
    assert f"{site.name} is being deployed already: by ada@{os.uname().nodename} since 20" in said
    assert ".yml, release 3f2a1b. Nothing has been changed." in said
    assert "ansible-playbook playbooks/unlock.yml" in said


@pytest.mark.parametrize("end", ["ping:", "fail:"])
def test_the_lock_ends_with_the_run_and_leaves_nothing(site: Site, end: str) -> None:
    code, _ = site.run(play(end))
    assert (code == 0) is (end == "ping:")
    until(lambda: not site.lock.exists(), 5)
    assert site.run(play("ping:"))[0] == 0


def test_of_several_at_once_one_goes_on(site: Site) -> None:
    goes_on = shell(
        f"echo x >>{site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done"
    )
    runs = [site.start(play(goes_on)) for _ in range(3)]
    until(lambda: sum(run.poll() is not None for run in runs) == 2, 60)
    site.reached("on")
    (site.folder / "stop").touch()
    assert sorted(ended(run)[0] != 0 for run in runs) == [False, True, True]
    assert (site.folder / "on").read_text() == "x\n"


def test_a_killed_run_lets_go_once_its_last_task_has_ended(site: Site) -> None:
    """Not after the lease: whoever runs the same command again is not to wait."""
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, lease=LONG))
    site.reached("on")
    first.kill()
    first.wait()
    code, _ = site.run(play("ping:"))
    assert code != 0, "the killed run's task still changes the host"
    (site.folder / "stop").touch()
    until(lambda: not site.lock.exists(), 10)
    assert site.run(play("ping:"))[0] == 0
    first.communicate()


def test_a_run_that_is_killed_while_it_takes_the_lock_lets_go(site: Site) -> None:
    for seconds in (0, 0.1, 0.3):
        first = site.start(play("ping:", lease=LONG))
        until(site.lock.exists)
        time.sleep(seconds)
        first.kill()
        first.communicate()
        until(lambda: not site.lock.exists(), 15)


def test_a_lock_that_nobody_renews_ends_with_its_lease(site: Site) -> None:
    """The controller has lost its power, or the network is cut."""
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, HELD, lease=2))
    site.reached("on")
    time.sleep(3)
    assert site.holder(), "renewed, it lives on"
    os.kill(site.keeper(first), signal.SIGKILL)
    until(lambda: not site.lock.exists(), 20)
    (site.folder / "stop").touch()
    ended(first)


def test_who_comes_before_a_silent_lease_is_over_waits_for_it(site: Site) -> None:
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, lease=10))
    site.reached("on")
    os.kill(site.keeper(first), signal.SIGKILL)
    time.sleep(1)
    assert site.run(play("ping:", lease=10))[0] == 0
    (site.folder / "stop").touch()
    ended(first)


def test_a_killed_holder_holds_nothing(site: Site) -> None:
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, lease=LONG))
    site.reached("on")
    os.kill(int(site.holder()["pid"]), signal.SIGKILL)
    assert site.run(play("ping:"))[0] == 0, "what it has left in /run is in nobody's way"
    (site.folder / "stop").touch()
    ended(first)


def test_unlock_ends_it_says_whose_it_was_and_its_run_stops(site: Site) -> None:
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, HELD, shell(f"touch {site.folder}/flipped"), lease=LONG))
    site.reached("on")
    code, said = site.run(f"- import_playbook: {PLAYBOOKS}/unlock.yml\n")
    assert code == 0
    assert f"The lock of ada@{os.uname().nodename} is ended" in said
    time.sleep(1)
    (site.folder / "stop").touch()
    code, said = ended(first)
    assert code != 0
    assert f"This run does not hold the lock of {site.name} any more: it was ended" in said
    assert not (site.folder / "flipped").exists()
    code, said = site.run(f"- import_playbook: {PLAYBOOKS}/unlock.yml\n")
    assert code == 0
    assert f"No deploy of {site.name} held the lock." in said


@pytest.mark.parametrize("another", [False, True])
def test_a_run_whose_lock_is_gone_leaves_the_processes_to_whoever_holds_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, another: bool
) -> None:
    """They ended for this run's migration, or are to see none of the other's just now."""
    monkeypatch.setenv(
        "ANSIBLE_LIBRARY", writing.library(site.folder, split_service=writing.SERVICE)
    )
    first_play = yaml.safe_load((PLAYBOOKS / "instances.yml").read_text())[0]
    # Without the first, which asks the host what there is of the site.
    held = {**first_play, "pre_tasks": first_play["pre_tasks"][1:], "tasks": []}
    held["vars_files"] = [str(PLAYBOOKS / "vars" / "site.yml")]
    worker = {"name": "ticker", "command": "x", "before_migrations": "stop"}
    held["vars"] = {"site_processes": [worker]}
    goes_on = shell(f"touch {site.folder}/on; until test -e {site.folder}/stop; do sleep 0.1; done")
    first = site.start(play(goes_on, lease=LONG) + json.dumps([held])[1:-1].join(("- ", "\n")))
    site.reached("on")
    assert site.run(f"- import_playbook: {PLAYBOOKS}/unlock.yml\n")[0] == 0
    # Its keeper has seen so before another may come.
    time.sleep(1)
    second = None
    if another:
        waits = shell(
            f"touch {site.folder}/other; until test -e {site.folder}/end; do sleep 0.1; done"
        )
        second = site.start(play(waits, lease=LONG))
        site.reached("other")
    (site.folder / "stop").touch()
    code, said = ended(first)
    (site.folder / "end").touch()
    if second:
        assert ended(second)[0] == 0
    assert code != 0
    assert f"This run does not hold the lock of {site.name} any more: it was ended" in said
    assert writing.said(site.folder) == ([] if another else [f"resumed {site.name}-ticker"])


def test_check_mode_takes_no_lock(site: Site) -> None:
    looks = f"command: ls {site.lock}\n      check_mode: false"
    code, said = site.run(play(looks), "--check")
    assert code != 0
    assert "No such file or directory" in said


def test_a_playbook_within_a_playbook_goes_on_with_the_same_lock(site: Site) -> None:
    again = f"- import_playbook: {PLAYBOOKS}/lock.yml\n"
    assert site.run(again + play(HELD))[0] == 0


def test_a_name_that_is_none_is_left_to_preflight(site: Site) -> None:
    (site.folder / "run").mkdir()
    code, _ = site.run(play("ping:"), "-e", f"site_name=../..{site.folder}/run")
    assert code == 0
    assert not list((site.folder / "run").iterdir())
