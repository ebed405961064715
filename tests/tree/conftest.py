"""A host for a tree to be installed on: a directory of the test's own, with its own manifests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from .plugin import REPOSITORY, action, module


@dataclass
class Host:
    """What the tests do to a host, through the module's own functions."""

    base: Path
    manifests: Path = field(init=False)

    def __post_init__(self) -> None:
        self.manifests = self.base / "var"

    def path(self, name: str) -> str:
        return str(self.base / "host" / name)

    def read(self, name: str) -> str:
        return Path(self.path(name)).read_text()

    def write(self, name: str, text: str) -> None:
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def mode(self, name: str) -> int:
        return os.lstat(self.path(name)).st_mode & 0o7777

    def manifest(self, role: str = "role", site: str = "site") -> Path:
        return self.manifests / site / "manifests" / f"{role}.json"

    def file(self, name: str, content: str, mode: str = "0644", **more: Any) -> dict[str, Any]:
        item = {"path": self.path(name), "kind": "file", "data": content, "mode": mode}
        return {**item, "owner": "root", "group": "root", **more}

    def directory(self, name: str, mode: str = "0755", **more: Any) -> dict[str, Any]:
        item = {"path": self.path(name), "kind": "directory", "data": "", "mode": mode}
        return {**item, "owner": "root", "group": "root", **more}

    def link(self, name: str, target: str) -> dict[str, Any]:
        return {"path": self.path(name), "kind": "link", "data": target}

    def params(self, files: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "manifest": str(self.manifest(more.pop("role", "role"), more.pop("site", "site"))),
            "manifests_root": str(self.manifests),
            "tree": action.pack(files) if files else None,
            "state": "present",
            "force": False,
            "overlay": [],
            "validate": [],
            **more,
        }

    def run(
        self, *files: dict[str, Any], check: bool = False, diff: bool = False, **more: Any
    ) -> dict[str, Any]:
        """One module run; raises TreeError as the module fails."""
        result: dict[str, Any] = module.run(self.params(list(files), **more), check, diff)
        return result

    def remove(self, **more: Any) -> dict[str, Any]:
        return self.run(state="absent", **more)

    def everything(self) -> dict[str, str]:
        """Every path below the host and what is there, to see that nothing else changed."""
        seen = {}
        for folder, directories, files in os.walk(self.base):
            for name in directories + files:
                path = Path(folder, name)
                if path.is_symlink():
                    seen[str(path)] = f"link {path.readlink()}"
                elif path.is_file():
                    seen[str(path)] = f"{path.stat().st_mode:o} {path.read_text()}"
                else:
                    seen[str(path)] = f"{path.stat().st_mode:o}"
        return seen


def changes(result: dict[str, Any], base: Host) -> dict[str, str]:
    """Path (below the host) to change, without the unchanged ones."""
    root = base.path("") + "/"
    return {
        item["path"].removeprefix(root): item["change"]
        for item in result["files"]
        if item["change"] != "unchanged" and item["path"].startswith(root)
    }


def validator(*command: str, **more: Any) -> dict[str, Any]:
    return {"command": list(command), "needs": [], "users": [], "timeout": 20, **more}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    if os.geteuid() != 0:
        pytest.skip("gives files to other users: needs root")
    os.umask(0o022)
    (tmp_path / "host").mkdir()
    yield Host(tmp_path)
    left = [str(path) for path in tmp_path.rglob("*.split-tree")]
    assert left == [], "temporary files were left behind"


@dataclass
class Play:
    """Runs ansible-playbook for real, on this machine, with the repository's ansible.cfg."""

    directory: Path
    python: str = "/usr/bin/python3"

    def __call__(
        self, tasks: list[dict[str, Any]], *options: str, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": self.python, **variables},
            "tasks": tasks,
        }
        (self.directory / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return subprocess.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                "-i",
                "localhost,",
                str(self.directory / "play.yml"),
                *options,
            ],
            cwd=REPOSITORY,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def play(tmp_path: Path) -> Play:
    (tmp_path / "templates").mkdir()
    return Play(tmp_path)
