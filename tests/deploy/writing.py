"""Modules that only write down what they are asked, in place of those that change a host.

For what the roles do with Ansible's own words (rescue, delegate, run once). The modules themselves
have their own tests.
"""

from __future__ import annotations

from pathlib import Path

from tests.support.plugins import PLUGINS

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


def said(place: Path) -> list[str]:
    """What they were asked, in the order in which they were."""
    file = place / "said"
    return file.read_text().splitlines() if file.exists() else []
