"""The base is read as the site itself would have it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from django_split import base


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A settings module that nothing has imported yet."""
    name = f"base_{request.node.name}"
    (tmp_path / f"{name}.py").write_text("import os\nDEBUG = True\nother = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_upper_case_values_of_a_plain_module(module: str) -> None:
    assert base.read(module) == {"DEBUG": True}


def test_variable_of_django_configurations_means_nothing_to_a_site_without_it(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(base.CONFIGURATION, "Production")
    monkeypatch.setitem(sys.modules, base.IMPORTER, None)  # as if it were not installed
    before = os.environ.get(base.SETTINGS)
    assert base.read(module) == {"DEBUG": True}
    assert os.environ.get(base.SETTINGS) == before
