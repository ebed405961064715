"""The role: one table when all is right, one message when it is not, nothing changed either way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .host import PYTHON, REPOSITORY, Host

pytestmark = pytest.mark.slow


def play(
    host: Host, folder: Path, *more: str, **variables: Any
) -> subprocess.CompletedProcess[str]:
    """Run the role on this machine."""
    given = host.arguments
    names = ("main", "admin", "store", "proxy")
    role = {
        "verify_hosts": given["hosts"],
        "verify_port": given["port"],
        "verify_plain_port": 0,
        "verify_listen": given["listen"],
        "verify_plan": given["plan_file"],
        "verify_here": [],
        "verify_backends": [],
        "verify_sockets": {name: given[f"{name}_socket"] for name in names[:3]},
        "verify_environments": {name: given[f"{name}_env"] for name in names[:2]},
        "verify_users": {name: given[f"{name}_user"] for name in names},
        "verify_strangers": given["strangers"],
        "verify_manage": "",
        "verify_watch": "",
        "verify_session_engine": "redis",
        "verify_database": False,
        "verify_username": given["username"],
        "verify_email": given["email"],
        "verify_password_file": given["password_file"],
        "verify_nginx_test": given["nginx_test"],
        **variables,
    }
    book = [{"hosts": "localhost", "gather_facts": False, "roles": ["verify"], "vars": role}]
    (folder / "verify.yml").write_text(json.dumps(book))
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,"]
    command += ["-c", "local", "-e", f"ansible_python_interpreter={PYTHON}"]
    return subprocess.run(
        [*command, *more, str(folder / "verify.yml")],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_right_host_gets_its_table_and_no_change(host: Host, tmp_path: Path) -> None:
    done = play(host, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
    assert "failed=0" in done.stdout
    assert "✔ a login through nginx works" in done.stdout
    assert "– main cannot write the admin's tables" in done.stdout  # noqa: RUF001
    # A line of the table is a line of the output, not an item of a list that YAML folds
    assert "\n        ✔ main answers its pages" in done.stdout


def test_a_wrong_host_fails_once_and_says_what_was_seen(host: Host, tmp_path: Path) -> None:
    with host.bug("admin_url"):
        done = play(host, tmp_path, verify_login=False)
    assert done.returncode == 2
    assert "failed=1" in done.stdout
    assert done.stdout.count("✘ ") == 1
    assert "\n        ✘ main itself knows no admin URL" in done.stdout
    said = done.stdout[done.stdout.index("fatal: ") :]
    assert "1 of 26 claims about news.example do not hold:\n" in said
    assert "- main itself knows no admin URL; seen: /admin/: 200" in said
    # Only what is wrong: the table has all of it, above
    assert "main answers its pages" not in said


def test_marks_can_be_plain_ascii(host: Host, tmp_path: Path) -> None:
    done = play(host, tmp_path, verify_login=False, verify_marks="ascii")
    assert done.returncode == 0
    assert "ok main answers its pages" in done.stdout
    assert "-- a login through nginx works" in done.stdout
    assert done.stdout.isascii()


def test_check_mode_looks_and_signs_in_nowhere(host: Host, tmp_path: Path) -> None:
    done = play(host, tmp_path, "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "this is check mode" in done.stdout


def test_a_password_given_by_the_operator_is_not_shown(host: Host, tmp_path: Path) -> None:
    done = play(host, tmp_path, "-vvv", verify_password=host.password)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✔ a login through nginx works" in done.stdout
    assert host.password not in done.stdout + done.stderr
