"""The whole tree is looked at before any of it is installed."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from .conftest import Host, changes, validator
from .plugin import TreeError


@pytest.fixture(autouse=True)
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stages go below a directory of the test's own, so that one left behind is seen."""
    directory = tmp_path / "stages"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_a_validator_sees_every_file_at_its_place(host: Host, stages: Path) -> None:
    check = validator("diff", "{stage}" + host.path("etc/a"), "{stage}" + host.path("b"))
    host.run(host.file("etc/a", "same\n"), host.file("b", "same\n"), validate=[check])
    assert list(stages.iterdir()) == []


def test_a_complaint_leaves_the_host_untouched(host: Host, stages: Path) -> None:
    host.run(host.file("a", "good\n"), host.file("b", "good\n"))
    before = host.everything()
    check = validator("sh", "-c", "grep -n bad $0 && exit 3", "{stage}" + host.path("b"))
    with pytest.raises(TreeError) as caught:
        host.run(
            host.file("a", "new\n"),
            host.file("b", "bad\n", template="templates/b.j2"),
            host.file("c", "new\n"),
            validate=[check],
        )
    assert host.everything() == before
    message = str(caught.value)
    assert "1:bad" in message
    assert "exit code 3" in message
    assert "Nothing has been installed" in message
    assert list(stages.iterdir()) == []


def test_a_complaint_names_the_hosts_path_and_its_template(host: Host) -> None:
    check = validator("sh", "-c", "echo error in $0:7; exit 1", "{stage}" + host.path("b"))
    with pytest.raises(TreeError) as caught:
        host.run(host.file("b", "x\n", template="templates/b.j2"), validate=[check])
    assert f"error in {host.path('b')}:7" in str(caught.value)
    assert f"{host.path('b')} is rendered from templates/b.j2" in str(caught.value)


def test_a_complaint_never_quotes_a_secret(host: Host) -> None:
    secret = "PASSWORD=correct-horse\nrequirepass battery-staple\n"
    check = validator("sh", "-c", "cat $0; exit 1", "{stage}" + host.path("s"))
    with pytest.raises(TreeError) as caught:
        host.run(host.file("s", secret, secret=True), validate=[check])
    assert "(secret)" in str(caught.value)
    assert "correct-horse" not in str(caught.value)
    assert "battery-staple" not in str(caught.value)


def test_the_last_lines_of_a_long_complaint_are_shown(host: Host) -> None:
    with pytest.raises(TreeError) as caught:
        host.run(host.file("a", "x"), validate=[validator("sh", "-c", "seq 1000; exit 1")])
    assert "1000" in str(caught.value)
    assert "\n  900\n" not in str(caught.value)


def test_the_stage_holds_what_others_have_put_there_and_not_what_goes(host: Host) -> None:
    host.write("conf.d/foreign.conf", "theirs\n")
    host.run(host.file("conf.d/ours.conf", "x\n"), host.file("conf.d/old.conf", "x\n"))
    listing = validator(
        "sh",
        "-c",
        'test "$(ls $0 | xargs)" = "foreign.conf new.conf"',
        "{stage}" + host.path("conf.d"),
    )
    host.run(host.file("conf.d/new.conf", "x\n"), overlay=[host.path("conf.d")], validate=[listing])


def test_links_of_the_host_never_lead_a_stage_out_of_itself(host: Host) -> None:
    """conf.d is a link on this host: the staged file must not be written through it."""
    host.write("real/old.conf", "x\n")
    os.symlink(host.path("real"), host.path("conf.d"))
    before = host.everything()
    check = validator(
        "sh",
        "-c",
        "grep -q new $0/a.conf && test -f $0/old.conf && exit 9",
        "{stage}" + host.path("conf.d"),
    )
    for mode in (True, False):
        with pytest.raises(TreeError, match="exit code 9"):
            host.run(
                host.file("conf.d/a.conf", "new\n"),
                overlay=[host.path("")],
                validate=[check],
                check=mode,
            )
    now = host.everything()
    assert {path: now[path] for path in before} == before
    assert not os.path.exists(host.path("real/a.conf"))


