"""What makes a virtualenv: the requirements of a site, and the name of what they come to.

Two releases whose requirements, Python and own packages are the same have one virtualenv. Its name
is a digest of exactly that, worked out on the host from the unpacked source, so that every host
that is given the same source finds the same name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

# Which interpreter it is: a virtualenv of one is none of another.
WHO = (
    "import json, platform, sys, sysconfig; print(json.dumps([sys.version_info[:3],"
    " sysconfig.get_config_var('SOABI'), platform.machine(), platform.libc_ver()]))"
)


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
    yield from _lines(path, r"(?:-r|--requirement)", seen)


def _lines(path: str, options: str, seen: tuple[str, ...] = ()) -> Iterator[str]:
    with open(path) as file:
        for line in file:
            included = re.match(rf"\s*{options}[\s=]*(\S+)", line)
            if included:
                other = os.path.join(os.path.dirname(path), included.group(1))
                if other not in seen and os.path.exists(other):
                    yield from _lines(other, options, (*seen, other))
                    continue
                # What is fetched from elsewhere, or is not there, counts by its name.
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


def local(lines: Iterable[str]) -> bool:
    """Whether a requirement is, or may be, a part of the source itself: then every change of the
    source is another virtualenv. In doubt it is.
    """
    for line in lines:
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if re.match(r"(-e|--editable|-f|--find-links)\b", text) or "file:" in text:
            return True
        if text.startswith("-"):
            continue
        first = re.split(r"[\s;\[]", text, maxsplit=1)[0]
        if text.startswith(".") or ("/" in first and "://" not in first):
            return True
        if re.search(r"\.(whl|zip|tar\.\w+|tgz)$", first) and "://" not in text:
            return True
    return False


def virtualenv_name(wanted: dict[str, Any], source: str) -> str:
    """Twelve hex characters for what a virtualenv is made of; ``wanted`` are split_virtualenv's
    options, ``source`` is the unpacked source.
    """
    lines = list(wanted["requirements"])
    file = requirements_file(source, wanted)
    if file:
        # With what it constrains by, which names no package of its own.
        lines += _lines(file, r"(?:-r|--requirement|-c|--constraint)")
    made_of = {
        "python": [os.path.realpath(wanted["python"]), _who(wanted["python"])],
        "requirements": [line.strip() for line in lines],
        "own": wanted["own"],
        "wheel": _content(wanted["wheel"]) if wanted["wheel"] else "",
        "source": wanted["source_digest"] if local(lines) else "",
    }
    text = json.dumps(made_of, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _who(python: str) -> str:
    return subprocess.run(
        [python, "-I", "-c", WHO], stdin=subprocess.DEVNULL, capture_output=True, text=True
    ).stdout.strip()


def _content(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
