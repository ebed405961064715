"""What an operator reads when a site is not split as it is: the role's own template."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.role_variables import role_variable


def read(rc: int, verdict: dict[str, Any] | None = None, stderr: str = "") -> list[str]:
    variables = {
        "release_settings": "mysite.settings",
        "release_variables_file": "inventory/mine/group_vars/all.yml",
        "release_analysed": {
            "rc": rc,
            "stdout": json.dumps({"verdict": verdict}) if verdict else "",
            "stderr": stderr,
        },
    }
    return str(role_variable("release", "release_verdict", **variables)).strip().splitlines()


def test_each_question_is_a_line_and_so_is_its_answer() -> None:
    decisions = ["2 URLs demand a user: /a/, /b/; answer with x (1) or y (2)", "no answer to this"]
    verdict = {"is": "split", "reasons": ["an admin"], "decisions": decisions}
    assert read(3, verdict) == [
        'site_settings is "mysite.settings": the site is not split before this is decided:',
        "- 2 URLs demand a user: /a/, /b/",
        "  Answer with x (1) or y (2)",
        "- no answer to this",
        "Say it in inventory/mine/group_vars/all.yml, or change the site.",
    ]


def test_a_site_with_nothing_to_split_is_told_why() -> None:
    verdict = {"is": "nothing to split", "reasons": ["no admin is mounted", "twice"]}
    assert read(4, {**verdict, "decisions": []}) == [
        'site_settings is "mysite.settings": nothing to split: no admin is mounted; twice'
    ]


@pytest.mark.parametrize("rc", [1, 2, 137])
def test_a_broken_base_is_quoted_with_its_last_line(rc: int) -> None:
    said = 'Traceback\nx\ndjango-split: --settings is "mysite.settings" ImportError: no news'
    first, second = read(rc, stderr=said)
    assert first == 'site_settings is "mysite.settings": ImportError: no news'
    assert second.startswith("Mend the site, or give what it needs in site_env")


def test_one_that_was_ended_without_a_word_is_no_error_of_the_template() -> None:
    assert read(137)[0] == 'site_settings is "mysite.settings": it ended with status 137'


HOME = "/home/deploy/media"


@pytest.mark.parametrize(
    ("media", "systemd", "hidden"),
    [
        (HOME, True, HOME),
        ("/root/media", True, "/root/media"),
        ("/run/user/1000/media", True, "/run/user/1000/media"),
        ("/srv/gazette/shared/media", True, ""),
        ("/homes/media", True, ""),
        ("", True, ""),
        (HOME, False, ""),
    ],
)
def test_uploads_where_units_see_nothing_are_found(media: str, systemd: bool, hidden: str) -> None:
    analysed = {"rc": 0, "stdout": json.dumps({"proxy": {"media_root": media}})}
    run = {"release_analysed": analysed, "split_systemd": systemd}
    assert role_variable("release", "release_hidden_media", ["release_media"], **run) == hidden


@pytest.mark.parametrize("analysed", [{}, {"rc": 1, "stdout": ""}])
def test_where_there_is_no_plan_nothing_is_hidden(analysed: dict[str, Any]) -> None:
    run = {"release_analysed": analysed, "split_systemd": True}
    assert role_variable("release", "release_hidden_media", ["release_media"], **run) == ""


def test_hidden_uploads_are_told_with_the_place_where_they_can_be() -> None:
    said = role_variable(
        "release",
        "release_hidden_media_told",
        ["release_hidden_media", "release_media"],
        release_analysed={"rc": 0, "stdout": json.dumps({"proxy": {"media_root": HOME}})},
        release_settings="mysite.settings",
        split_systemd=True,
        split_media="/srv/gazette/shared/media",
    )
    assert said.startswith(f'site_settings is "mysite.settings": MEDIA_ROOT is {HOME}. ')
    assert "to /srv/gazette/shared/media for one" in said


CHECKED = """System check identified some issues:

WARNINGS:
?: (security.W004) You have not set a value for the SECURE_HSTS_SECONDS setting.
?: (security.W009) Your SECRET_KEY has less than 50 characters.
?: (security.W012) SESSION_COOKIE_SECURE is not set to True.
news.Article: (models.W042) Auto-created primary key used.
\tHINT: Configure the DEFAULT_AUTO_FIELD setting.

System check identified 4 issues (0 silenced).
"""


@pytest.mark.parametrize(("tls", "more"), [(False, []), (True, ["security.W012"])])
def test_warnings_are_shown_once_and_not_those_that_are_nginxs(tls: bool, more: list[str]) -> None:
    lines = role_variable(
        "release",
        "release_warnings",
        ["release_warnings_elsewhere"],
        split_tls=tls,
        release_checked_admin={"stderr": CHECKED},
        release_checked_main={"stderr": CHECKED.replace("news.Article: (models.W042)", "gone")},
    )
    assert [line.partition("(")[2].partition(")")[0] for line in lines] == [
        "security.W009",
        *more,
        "models.W042",
    ]
    assert lines[0].startswith("admin and main: ?: (security.W009)")
    assert lines[-1].startswith("admin: news.Article")
    assert "HINT: Configure" in lines[-1]
