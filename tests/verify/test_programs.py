"""A package that was upgraded restarts nothing of ours: verify says what still runs the old."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from split_verify import programs, watched
from split_verify.process import look
from split_verify.site import Site

from .host import wait_until


def replace(path: Path) -> None:
    """As dpkg does: another file gets the name."""
    shutil.copy2(path, f"{path}.dpkg-new")
    Path(f"{path}.dpkg-new").rename(path)


@contextmanager
def asleep(*command: str, **environment: str) -> Iterator[int]:
    process = subprocess.Popen([*command, "60"], env=environment)
    # Between fork and exec it is pytest.
    wait_until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", "it sleeps")
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def site(prefix: Path, watch: str = "") -> Site:
    return Site({"nginx_test": ["nginx", "-t", "-p", f"{prefix}/"], "watch": watch}, {})


def test_a_program_that_was_replaced_is_named(tmp_path: Path) -> None:
    program = tmp_path / "sleep"
    shutil.copy2("/bin/sleep", program)
    with asleep(str(program)) as pid:
        processes = {"main": look(pid), "admin": "nobody listens"}
        assert programs.row(site(tmp_path), processes).ok is True
        replace(program)
        row = programs.row(site(tmp_path), processes)
        assert row.ok is False
        assert f"{program} was replaced" in row.seen


def test_nginx_is_found_by_its_pid_file(tmp_path: Path) -> None:
    program = tmp_path / "sleep"
    shutil.copy2("/bin/sleep", program)
    with asleep(str(program)) as pid:
        (tmp_path / "nginx.pid").write_text(f"{pid}\n")
        replace(program)
        assert programs.row(site(tmp_path), {}).ok is False


def test_a_library_that_was_replaced_is_said_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "PACKAGED", re.compile(re.escape(str(tmp_path))))
    [found] = Path("/usr/lib").glob("*-linux-gnu/libm.so.6")
    library = tmp_path / "libm.so.6"
    shutil.copy2(found.resolve(), library)
    with asleep("/bin/sleep", LD_PRELOAD=str(library)) as pid:
        processes = {"main": look(pid)}
        wait_until(lambda: str(library) in Path(f"/proc/{pid}/maps").read_text(), "it is loaded")
        assert programs.row(site(tmp_path), processes).ok is True
        replace(library)
        row = programs.row(site(tmp_path), processes)
        assert row.ok is None
        assert "libm.so.6" in row.seen


def test_what_to_type_names_the_units() -> None:
    units = {"news-store.service": "x", "news-main@1.service": "y", "news's process 7": "z"}
    assert (
        programs._restart(units) == "Type: systemctl restart news-main@1.service news-store.service"
    )


@pytest.mark.parametrize(("well", "ok"), [(True, True), (False, None)])
def test_what_is_near_its_end_is_a_row_and_no_error(tmp_path: Path, well: bool, ok: bool) -> None:
    script = tmp_path / "watch"
    told = json.dumps([{"name": "disk.space", "ok": well, "seen": "/srv: 95%"}])
    script.write_text(f"#!/bin/sh\necho '{told}'\nexit 1\n")
    script.chmod(0o755)
    [row] = watched.rows(site(tmp_path, str(script)))
    assert row.ok is ok
    assert "/srv: 95%" in row.seen
    assert watched.rows(site(tmp_path, str(tmp_path / "none"))) == []


def test_a_watch_that_says_nothing_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "watch"
    script.write_text("#!/bin/sh\nexit 1\n")
    script.chmod(0o755)
    [row] = watched.rows(site(tmp_path, str(script)))
    assert row.ok is False