def test_a_removal_is_staged_without_touching_the_host(host: Host) -> None:
    host.write("real/keep", "x\n")
    os.symlink(host.path("real"), host.path("conf.d"))
    host.run(host.file("conf.d/a", "x\n"), host.file("b", "x\n"))
    host.run(
        host.file("b", "y\n"),
        overlay=[host.path("")],
        validate=[validator("true")],
        check=True,
    )
    assert host.read("real/a") == "x\n"


def test_an_absolute_link_shows_the_staged_file(host: Host) -> None:
    host.run(host.file("available", "old\n"), host.link("enabled", host.path("available")))
    check = validator("grep", "-q", "new", "{stage}" + host.path("enabled"))
    host.run(
        host.file("available", "new\n"),
        host.link("enabled", host.path("available")),
        validate=[check],
    )
    assert os.readlink(host.path("enabled")) == host.path("available")


def test_sockets_and_pipes_in_an_overlay_do_not_hang_the_run(host: Host) -> None:
    os.mkdir(host.path("run"))
    os.mkfifo(host.path("run/pipe"))
    host.run(host.file("a", "x"), overlay=[host.path("run")], validate=[validator("true")])


def test_no_validator_runs_when_nothing_changes(host: Host) -> None:
    check = validator("touch", host.path("ran"))
    host.run(host.file("a", "x\n"), validate=[check])
    os.unlink(host.path("ran"))
    host.run(host.file("a", "x\n"), validate=[check])
    assert not os.path.exists(host.path("ran"))


@pytest.mark.parametrize(
    "check",
    [
        validator("no-such-program", "-t"),
        validator("true", needs=["no-such-program"]),
        validator("true", users=["no-such-user"]),
    ],
)
def test_what_a_host_lacks_is_said_in_check_mode_and_ends_a_real_run(
    host: Host, check: dict[str, object]
) -> None:
    result = host.run(host.file("a", "x\n"), validate=[check], check=True)
    assert "no-such-" in result["not_validated"][0]
    assert result["warnings"] == result["not_validated"]
    with pytest.raises(TreeError, match=r"lacks .*no-such-"):
        host.run(host.file("a", "x\n"), validate=[check])
    assert os.listdir(host.path("")) == []


def test_check_mode_validates_what_it_can_and_installs_nothing(host: Host, stages: Path) -> None:
    before = host.everything()
    result = host.run(host.file("a/b", "x\n"), validate=[validator("true")], check=True)
    assert changes(result, host) == {"a": "created", "a/b": "created"}
    assert host.everything() == before
    with pytest.raises(TreeError, match="do not pass"):
        host.run(host.file("a/b", "x\n"), validate=[validator("false")], check=True)
    assert host.everything() == before
    assert list(stages.iterdir()) == []


def test_a_validator_that_hangs_is_killed_with_its_children(host: Host, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    check = validator("sh", "-c", f"sleep 300 & echo $! > {note}; echo waiting; wait", timeout=1)
    started = time.monotonic()
    with pytest.raises(TreeError) as caught:
        host.run(host.file("a", "x\n"), validate=[check])
    assert time.monotonic() - started < 10
    assert "no end after 1 s" in str(caught.value)
    assert "waiting" in str(caught.value)
    assert ended(int(note.read_text()))


def test_a_validator_leaves_nothing_running_behind_it(host: Host, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    check = validator("sh", "-c", f"sleep 300 >/dev/null 2>&1 & echo $! > {note}")
    host.run(host.file("a", "x\n"), validate=[check])
    assert ended(int(note.read_text()))


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and only not yet waited for, within 5 s."""
    status = Path("/proc", str(pid), "stat")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if " Z " in status.read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_nobody_else_can_look_into_a_stage(host: Host) -> None:
    check = validator("sh", "-c", 'test "$(stat -c %a {stage})" = 700')
    host.run(host.file("a", "x\n"), validate=[check])


def test_the_stage_of_a_killed_run_is_taken_away_by_the_next(host: Host, stages: Path) -> None:
    check = validator("sh", "-c", "kill -9 $PPID")
    child = os.fork()
    if child == 0:
        host.run(host.file("a", "x\n"), validate=[check])
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(stages.iterdir())) == 1
    host.run(host.file("a", "x\n"), validate=[validator("true")])
    assert list(stages.iterdir()) == []
