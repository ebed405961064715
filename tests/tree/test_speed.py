"""What a tree costs. Prints the seconds, asserts only that the runs did what they should.

Two cores that were busy with other work, connection local, 30 templates, the whole run of
ansible-playbook: 4.0 s as one tree (second run 5.4 s), 37.1 s as thirty template tasks (second
run 44.0 s). `pytest -s tests/tree/test_speed.py` prints today's figures, for ten files.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from .conftest import Host, Play

FILES = 10


@pytest.mark.slow
def test_files_as_one_tree_and_as_a_task_each(play: Play, host: Host) -> None:
    names = [f"etc/{number}.conf" for number in range(FILES)]
    (play.directory / "templates" / "a.j2").write_text("listen {{ listen_port }};\n" * 50)
    tree: dict[str, Any] = {
        "split_tree": {
            "manifest": str(host.manifest()),
            "manifests_root": str(host.manifests),
            "templates": str(play.directory / "templates"),
            "files": [
                {"template": "a.j2", "path": host.path(name), "mode": "0644"} for name in names
            ],
        }
    }
    template = {
        "template": {"src": "a.j2", "dest": "{{ item }}", "mode": "0644"},
        "loop": [host.path(name.replace("etc", "tasks")) for name in names],
    }
    (play.directory / "host" / "tasks").mkdir()
    runs = [
        ("one tree", tree, "changed=1"),
        ("one tree again", tree, "changed=0"),
        ("a template task each", template, "changed=1"),
    ]
    for what, task, expected in runs:
        started = time.monotonic()
        ran = play([task], listen_port=8080)
        print(f"{FILES} files, {what}: {time.monotonic() - started:.1f} s")
        assert expected in ran.stdout, ran.stdout + ran.stderr
