"""An environment file means the same to a shell and to systemd."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from template_cases import Render

NASTY = {
    "QUOTES": 'it\'s "so"',
    "DOLLARS": "$HOME ${PATH} $(id) $$ $",
    "BACKTICKS": "`id`",
    "BACKSLASHES": '\\ \\\\ \\n \\" \\$ C:\\new',
    "HASH": "# not a comment ; nor this",
    "SPACES": "  leading and trailing  ",
    "LINES": "-----BEGIN KEY-----\nabc\n\n-----END KEY-----\n",
    "TAB": "a\tb",
    "UNICODE": "Zürich 你好 🐍",
    "EQUALS": "postgres://u:p=@/db?x=1&y=%20",
    "GLOB": "* ? [a-z] ~",
    "BANG": "!history !!",
    "EMPTY": "",
}


def by_sh(file: Path, names: list[str]) -> dict[str, str]:
    """What a process gets that S-run started: `set -a; . FILE`, then exec."""
    script = 'set -a; . "$1"; exec /usr/bin/env -0'
    ran = subprocess.run(
        ["/usr/bin/env", "-i", "/bin/sh", "-c", script, "sh", str(file)],
        capture_output=True,
        check=True,
    )
    assert ran.stderr == b""
    pairs = (item.partition("=") for item in ran.stdout.decode().split("\0") if item)
    return {name: value for name, _, value in pairs if name in names}


def by_systemd(text: str) -> dict[str, str]:
    """parse_env_file_internal of systemd 252 (src/basic/env-file.c), the states that are used here.

    systemd.exec(5): in double quotes a backslash before one of " \\ ` $ is that character, before a
    line break both go, before anything else it stays.
    """
    found: dict[str, str] = {}
    state, key, value = "before", "", ""
    for character in text:
        if state == "before":
            if character in "#;":
                state = "comment"
            elif character not in "\n\r\t ":
                state, key = "key", character
        elif state == "comment":
            state = "before" if character in "\n\r" else state
        elif state == "key":
            if character == "=":
                state, value = "value", ""
            else:
                key += character
        elif state == "value":
            assert character == '"', "every value is in double quotes"
            state = "quoted"
        elif state == "quoted":
            if character == '"':
                state = "after"
            elif character == "\\":
                state = "escape"
            else:
                value += character
        elif state == "escape":
            state = "quoted"
            if character in '"\\`$':
                value += character
            elif character != "\n":
                value += "\\" + character
        elif state == "after":
            assert character == "\n"
            found[key] = value
            state = "before"
    assert state == "before"
    return found


@pytest.mark.parametrize("name", NASTY)
def test_both_readers_get_the_value_that_was_said(plain: Render, tmp_path: Path, name: str) -> None:
    text = plain("env/instance.env.j2", instance_env={name: NASTY[name], "AFTER": "x"})
    file = tmp_path / "main.env"
    file.write_text(text)
    expected = {name: NASTY[name], "AFTER": "x"}
    assert by_sh(file, list(expected)) == expected
    assert by_systemd(text) == expected


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.text(
        alphabet=st.one_of(
            st.sampled_from("\\\"'$`\n\t #;=!*{}()&|<>~%"),
            st.characters(blacklist_categories=["Cs", "Cc"]),
        ),
        max_size=30,
    )
)
def test_both_readers_get_any_value(plain: Render, tmp_path: Path, value: str) -> None:
    text = plain("env/instance.env.j2", instance_env={"VALUE": value})
    file = tmp_path / "main.env"
    file.write_text(text)
    assert by_sh(file, ["VALUE"]) == {"VALUE": value} == by_systemd(text)


def test_numbers_and_truth_become_the_text_that_python_writes(plain: Render) -> None:
    text = plain("env/instance.env.j2", instance_env={"PORT": 5432, "DEBUG": False})
    assert by_systemd(text) == {"DEBUG": "False", "PORT": "5432"}


def test_order_does_not_depend_on_the_inventorys(plain: Render) -> None:
    """Another order would be another digest, and a restart for nothing."""
    one = plain("env/instance.env.j2", instance_env={"A": "1", "B": "2"})
    assert one == plain("env/instance.env.j2", instance_env={"B": "2", "A": "1"})
