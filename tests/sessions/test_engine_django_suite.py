"""What Django itself asks of a session backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.django_source import django_tests
from tests.support.stores import Server
from tests.support.trial import REPOSITORY
from tests.support.virtualenvs import virtualenv

SUITE = Path(__file__).with_name("suite.py")
OTHERS = {
    # Version of Django: of Python, and what is the oldest and newest of redis-py.
    "4.2.30": ("3.10", "redis==5.0.0"),
    "6.1.3": ("3.13", "redis==8.1.0"),
}


def run(python: str, engine: str, server: Server, version: str) -> str:
    folder = django_tests(version, python)
    done = subprocess.run(
        [python, "-W", "error::ResourceWarning", SUITE, engine, server.url, folder],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("engine", ["redis", "redis_db"])
def test_engine_passes_djangos_own_tests(server: Server, engine: str) -> None:
    assert "of Django 5.2.19, 0 skipped" in run(sys.executable, engine, server, "5.2.19")


@pytest.mark.slow
@pytest.mark.parametrize("version", OTHERS)
@pytest.mark.parametrize("engine", ["redis", "redis_db"])
def test_engine_passes_the_tests_of_the_oldest_and_the_newest_django(
    server: Server, engine: str, version: str
) -> None:
    python, redis = OTHERS[version]
    chosen = virtualenv([f"Django=={version}", redis], python)
    assert f"of Django {version}" in run(str(chosen), engine, server, version)
