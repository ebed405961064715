"""The table of variables and those who use them agree."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from .conftest import ROOT

from preflight_checks import table  # isort: skip

SPECS = ROOT / "roles" / "preflight" / "meta" / "argument_specs.yml"
TABLE = table.read_table(SPECS)
DEFAULTED = re.compile(
    r"""\b([a-z_]+)\s*\|\s*default\(\s*('[^']*'|"[^"]*"|\d+|\[\]|\{\}|[Tt]rue|[Ff]alse)\s*\)"""
)


def uses() -> list[tuple[str, str, str]]:
    """Every ``NAME | default(LITERAL)`` of the repository where NAME is in the table."""
    result = []
    for folder in ("playbooks", "roles", "templates", "inventory"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and file.suffix in (".yml", ".yaml", ".j2"):
                for name, literal in DEFAULTED.findall(file.read_text()):
                    if name in TABLE:
                        result.append((str(file.relative_to(ROOT)), name, literal))
    return result


def test_a_default_that_is_repeated_elsewhere_is_the_tables() -> None:
    for file, name, literal in uses():
        value = ast.literal_eval(literal.capitalize() if literal in ("true", "false") else literal)
        # {} is what the playbooks lay over the default.
        assert value in (TABLE[name].default, {}), (file, name)


def test_what_the_playbooks_take_from_an_inventory_is_in_the_table() -> None:
    """Or preflight would call it a misspelling."""
    # Not an attribute of something else, as the plan's `proxy.admin_logins`.
    asked = re.compile(
        r"(?<![.\w])((?:site|admin|main|session|proxy|public)_[a-z_]+)\s*\|\s*default\("
    )
    for folder in ("playbooks", "roles"):
        for file in sorted((ROOT / folder).rglob("*.yml")):
            for name in asked.findall(file.read_text()):
                assert name in TABLE, file


def test_the_roles_own_defaults_are_those_of_its_specification() -> None:
    options = yaml.safe_load(SPECS.read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROOT / "roles/preflight/defaults/main.yml").read_text())
    assert defaults == {name: row["default"] for name, row in options.items()}


@pytest.mark.parametrize("row", TABLE.values(), ids=list(TABLE))
def test_every_variable_is_described_and_has_a_default_or_is_required(row: table.Variable) -> None:
    spec = yaml.safe_load(SPECS.read_text())["argument_specs"]["variables"]["options"][row.name]
    assert spec["description"].strip().endswith((".", ")."))
    assert row.required != ("default" in spec)
    assert row.name.startswith(table.PREFIXES + table.SHARED_PREFIXES)
