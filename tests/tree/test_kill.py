"""A run may be killed at any moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from .conftest import Host

# Every call by which a run changes the host.
CALLS = ("mkdir", "rename", "symlink", "unlink", "rmdir", "fchmod", "chmod", "fsync")


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a child that kills itself (kill -9) before its call of that number.

    False when it came to its end before.
    """
    child = os.fork()
    if child == 0:
        left = number

        def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return real(*arguments, **named)

            return call

        for name in CALLS:
            setattr(os, name, deadly(getattr(os, name)))
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, "the run failed by itself"
    return False


def before(host: Host) -> list[dict[str, Any]]:
    return [
        host.file("etc/a", "old\n"),
        host.file("etc/b", "old\n"),
        host.file("gone/x/y", "old\n"),
        host.link("current", "releases/1"),
        host.directory("d", "0755"),
    ]


def after(host: Host) -> list[dict[str, Any]]:
    return [
        host.file("etc/a", "new\n", "0640", group="daemon"),
        host.file("etc/b", "old\n"),
        host.file("new/p/q", "new\n"),
        host.link("current", "releases/2"),
        host.directory("d", "2770"),
        host.directory("e", "0700", owner="daemon"),
    ]


def test_killed_anywhere_and_run_again_it_finishes(host: Host) -> None:
    host.run(*after(host))
    wanted = {path: seen for path, seen in host.everything().items() if "/host/" in path}
    records = host.manifest().read_text()
    host.remove()
    number, kills = 0, 0
    while True:
        host.run(*before(host))
        killed = killed_at(number, lambda: host.run(*after(host)))
        if killed:
            kills += 1
            assert host.read("etc/a") in ("old\n", "new\n")
            assert os.readlink(host.path("current")) in ("releases/1", "releases/2")
            host.run(*after(host))
        assert {p: seen for p, seen in host.everything().items() if "/host/" in p} == wanted
        assert host.manifest().read_text() == records
        assert host.run(*after(host))["changed"] is False
        host.remove()
        assert os.listdir(host.path("")) == []
        if not killed:
            break
        number += 1
    assert kills > 30, "the run has fewer steps than expected: is it still killed in the middle?"


def test_killed_anywhere_and_then_uninstalled_nothing_is_orphaned(host: Host) -> None:
    number = 0
    while True:
        host.run(*before(host))
        killed = killed_at(number, lambda: host.run(*after(host)))
        host.remove()
        assert os.listdir(host.path("")) == [], f"left after a kill at call {number}"
        if not killed:
            break
        number += 1


def test_killed_anywhere_and_then_taken_back_the_old_list_is_whole(host: Host) -> None:
    host.run(*before(host))
    wanted = host.everything()
    number = 0
    while killed_at(number, lambda: host.run(*after(host))):
        host.run(*before(host))
        assert host.everything() == wanted, f"after a kill at call {number}"
        number += 1


def test_an_uninstall_killed_anywhere_finishes_the_next_time(host: Host) -> None:
    number = 0
    while True:
        host.run(*after(host))
        killed = killed_at(number, host.remove)
        host.remove()
        assert [path.name for path in host.base.iterdir()] == ["host"]
        assert os.listdir(host.path("")) == []
        if not killed:
            break
        number += 1
