"""The last lines of a run say what to remember."""

from __future__ import annotations

from .conftest import Play
from .plugin import callback


def test_the_last_lines_of_a_run_are_its_summary(play: Play) -> None:
    ran = play(
        [
            {"set_stats": {"data": {"split_summary": ["the site: http://localhost:8080/"]}}},
            {"set_stats": {"data": {"split_summary": ["the password: /etc/django-split/s"]}}},
        ]
    )
    assert ran.stdout.rstrip().splitlines()[-2:] == [
        "the site: http://localhost:8080/",
        "the password: /etc/django-split/s",
    ]


def test_a_run_without_a_summary_says_nothing_more(play: Play) -> None:
    ran = play([{"debug": {"msg": "x"}}])
    assert ran.stdout.rstrip().splitlines()[-1].startswith("localhost")


def test_the_same_line_from_several_hosts_is_said_once() -> None:
    custom = {
        "b": {"split_summary": ["shared", "of b"]},
        "a": {"split_summary": ["shared"], "other": 1},
        "_run": {"split_summary": "first"},
    }
    assert callback.summary(custom) == ["first", "shared", "of b"]
