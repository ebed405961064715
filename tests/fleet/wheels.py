"""What a host without a way out builds a release from: a folder of wheels, as a house's mirror is.

Fetched once from PyPI, for the Python of a Debian release, and kept between runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import tomllib
import yaml

from . import locks, paths
from .images import Release
from .network import Networked

PYTHONS: dict[Release, str] = {"bookworm": "3.11", "trixie": "3.13"}
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "any")
FETCH_SECONDS = 300
SITE = paths.REPOSITORY / "tests" / "sites" / "gazette"
# pip judges what a package needs "on Python before 3.11.3" by the Python that it runs on itself.
MISJUDGED = ("async-timeout",)
# Where the folder is on the host, and who says so there.
PLACE = "/opt/wheels"
CONFIGURATION = f"[global]\nno-index = true\nfind-links = {PLACE}\n"


def requirements() -> list[str]:
    """The bundled site's own, what django-split needs itself, and what it adds to a release."""
    defaults = paths.REPOSITORY / "roles" / "release" / "defaults" / "main.yml"
    own = yaml.safe_load(defaults.read_text())["release_own_packages"]
    site = (SITE / "requirements.txt").read_text().split()
    needed = tomllib.loads((paths.REPOSITORY / "pyproject.toml").read_text())["project"]
    pins = [each["name"] + each["pin"] for each in own]
    return [
        *site,
        *pins,
        *MISJUDGED,
        *(each for each in needed["dependencies"] if each != "Django"),
    ]


def ensure(release: Release) -> Path:
    """The folder of wheels for a Debian release. Raises CalledProcessError when PyPI is away."""
    wanted = requirements()
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:12]
    folder = paths.CACHE / "wheels" / f"{release}-{digest}"
    with locks.held(f"wheels-{release}"):
        if not folder.is_dir():
            _fetch(release, wanted, folder)
    return folder


def _fetch(release: Release, wanted: list[str], folder: Path) -> None:
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    words += [f"--python-version={PYTHONS[release]}", f"--dest={unfinished}"]
    words += [f"--platform={each}" for each in PLATFORMS]
    subprocess.run([*words, *wanted], check=True, timeout=FETCH_SECONDS)
    unfinished.rename(folder)


def give(host: Networked) -> None:
    """Let a host install from the folder instead of from an index."""
    host.copy_in(ensure(host.image.release), PLACE)
    host.run("tee /etc/pip.conf", stdin=CONFIGURATION.encode())
