"""A secret is on the host and nowhere else."""

from __future__ import annotations

import json

from .conftest import Host, Play


def shown(host: Host, *files: dict[str, object]) -> str:
    return json.dumps(host.run(*files, diff=True))


def test_a_secret_file_changes_without_a_diff(host: Host) -> None:
    first = shown(host, host.file("s", "hush-one\n", "0600", secret=True))
    second = shown(host, host.file("s", "hush-two\n", "0600", secret=True))
    third = shown(host, host.file("other", "x\n"))
    assert "hush" not in first + second + third
    assert "content not shown" in first
    assert "content not shown" in second
    assert "content not shown" in third


def test_a_file_that_stops_being_secret_shows_no_old_secret(host: Host) -> None:
    shown(host, host.file("s", "hush-one\n", secret=True))
    assert "hush" not in shown(host, host.file("s", "open now\n"))


def test_other_files_have_their_diff(host: Host) -> None:
    host.run(host.file("a", "1\n"))
    result = host.run(host.file("a", "2\n", "0600"), diff=True)
    content, permissions = result["diff"]
    assert (content["before"], content["after"]) == ("1\n", "2\n")
    assert (permissions["before"], permissions["after"]) == (
        "root:root 0644\n",
        "root:root 0600\n",
    )


def test_no_secret_in_the_output_of_a_run_however_verbose(play: Play, host: Host) -> None:
    (play.directory / "templates" / "env.j2").write_text("KEY={{ key }}\n")
    task = {
        "split_tree": {
            "manifest": str(host.manifest()),
            "manifests_root": str(host.manifests),
            "templates": str(play.directory / "templates"),
            "files": [
                {
                    "template": "env.j2",
                    "path": host.path("env"),
                    "mode": "0400",
                    "secret": True,
                    "vars": {"key": "{{ 'hush' ~ '-hush' }}"},
                }
            ],
        }
    }
    ran = play([task], "-vvvvv", "--diff")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert host.read("env") == "KEY=hush-hush\n"
    assert "hush-hush" not in ran.stdout + ran.stderr
    assert "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" in ran.stdout
