"""Runs the role for real: ansible-playbook on this machine, with an inventory of the test's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "playbooks" / "plugins"))

# Ports that nothing else of the tests uses.
PORT = 18711

PLAYBOOK = """
- hosts: all
  gather_facts: false
  roles: [preflight]
  tasks:
    - name: What later roles see
      ansible.builtin.debug:
        var: split_host
"""


@dataclass
class Outcome:
    """How one run of the role ended."""

    code: int
    message: str
    facts: dict[str, Any]
    changed: int
    output: str
    warnings: str

    def problem(self, start: str) -> str:
        """The paragraph of the message that begins so; fails with the whole message without one."""
        for paragraph in self.message.split("\n\n"):
            if paragraph.strip().startswith(start):
                return paragraph.strip()
        raise AssertionError(f"nothing begins with {start!r} in:\n{self.message or self.output}")


def run(folder: Path, *words: str, under: tuple[str, ...] = ()) -> Outcome:
    """``under`` is a command that runs ansible-playbook, such as unshare."""
    (folder / "play.yml").write_text(PLAYBOOK)
    done = subprocess.run(
        [
            *under,
            str(Path(sys.executable).with_name("ansible-playbook")),
            *("-i", "inventory", "play.yml", *words),
        ],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCAL_TEMP": str(folder / ".ansible"),
            "ANSIBLE_REMOTE_TEMP": str(folder / ".ansible"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    start = done.stdout.find("{\n")
    if start < 0:
        raise AssertionError(done.stdout + done.stderr)
    told, _ = json.JSONDecoder().raw_decode(done.stdout[start:])
    results = [
        result
        for play in told["plays"]
        for task in play["tasks"]
        for result in task["hosts"].values()
    ]
    return Outcome(
        code=done.returncode,
        message="".join(result["msg"] for result in results if result.get("failed")),
        facts=next((result["split_host"] for result in results if "split_host" in result), {}),
        changed=sum(stats["changed"] for stats in told["stats"].values()),
        output=done.stdout,
        warnings=done.stderr,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The source of a small site."""
    top = tmp_path / "site"
    (top / "news").mkdir(parents=True)
    (top / "news" / "__init__.py").touch()
    (top / "news" / "settings.py").write_text("SECRET_KEY = 'x'\nINSTALLED_APPS = []\n")
    (top / "requirements.txt").write_text("Django\n")
    return top


Preflight = Callable[..., Outcome]


@pytest.fixture
def preflight(tmp_path: Path, site: Path) -> Preflight:
    """``preflight(variables, *words)``: the role here, with a sound inventory changed so.

    A variable that is None is left out; ``text`` is written below the others as it stands.
    """

    def call(
        variables: dict[str, Any] | None = None,
        *words: str,
        text: str = "",
        under: tuple[str, ...] = (),
    ) -> Outcome:
        sound = {
            "site_name": "pf-news",
            "site_source": str(site),
            "site_settings": "news.settings",
            "site_hosts": ["news.example"],
            "site_port": PORT,
            "proxy_listen": ["127.0.0.1", "[::1]"],
        }
        folder = tmp_path / "inventory" / "group_vars"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "hosts").write_text(
            "localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"
            "[redis]\nlocalhost\n"
        )
        merged = {**sound, **(variables or {})}
        lines = [
            f"{key}: {json.dumps(value)}" for key, value in merged.items() if value is not None
        ]
        (folder / "all.yml").write_text("\n".join([*lines, text]) + "\n")
        return run(tmp_path, *words, under=under)

    return call


@pytest.fixture
def own_namespace() -> Callable[[str], tuple[str, ...]]:
    """A shell line that runs before ansible-playbook, with mounts and a network of its own.

    So a test has a full disk, another system or a taken port, and the machine never sees it.
    """
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare, to give the role a host of its own")

    def prefix(line: str) -> tuple[str, ...]:
        return ("unshare", "--mount", "--net", "sh", "-ec", f'{line}\nexec "$@"', "sh")

    return prefix
