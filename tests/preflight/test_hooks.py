"""Task files of the operator's own are found, read and named before anything changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader

from .conftest import Preflight

from preflight_checks import hooks  # isort: skip


def found(site_hooks: dict[str, object]) -> list[str]:
    values = {"site_hooks": site_hooks}
    return [finding.what for finding in hooks.check(values, DataLoader())]


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    path = tmp_path / "warm.yml"
    path.write_text('- name: Warm\n  ansible.builtin.command: "true"\n')
    return path


@pytest.mark.parametrize("moment", hooks.MOMENTS)
def test_every_moment_takes_a_list_of_tasks(tasks: Path, moment: str) -> None:
    assert found({moment: str(tasks)}) == []


def test_a_moment_that_there_is_not_is_told_the_nearest(tasks: Path) -> None:
    assert "did you mean before_migrate?" in found({"before_migrations": str(tasks)})[0]
    assert "there are before_build, after_build" in found({"sometimes": str(tasks)})[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("- hosts: all\n  tasks: []\n", "a playbook; a hook is its tasks alone"),
        ("name: x\n", "a list of tasks"),
        ("", "a list of tasks"),
        ("- name: [\n", "not YAML"),
    ],
)
def test_what_is_no_list_of_tasks_is_refused(tasks: Path, content: str, told: str) -> None:
    tasks.write_text(content)
    assert told in found({"after_flip": str(tasks)})[0]


def test_a_path_is_whole_and_there(tasks: Path) -> None:
    assert "a whole path, please" in found({"after_flip": "hooks/warm.yml"})[0]
    assert "no such file on this machine" in found({"after_flip": f"{tasks}.not"})[0]
    assert "a whole path, please" in found({"after_flip": ["x"]})[0]


@pytest.mark.slow
def test_a_run_says_where_it_was_set(preflight: Preflight, tasks: Path) -> None:
    outcome = preflight({"site_hooks": {"after_flipp": str(tasks)}})
    problem = outcome.problem("site_hooks has after_flipp")
    assert "did you mean after_flip?" in problem
    assert "all.yml" in problem
