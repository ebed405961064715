"""Roles say what they take, and the specification and the defaults name the same variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (REPOSITORY / "roles").iterdir() if path.is_dir())
# Given by the play that uses the role, which has no default to offer.
WITHOUT_DEFAULT = {
    "instance": {"instance_name"},
    "release": {"release_back", "release_migrations", "release_moment"},
    "sessions": {"sessions_command", "sessions_options", "sessions_last"},
}


def read(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text()) if path.exists() else None
    return content or {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_default_is_specified_and_every_option_has_a_default(role: Path) -> None:
    specs = read(role / "meta" / "argument_specs.yml")["argument_specs"]
    specified = {
        name
        for point, spec in specs.items()
        if not (role.name == "preflight" and point == "variables")
        for name in spec.get("options") or {}
    }
    defaults = set(read(role / "defaults" / "main.yml")) | WITHOUT_DEFAULT.get(role.name, set())
    assert specified == defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_names_begin_with_the_roles_own(role: Path) -> None:
    for name in read(role / "defaults" / "main.yml") | read(role / "vars" / "main.yml"):
        assert name.removeprefix("__").startswith(role.name + "_"), name


def test_every_variable_of_an_operator_that_a_role_reads_is_in_the_table() -> None:
    table = read(REPOSITORY / "roles" / "preflight" / "meta" / "argument_specs.yml")
    known = set(table["argument_specs"]["variables"]["options"])
    used: dict[str, str] = {}
    places = [*(REPOSITORY / "roles").rglob("*.yml"), *(REPOSITORY / "playbooks").rglob("*.yml")]
    for place in places:
        if place.parts[-3:-1] == ("preflight", "meta"):
            continue
        for line in place.read_text().splitlines():
            code = line.split("#")[0]
            for name in re.findall(
                r"(?<![\w./~'-])(?:site|admin|main|session|proxy|public)_[a-z_]+\b(?!['.:(=])", code
            ):
                used.setdefault(name, str(place.relative_to(REPOSITORY)))
    assert {name: place for name, place in used.items() if name not in known} == {}


@pytest.mark.parametrize(
    "inventory", sorted((REPOSITORY / "inventory").iterdir()), ids=lambda path: path.name
)
def test_inventories_say_only_what_the_table_knows(inventory: Path) -> None:
    table = read(REPOSITORY / "roles" / "preflight" / "meta" / "argument_specs.yml")
    known = set(table["argument_specs"]["variables"]["options"])
    assert set(read(inventory / "group_vars" / "all.yml")) <= known


def test_a_requirement_has_no_source_to_unpack() -> None:
    """tar refuses an archive without a file, and a site that is a requirement packs none."""
    found = [
        task
        for file in (REPOSITORY / "roles" / "release" / "tasks").glob("*.yml")
        for task in _flat(yaml.safe_load(file.read_text()))
        if "release_packed" in task.get("ansible.builtin.unarchive", {}).get("src", "")
    ]
    assert [task["when"] for task in found] == ["release_kind != 'requirement'"]


def _flat(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        yield from _flat(task.get("block", []))
