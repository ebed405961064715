"""`django-split render`: the roles' templates without Ansible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from django_split.cli import main
from django_split.render import Renderer

VARIABLES = {
    "site_name": "paper",
    "site_settings": "paper.settings",
    "plan_path": "/srv/paper/plan.toml",
    "instance": "main",
}
TEMPLATE = "settings/instance.py.j2"


def render(directory: Path, *arguments: str, variables: object = VARIABLES) -> int:
    path = directory / "vars.json"
    path.write_text(json.dumps(variables))
    return main(["render", "--vars", str(path), *arguments])


def test_settings_module_is_python_and_says_who_wrote_it(tmp_path: Path) -> None:
    assert render(tmp_path, TEMPLATE, "--output", str(tmp_path)) == 0
    text = (tmp_path / "settings" / "instance.py").read_text()
    compile(text, "instance.py", "exec")
    assert text.startswith("# Written by django-split for the site paper")
    assert 'base="paper.settings"' in text


def test_without_output_the_text_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tmp_path, TEMPLATE) == 0
    assert capsys.readouterr().out == Renderer().render(TEMPLATE, VARIABLES)


def test_missing_variable_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(tmp_path, TEMPLATE, variables={"site_name": "paper"}) == 1
    assert f"{TEMPLATE}: 'instance' is undefined" in capsys.readouterr().err


def test_unknown_template_is_told_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tmp_path, "nothing.j2") == 1
    said = capsys.readouterr().err
    assert "no template nothing.j2; there are" in said
    assert TEMPLATE in said


def test_yaml_variables_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("yaml")
    path = tmp_path / "vars.yml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in VARIABLES.items()))
    assert main(["render", "--vars", str(path), TEMPLATE]) == 0
    path.write_text("a: [")
    assert main(["render", "--vars", str(path), TEMPLATE]) == 1
    assert "is not valid" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "{"])
def test_bad_variables_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "x.json").write_text(text)
    assert main(["render", "--vars", str(tmp_path / "x.json"), TEMPLATE]) == 1
    assert main(["render", "--vars", str(tmp_path / "none.json"), TEMPLATE]) == 1
    assert capsys.readouterr().err.count("\n") == 2
