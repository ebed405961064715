"""What a failed step is told as, in the role's own words: on the screen, and in `.failed`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.role_variables import role_variable

NAMES = ("release_step", "release_failures", "release_said", "release_reason")
NAMES += ("release_failed_told", "release_refused_told", "release_flipped_told")
LOG = {"msg": "non-zero return code", "stdout": "\n".join(map(str, range(100))), "stderr": "boom"}
WHOLE = "gazette-main@3f2a does not serve: it hangs\nMend it and run the same command again."


def told(name: str, task: str | None = "Migrate", serving: str = "0ld", **result: Any) -> str:
    """A variable of the role, in a rescue."""
    variables: dict[str, Any] = {
        "split_release_id": "3f2a",
        "split_home": "/srv/gazette",
        "release_failed": {"path": "/srv/gazette/releases/failed-3f2a", "serving": [serving]},
    }
    if task is not None:
        variables |= {
            "ansible_failed_task": {"name": task, "action": "ansible.builtin.command"},
            "ansible_failed_result": result,
        }
    return str(role_variable("release", name, NAMES, **variables))


def test_the_end_of_a_log_is_shown_and_where_the_release_is() -> None:
    said = told("release_failed_told", **LOG).splitlines()
    assert said[:2] == ["Migrate: failed.", "75"]
    assert said[26:] == [
        "boom",
        "Nothing serves release 3f2a; the one before it still serves.",
        "What was built is kept in /srv/gazette/releases/failed-3f2a.",
        "Mend the cause and run the same command again.",
    ]


def test_one_that_a_killed_run_gave_traffic_is_not_said_to_have_none() -> None:
    said = told("release_failed_told", serving="3f2a", **LOG)
    assert "Release 3f2a has traffic already" in said
    assert "Nothing serves" not in said
    assert said.endswith("run the same command again.")


@pytest.mark.parametrize("name", ["release_failed_told", "release_refused_told", "release_reason"])
def test_of_a_loop_what_failed_is_told(name: str) -> None:
    """Ansible's own words for it are that one or more items failed."""
    results = [{"failed": False, "stdout": "well"}, {"failed": True, "stderr": "no disk"}]
    said = told(name, msg="One or more items failed", results=results)
    assert "no disk" in said
    assert "well" not in said
    assert "items failed" not in said


def test_a_task_without_a_name_is_called_by_what_it_does() -> None:
    assert told("release_reason", task="", stderr="x") == "ansible.builtin.command: x"


def test_what_is_whole_is_told_as_it_is() -> None:
    assert told("release_refused_told", msg=WHOLE).strip() == WHOLE


def test_a_hook_that_fails_before_the_flip_is_told_with_what_serves() -> None:
    said = told("release_refused_told", task="Purge the CDN", **LOG)
    assert said.startswith("Purge the CDN: failed.\n75\n")
    assert "boom\nNobody's traffic has moved" in said
    assert said.rstrip().endswith("run the same command again.")


def test_a_hook_that_fails_behind_the_flip_is_told_with_what_serves() -> None:
    said = told("release_flipped_told", task="Purge the CDN", stderr="no answer")
    assert said.startswith("Purge the CDN: failed.\nno answer\nRelease 3f2a serves all the same.")


def test_where_nothing_failed_another_host_is_named() -> None:
    assert told("release_refused_told", task=None).startswith("Another host refused the release")
    assert told("release_reason", task=None) == "another host refused it"


def test_the_reason_is_short() -> None:
    assert len(told("release_reason", msg="x" * 1000)) <= 300
