"""Whether what runs is what is on the disk: an upgraded package restarts nothing of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from .process import Process, family, look
from .row import Row, listed
from .site import Site

NAME, CLAIM = "running.programs", "everything runs the programs that are on the disk"
GONE = " (deleted)"
# Where packages put programs and libraries; what else is mapped and deleted is memory to share.
PACKAGED = re.compile(r"/(usr|lib\w*|bin|sbin|opt)/")
UNIT = re.compile(r"([^/\n]+\.service)$", re.MULTILINE)


def row(site: Site, processes: Mapping[str, Process | str]) -> Row:
    """A program that was replaced is an error; a library is a row that says so.

    A file that is replaced by rename lives on for who has it open: the kernel calls it deleted.
    """
    programs: dict[str, str] = {}
    libraries: dict[str, str] = {}
    looked_at = 0
    for process in [
        *_nginx(site),
        *(one for one in processes.values() if isinstance(one, Process)),
    ]:
        for one in family(process.pid):
            looked_at += 1
            program = replaced_program(one.pid)
            older = replaced_libraries(one.pid) - {program}
            unit = unit_of(one.pid) or f"{one.user}'s process {process.pid}"
            if program:
                programs[unit] = program
            elif older:
                libraries[unit] = ", ".join(sorted(os.path.basename(each) for each in older)[:3])
    if programs:
        seen = listed([f"{unit}: {what} was replaced" for unit, what in programs.items()])
        return Row(NAME, CLAIM, False, f"{seen}. {_restart(programs)}")
    if libraries:
        seen = listed([f"{unit}: {what}" for unit, what in libraries.items()])
        return Row(NAME, CLAIM, None, f"libraries were replaced: {seen}. {_restart(libraries)}")
    return Row(NAME, CLAIM, True, f"{looked_at} processes")


def replaced_program(pid: int) -> str:
    """The program's path when another file is there now, else ""."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""  # ended meanwhile
    return path.removesuffix(GONE) if path.endswith(GONE) else ""


def replaced_libraries(pid: int) -> set[str]:
    """Packaged files that the process has mapped to be run, and that are no more."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
    except OSError:
        return set()
    found = set()
    for line in lines:
        # address permissions offset device inode path
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].endswith(GONE):
            path = fields[5].removesuffix(GONE)
            if PACKAGED.match(path):
                found.add(path)
    return found


def unit_of(pid: int) -> str:
    """The systemd unit of a process; "" where there is no systemd."""
    try:
        found = UNIT.search(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return ""
    return found[1] if found else ""


def _restart(units: Mapping[str, str]) -> str:
    named = sorted(unit for unit in units if unit.endswith(".service"))
    if not named:
        return "Restart them (docs/operating.md)"
    return f"Type: systemctl restart {' '.join(named)}"


def _nginx(site: Site) -> list[Process]:
    """nginx's master: its prefix (-p) has its pid."""
    command = list(site["nginx_test"])
    if "-p" not in command:
        return []
    try:
        prefix = command[command.index("-p") + 1]
        return [look(int(Path(prefix, "nginx.pid").read_text()))]
    except (OSError, ValueError, IndexError):
        return []  # whether nginx serves is another row's
