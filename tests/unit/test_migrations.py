"""A release says which migrations it has and which the database has, in any release's Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from django_split import migrations

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "news"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    replaces = REPLACES
    dependencies = []
    operations = []
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "settings.py").write_text(SETTINGS)
    folder = tmp_path / "news" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "news" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "0001_a.py").write_text(MIGRATION.replace("REPLACES", "[]"))
    return tmp_path


def run(site: Path, *words: str) -> str:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=site,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def told(site: Path) -> dict[str, Any]:
    # As the playbook gives it to a release that was built before it was written.
    found: dict[str, Any] = json.loads(run(site, "-c", Path(migrations.__file__).read_text()))
    return found


def test_what_is_here_and_what_was_applied(site: Path) -> None:
    assert told(site)["applied"] == []
    run(site, "-m", "django", "migrate", "-v0")
    squashed = MIGRATION.replace("REPLACES", '[("news", "0001_a")]')
    (site / "news" / "migrations" / "0001_s.py").write_text(squashed)
    said = told(site)
    assert said["here"]["news.0001_a"] == []
    assert said["here"]["news.0001_s"] == ["news.0001_a"]
    assert {name for name in said["applied"] if name.startswith("news")} == {"news.0001_a"}
