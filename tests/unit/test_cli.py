"""The command as it is typed: its options, its exit status, and what it says of bad input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from django_split.cli import main
from django_split.files import InputError, write
from django_split.plan_command import LISTS, VALUES
from tests.support.trial import REPOSITORY, Site
from tests.unit.conftest import MakeSite


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    return make_site("paper")


def plan(site: Site, *more: str) -> subprocess.CompletedProcess[str]:
    words = ["-m", "django_split", "plan", "--settings", "paper.settings", "--no-crawl"]
    return site.run([*words, *more], check=False)


def test_answers_are_added_to_what_the_deployment_says(site: Site) -> None:
    deploy = site.place / "deploy.json"
    said = {"admin_extra_prefixes": ["/accounts/"], "public_sessions": "cached_db", "site": "x"}
    deploy.write_text(json.dumps(site.deployment(**said)))
    done = plan(
        site,
        *("--deploy", str(deploy), "--json"),
        *("--admin-extra-prefixes", "/staff/", "/office/"),
        *("--main-closed-prefixes", "/closed/"),
        *("--main-closed-prefixes", "/shut/"),
        *("--main-closed-views", "paper.views.never"),
        *("--public-sessions", "none"),
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["admin"]["prefixes"] == ["/admin/", "/accounts/", "/staff/", "/office/"]
    assert made["main"]["urls"]["closed"] == ["/closed/", "/shut/"]
    assert made["main"]["urls"]["closed_views"] == ["paper.views.never"]
    assert "public_sessions" not in made["main"]
    assert made["site"] == "x"


def test_every_answer_has_the_name_of_a_variable_of_the_inventory() -> None:
    specs = (REPOSITORY / "roles" / "preflight" / "meta" / "argument_specs.yml").read_text()
    for name, *_ in (*LISTS, *VALUES):
        assert f"\n      {name}:" in specs


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--main-closed-prefixes", "nowhere"], "--main-closed-prefixes: 'nowhere' must be a path"),
        (
            ["--admin-path", "/adminn/"],
            "--admin-path: '/adminn/' is not an admin's path: the admin",
        ),
        (["--session-idle-timeout", "-5"], "--session-idle-timeout: -5 is less than no time"),
        (["--session-preset", "strict"], "--session-preset: 'strict' is not one of default, hard"),
        (["--admin-cookie-samesite", "None"], "--admin-cookie-samesite: 'None' is not one of Lax"),
        (["--admin-secret-key", "x"], "--admin-secret-key: 'x' is not one of shared, own"),
        (["--public-sessions", "pickle"], "--public-sessions: 'pickle' is not one of none, redis"),
        (["--admin-cache", "mine"], "--admin-cache: 'mine' is not one of shared, own"),
        (["--deploy", "/nowhere.json"], "--deploy: /nowhere.json cannot be read: No such file"),
    ],
)
def test_bad_input_ends_in_one_line_that_names_the_option(
    site: Site, options: list[str], words: str
) -> None:
    done = plan(site, *options)
    assert done.returncode == 1
    assert done.stderr.startswith(f"django-split: {words}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--settings", "x", "--timeout", "0"],
        ["--settings", "x", "--timeout", "nan"],
        ["--settings", "x", "--crawl-pages", "-1"],
        ["--settings", "x", "--crawl-pages", "9", "--no-crawl"],
        ["--settings", "x", "--admin-extra-prefixes"],
    ],
)
def test_what_cannot_be_typed_is_refused_with_the_usage(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", *options])
    assert ended.value.code == 2
    assert "usage: django-split plan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not valid"), ("[]", "must hold one object of names and values")],
)
def test_deployment_that_is_none_is_refused(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deploy = tmp_path / "deploy.json"
    deploy.write_text(text)
    assert main(["plan", "--settings", "x", "--deploy", str(deploy)]) == 1
    assert words in capsys.readouterr().err


def test_site_is_found_where_the_command_is_typed(site: Site) -> None:
    """As with manage.py: a console script has its own folder on sys.path, not the current one."""
    script = site.place / "django-split"
    script.write_text(
        f"#!{sys.executable}\nfrom django_split.cli import main\nraise SystemExit(main())"
    )
    script.chmod(0o755)
    done = subprocess.run(
        [str(script), "plan", "--settings", "paper.settings", "--no-crawl"],
        cwd=site.source,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("paper.settings: "), done.stderr
    assert "no page was asked: the crawl was left out" in done.stdout


def test_file_that_cannot_be_written_is_told() -> None:
    with pytest.raises(InputError, match="/proc/x/y cannot be written: "):
        write(Path("/proc/x/y"), "")


def test_question_is_told_with_what_to_type(make_site: MakeSite) -> None:
    site = make_site("paper", "\nCSRF_USE_SESSIONS = True\n")
    asked = plan(site)
    assert asked.returncode == 3
    assert "    --public-sessions cached_db\n" in asked.stdout
    assert plan(site, "--public-sessions", "cached_db").returncode == 0


def test_reader_that_has_seen_enough_gets_no_traceback(site: Site) -> None:
    command = [sys.executable, "-m", "django_split", "plan", "--settings", "paper.settings"]
    process = subprocess.Popen(
        [*command, "--no-crawl"],
        cwd=site.source,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.wait(timeout=60)
    process.stderr.close()


def test_interrupted_analysis_leaves_no_process(make_site: MakeSite) -> None:
    """It runs in a session of its own, so Ctrl-C in the terminal does not reach it."""
    site = make_site(
        "paper",
        "\nimport time\n(BASE_DIR / 'pid').write_text(str(os.getpid()))\ntime.sleep(600)\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "django_split", "plan", "--settings", "paper.settings"],
        cwd=site.source,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pid = site.source / "pid"
    deadline = time.monotonic() + 30
    while not (pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    analysis = int(pid.read_text())
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    with pytest.raises(ProcessLookupError):
        os.kill(analysis, 0)
