#!/usr/bin/python
"""A virtualenv of a site's requirements, built by an unprivileged user from wheels of its own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_virtualenv
short_description: Build wheels and a virtualenv as a user that owns nothing else
description:
  - pip runs code that others wrote (build back ends, setup.py). It runs here as I(user), never as
    root.
  - Wheels first, then the virtualenv from the wheels alone, so that what was tried is what is
    installed.
options:
  path:
    description: "The folder: I(path)/src is there; wheels/ and venv/ are made."
    type: path
    required: true
  user: {description: Who builds., type: str, required: true}
  group: {description: The group of the files. Without it the user's own., type: str}
  python: {description: The interpreter of the virtualenv., type: path, required: true}
  requirements: {description: Requirement lines of the site., type: list, elements: str}
  requirements_file:
    description: >-
      A requirements file of the site's below src. Without one and without I(requirements), its
      requirements.txt.
    type: str
  directory: {description: The folder of the source that is the project., type: str}
  own:
    description: >-
      What django-split adds: name, pin, floor. The pin is what we ship with; a site that names the
      package itself gets the floor instead, and pip finds what suits both.
    type: list
    elements: dict
  wheel: {description: django-split's own wheel on this host., type: path}
  wheels_from: {description: A folder of wheels that an earlier try has built., type: path}
"""

import grp
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule

OPTIONS = {
    "path": {"type": "path", "required": True},
    "user": {"type": "str", "required": True},
    "group": {"type": "str"},
    "python": {"type": "path", "required": True},
    "requirements": {"type": "list", "elements": "str", "default": []},
    "requirements_file": {"type": "str", "default": ""},
    "directory": {"type": "str", "default": ""},
    "own": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "pin": {"type": "str", "required": True},
            "floor": {"type": "str", "required": True},
        },
    },
    "wheel": {"type": "path"},
    "wheels_from": {"type": "path"},
}


def named(package: str, lines: Iterable[str]) -> bool:
    """Whether requirement lines name ``package``, however they spell it (PEP 503)."""
    wanted = re.sub(r"[-_.]+", "-", package).lower()
    for line in lines:
        found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if found and re.sub(r"[-_.]+", "-", found.group(1)).lower() == wanted:
            return True
    return False


def requirement_lines(path: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines of a requirements file and of those that it includes."""
    with open(path) as file:
        for line in file:
            included = re.match(r"\s*(?:-r|--requirement)[\s=]+(\S+)", line)
            if included:
                other = os.path.join(os.path.dirname(path), included.group(1))
                if other not in seen and os.path.exists(other):
                    yield from requirement_lines(other, (*seen, other))
            else:
                yield line


def requirements_file(source: str, wanted: dict[str, Any]) -> str | None:
    """The requirements file that is meant, said or by convention; None where there is none."""
    if wanted["requirements_file"]:
        return os.path.join(source, wanted["requirements_file"])
    if not wanted["requirements"]:
        for folder in (wanted["directory"], ""):
            file = os.path.join(source, folder, "requirements.txt")
            if os.path.exists(file):
                return file
    return None


def floors(own: list[dict[str, Any]], lines: list[str]) -> str:
    """Where a conflict may come from that the site's own requirements do not show."""
    needs = [each["name"] + each["floor"] for each in own if named(each["name"], lines)]
    return f"django-split itself needs {', '.join(needs)}." if needs else ""


class Builder:
    """Runs commands as the build user, with a home that goes with the build."""

    def __init__(self, module: AnsibleModule, path: str, user: str, group: str | None) -> None:
        self.module = module
        self.path = path
        account = pwd.getpwnam(user)
        self.ids = account.pw_uid, grp.getgrnam(group).gr_gid if group else account.pw_gid
        self.home = os.path.join(path, ".build-home")
        self.folder(self.home)

    def folder(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)
        os.chown(path, *self.ids)

    def _become(self) -> None:
        os.setgroups([self.ids[1]])
        os.setgid(self.ids[1])
        os.setuid(self.ids[0])
        os.umask(0o027)

    def run(self, what: str, *command: str, hint: str = "") -> None:
        environment = {
            name: value
            for name, value in os.environ.items()
            # The operator's own proxies, certificates and indexes count; PYTHON* and virtualenvs do
            # not.
            if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
        }
        environment.update(HOME=self.home, PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=self._become,
            env=environment,
            cwd=self.home,
        )
        if ran.returncode != 0:
            lines = [line for line in ran.stdout.splitlines() if line.strip()]
            self.module.fail_json(
                msg="\n".join(
                    [f"{what} failed: {' '.join(command)}", *lines[-15:], *filter(None, [hint])]
                )
            )


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS)
    wanted = module.params
    path = wanted["path"]
    builder = Builder(module, path, wanted["user"], wanted["group"])
    wheels, venv = os.path.join(path, "wheels"), os.path.join(path, "venv")
    source = os.path.join(path, "src")

    site_lines = list(wanted["requirements"])
    pip_words = list(wanted["requirements"])
    file = requirements_file(source, wanted)
    if file:
        site_lines += requirement_lines(file)
        pip_words += ["-r", file]
    for own in wanted["own"]:
        pip_words.append(own["name"] + own["floor" if named(own["name"], site_lines) else "pin"])
    if wanted["wheel"]:
        pip_words.append(wanted["wheel"])

    shutil.rmtree(venv, ignore_errors=True)
    builder.run("Making the virtualenv", wanted["python"], "-m", "venv", venv)
    pip = os.path.join(venv, "bin", "python"), "-m", "pip"
    if wanted["wheels_from"] and os.path.isdir(wanted["wheels_from"]):
        shutil.rmtree(wheels, ignore_errors=True)
        shutil.copytree(wanted["wheels_from"], wheels)
        for name in ["", *os.listdir(wheels)]:
            os.chown(os.path.join(wheels, name), *builder.ids)
    else:
        builder.folder(wheels)
        builder.run(
            "Collecting the site's requirements",
            *pip,
            "wheel",
            "-q",
            # A package without pyproject.toml is built as any other: the pip of a virtualenv that
            # Debian 12's Python made would ask for a "wheel" that is not there.
            "--use-pep517",
            "-w",
            wheels,
            *pip_words,
            hint=floors(wanted["own"], site_lines),
        )
    offline = ["--no-index", "--find-links", wheels, "--only-binary", ":all:"]
    every = sorted(
        os.path.join(wheels, name) for name in os.listdir(wheels) if name.endswith(".whl")
    )
    # Compiled here: the instances may not write into the release.
    builder.run("Installing the site's requirements", *pip, "install", "-q", *offline, *every)
    shutil.rmtree(builder.home, ignore_errors=True)
    module.exit_json(changed=True, wheels=[os.path.basename(name) for name in every])


if __name__ == "__main__":
    main()
