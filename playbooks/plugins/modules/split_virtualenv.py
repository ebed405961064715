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
  - With I(cache) a virtualenv is kept under a name that is a digest of what it is made of, and
    shared by the releases that want the same. Its C(.complete) is written last.
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
  cache: {description: The folder of the virtualenvs that releases share., type: path}
  keep:
    description: >-
      With I(cache), whether I(path)/venv is a link to the one that is kept, which is built when it
      is not there. Otherwise it is a copy of one that is there, or is built for itself alone.
    type: bool
  source_digest:
    description: Names the source; counts where the requirements have a part of it.
    type: str
"""

import grp
import os
import pwd
import shutil
import subprocess
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_flock import HeldError, held
from ansible.module_utils.split_requirements import (
    named,
    requirement_lines,
    requirements_file,
    virtualenv_name,
)

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
    "cache": {"type": "path"},
    "keep": {"type": "bool", "default": False},
    "source_digest": {"type": "str", "default": ""},
}

COMPLETE = ".complete"
# A run that was killed leaves its pip behind, which goes on: wait for it, and use what it made.
WAIT_SECONDS = 600


def floors(own: list[dict[str, Any]], lines: list[str]) -> str:
    """Where a conflict may come from that the site's own requirements do not show."""
    needs = [each["name"] + each["floor"] for each in own if named(each["name"], lines)]
    return f"django-split itself needs {', '.join(needs)}." if needs else ""


class Builder:
    """Runs commands as the build user, with a home that goes with the build."""

    def __init__(
        self, module: AnsibleModule, path: str, user: str, group: str | None, lock: int | None
    ) -> None:
        self.module = module
        self.path = path
        self.lock = lock
        account = pwd.getpwnam(user)
        self.ids = account.pw_uid, grp.getgrnam(group).gr_gid if group else account.pw_gid
        self.home = os.path.join(path, ".build-home")

    def folder(self, path: str) -> None:
        os.makedirs(path, exist_ok=True)
        os.chown(path, *self.ids)

    def give(self, top: str) -> None:
        """All below a folder to who builds."""
        for folder, folders, files in os.walk(top):
            for name in ["", *folders, *files]:
                os.lchown(os.path.join(folder, name), *self.ids)

    def _become(self) -> None:
        os.setgroups([self.ids[1]])
        os.setgid(self.ids[1])
        os.setuid(self.ids[0])
        os.umask(0o027)

    def run(self, what: str, *command: str, hint: str = "") -> None:
        self.folder(self.home)
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
            # Held by pip too, should this process be killed.
            pass_fds=() if self.lock is None else (self.lock,),
        )
        if ran.returncode != 0:
            lines = [line for line in ran.stdout.splitlines() if line.strip()]
            self.module.fail_json(
                msg="\n".join(
                    [f"{what} failed: {' '.join(command)}", *lines[-15:], *filter(None, [hint])]
                )
            )


def build(builder: Builder, wanted: dict[str, Any], source: str) -> None:
    """Make wheels/ and venv/ in the builder's folder."""
    wheels, venv = os.path.join(builder.path, "wheels"), os.path.join(builder.path, "venv")
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
        builder.give(wheels)
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


def wheelhouse(path: str) -> dict[str, Any]:
    """Where the wheels are, for whoever installs the same without the internet, and which."""
    folder = os.path.join(path, "wheels")
    return {"wheelhouse": folder, "wheels": sorted(os.listdir(folder))}


def relinked(link: str, target: str) -> bool:
    """Have ``link`` name ``target``; whether it did not before."""
    if os.path.islink(link) and os.readlink(link) == target:
        return False
    if os.path.isdir(link) and not os.path.islink(link):
        shutil.rmtree(link)
    elif os.path.lexists(link):
        os.unlink(link)
    os.symlink(target, link)
    return True


def shared(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any]:
    """The virtualenv that is kept under its name, built when it is not there, and linked."""
    source = os.path.join(wanted["path"], "src")
    os.makedirs(wanted["cache"], 0o755, exist_ok=True)
    # One build at a time; who is started holds it, too.
    with held(os.path.join(wanted["cache"], ".lock"), WAIT_SECONDS) as lock:
        kept = os.path.join(wanted["cache"], virtualenv_name(wanted, source))
        there = os.path.exists(os.path.join(kept, COMPLETE))
        if not there:
            shutil.rmtree(kept, ignore_errors=True)
            builder = Builder(module, kept, wanted["user"], wanted["group"], lock)
            # As the release: nobody but the instances reads what the site is made of.
            os.makedirs(kept, 0o750)
            builder.folder(kept)
            try:
                build(builder, wanted, source)
                # Or a power cut in the next seconds leaves the mark, and files that are empty.
                module.run_command(["sync", "--file-system", kept], check_rc=True)
            except BaseException:  # fail_json too: what pip said is in its message
                shutil.rmtree(kept, ignore_errors=True)
                raise
            with open(os.path.join(kept, COMPLETE), "w"):
                pass
        # Both where a release has them: who ships it to another host packs its wheels.
        linked = [
            relinked(os.path.join(wanted["path"], name), os.path.join(kept, name))
            for name in ("venv", "wheels")
        ]
    return {
        "changed": not there or any(linked),
        "built": not there,
        "venv": os.path.join(kept, "venv"),
        **wheelhouse(kept),
    }


def private(module: AnsibleModule, wanted: dict[str, Any]) -> dict[str, Any]:
    """A virtualenv of this folder's own: a copy where one like it is kept."""
    path, source = wanted["path"], os.path.join(wanted["path"], "src")
    builder = Builder(module, path, wanted["user"], wanted["group"], None)
    venv = os.path.join(path, "venv")
    kept = os.path.join(wanted["cache"] or "", virtualenv_name(wanted, source))
    there = bool(wanted["cache"]) and os.path.exists(os.path.join(kept, COMPLETE))
    if there:
        shutil.rmtree(venv, ignore_errors=True)
        # What it has of absolute paths are its scripts; `python -m` does without.
        shutil.copytree(os.path.join(kept, "venv"), venv, symlinks=True)
        builder.give(venv)
    else:
        build(builder, wanted, source)
    return {
        "changed": True,
        "built": not there,
        "venv": venv,
        **wheelhouse(kept if there else path),
    }


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS)
    wanted = module.params
    try:
        done = (shared if wanted["keep"] else private)(module, wanted)
    except HeldError as error:
        told = f"another build goes on: {error}; end it and run the same command again"
        module.fail_json(msg=told)
    module.exit_json(**done)


if __name__ == "__main__":
    main()
