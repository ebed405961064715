"""Runs a module as on a host: the system's Python, a process of its own, JSON in, JSON out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible
import pytest

from tests.support.plugins import PLUGINS

RunModule = Callable[..., dict[str, Any]]

# Ansible's own way to debug a module. A run of `ansible` takes ten times as long, and on a busy
# machine longer than a test waits; how it packs a module is seen by every test that has a host.
LAUNCH = """
import runpy, sys
packages, ours, module = sys.argv.pop(), sys.argv.pop(), sys.argv.pop()
sys.path.append(packages)
import ansible.module_utils
ansible.module_utils.__path__.append(ours)
runpy.run_path(module, run_name="__main__")
"""
PACKAGES = str(Path(ansible.__file__).parents[1])


@pytest.fixture
def run_module() -> RunModule:
    """`run_module("split_release", home=…)` on this machine; the result as Ansible would register
    it.
    """

    def run(name: str, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
        module = str(PLUGINS / "modules" / f"{name}.py")
        given = {**arguments, "_ansible_check_mode": check}
        ran = subprocess.run(
            [
                "/usr/bin/python3",
                "-I",
                "-c",
                LAUNCH,
                module,
                str(PLUGINS / "module_utils"),
                PACKAGES,
            ],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ran.stdout.startswith("\n{"), ran.stdout + ran.stderr
        decoded: dict[str, Any] = json.loads(ran.stdout)
        return decoded

    return run
