"""Modules that only write down what they are asked, in place of those that change a host.

For what the roles do with Ansible's own words (rescue, delegate, run once). The modules themselves
have their own tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.plugins import PLUGINS, REPOSITORY

SERVICE = """
from ansible.module_utils.basic import AnsibleModule
words = ("site", "services", "absent", "paused", "resumed")
module = AnsibleModule(argument_spec={word: {"type": "raw"} for word in words})
for word in words:
    with open(SAID, "a") as file:
        for name in module.params[word] or () if word != "site" else ():
            file.write(f"{word} {name}\\n")
module.exit_json(changed=False)
"""
FULL = """
from ansible.module_utils.basic import AnsibleModule
words = ("home", "release", "state", "user", "releases")
module = AnsibleModule(argument_spec={word: {"type": "raw"} for word in words})
module.fail_json(msg="No space left on device")
"""


def library(place: Path, **modules: str) -> str:
    """What ANSIBLE_LIBRARY is to be; each module finds as SAID the file that it writes to."""
    folder = place / "library"
    folder.mkdir()
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(f"SAID = {str(place / 'said')!r}\n{text}")
    return f"{folder}:{PLUGINS}/modules"


def refused(
    place: Path, hosts: dict[str, Any], plays: list[dict[str, Any]], *words: str, **environ: str
) -> str:
    """Run plays that have to fail on a host, and return what Ansible says."""
    (place / "hosts.yml").write_text(json.dumps(hosts))
    (place / "play.yml").write_text(json.dumps(plays))
    ansible = str(Path(sys.executable).with_name("ansible-playbook"))
    ran = subprocess.run(
        [ansible, "-i", str(place / "hosts.yml"), str(place / "play.yml"), *words],
        cwd=REPOSITORY,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    return ran.stdout


def said(place: Path) -> list[str]:
    """What they were asked, in the order in which they were."""
    file = place / "said"
    return file.read_text().splitlines() if file.exists() else []
