"""Runs a module as Ansible does: its own process, JSON in, JSON out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.plugins import PLUGINS, REPOSITORY

RunModule = Callable[..., dict[str, Any]]


@pytest.fixture
def run_module() -> RunModule:
    """`run_module("split_release", home=…)` on this machine; the result as Ansible would register
    it.
    """

    def run(name: str, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "ansible",
                "adhoc",
                "localhost",
                "-i",
                "localhost,",
                "-c",
                "local",
                "-m",
                name,
                "-a",
                json.dumps(arguments),
                *(["--check"] if check else []),
            ],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "ANSIBLE_LIBRARY": str(PLUGINS / "modules"),
                "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_FORCE_COLOR": "0",
                "ANSIBLE_NOCOLOR": "1",
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        _, _, answer = ran.stdout.partition("=> ")
        assert answer, ran.stdout + ran.stderr
        decoded: dict[str, Any] = json.JSONDecoder().raw_decode(answer)[0]
        return decoded

    return run
