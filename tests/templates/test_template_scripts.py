"""The scripts that a site brings, run as on a host: whose rights, which environment, what stays."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from machine import Machine, machine, until
from template_cases import PROCESS, Render

SCRIPTS = {
    "gazette-manage": "bin/manage.sh.j2",
    "gazette-process": "bin/process.sh.j2",
    "gazette-run": "supervisor/run.sh.j2",
    "gazette-start": "supervisor/start.sh.j2",
}
# Stands where a release's Python or gunicorn stands, and says how it was started.
TELL = """#!/bin/sh
echo "user=$(id -un) group=$(id -gn) groups=$(id -Gn | tr ' ' '\\n' | sort | tr '\\n' ',')"
echo "cwd=$PWD umask=$(umask) settings=$DJANGO_SETTINGS_MODULE path=$PYTHONPATH"
echo "secret=$SECRET_KEY leaked=$LEAKED module=$module root=$root"
grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status | tr -d '\\t' | tr '\\n' ' '
for argument in "$@"; do echo "argument=$argument"; done
"""
SUPERVISORD = shutil.which(
    "supervisord", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
)
RELEASE = "0123456789ab"


@pytest.fixture(scope="module")
def host(plain: Render) -> Iterator[Machine]:
    """A machine with one release of the gazette. Tests only add to it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: becomes other users")
    with machine() as built:
        for name, template in SCRIPTS.items():
            text = plain(template)
            built.write(f"/local/sbin/{name}", text, 0o755)
        for release in (RELEASE, "older"):
            add_release(built, release, plain)
        (built.root / "srv/gazette/current").symlink_to(f"releases/{RELEASE}")
        yield built


def add_release(built: Machine, release: str, plain: Render) -> None:
    folder = f"/srv/gazette/releases/{release}"
    (built.root / f"{folder}/src".lstrip("/")).mkdir(parents=True)
    built.write(f"{folder}/venv/bin/python", TELL, 0o755)
    for instance in ("main", "admin"):
        # Names that the scripts use themselves, and one that they must have the last word on.
        values = {"SECRET_KEY": f"{instance}'s $ecret", "DJANGO_SETTINGS_MODULE": "evil"}
        values |= {"module": "the site's", "root": "/evil", "env": "x", "user": "x", "python": "x"}
        text = plain("env/instance.env.j2", instance=instance, instance_env=values)
        built.write(f"{folder}/{instance}.env", text, 0o400, f"gazette-{instance}")


@pytest.mark.parametrize(
    ("arguments", "instance"),
    [
        ([], "admin"),
        (["--instance", "main"], "main"),
        (["--instance=main"], "main"),
        (["--instance", "admin"], "admin"),
    ],
)
def test_manage_is_the_instances_user_with_its_settings_and_environment(
    host: Machine, arguments: list[str], instance: str
) -> None:
    ran = host.run("gazette-manage", *arguments, "check", "--deploy", "two words", LEAKED="root's")
    assert (ran.returncode, ran.stderr) == (0, "")
    folder = f"/srv/gazette/releases/{RELEASE}"
    store = "gazette-store," if instance == "admin" else ""
    groups = f"gazette,gazette-{instance}-http,{store}"
    assert ran.stdout.splitlines() == [
        f"user=gazette-{instance} group=gazette-{instance}-http groups={groups}",
        f"cwd={folder}/src umask=0002 settings=split_{instance} "
        f"path={folder}/settings:{folder}/src",
        f"secret={instance}'s $ecret leaked= module=the site's root=/evil",
        "CapPrm:0000000000000000 CapEff:0000000000000000 NoNewPrivs:1 argument=-m",
        "argument=django",
        "argument=check",
        "argument=--deploy",
        "argument=two words",
    ]


def test_manage_runs_python_too_and_reads_standard_input(host: Machine) -> None:
    ran = host.run("gazette-manage", "--python", "-m", "django_split.superuser", "check")
    assert [line for line in ran.stdout.splitlines() if "argument=" in line][1:] == [
        "argument=django_split.superuser",
        "argument=check",
    ]


def test_the_owner_has_the_admins_settings_with_an_environment_and_a_user_of_its_own(
    host: Machine, plain: Render
) -> None:
    words = ("gazette-manage", "--instance", "owner", "--release", "older", "migrate")
    refused = host.run(*words)
    assert refused.returncode == 2
    assert "an owner is there with site_database: postgresql" in refused.stderr
    text = plain(
        "env/instance.env.j2", instance="admin", instance_env={"SECRET_KEY": "the owner's"}
    )
    host.write("/srv/gazette/releases/older/owner.env", text, 0o400, "gazette-owner")
    ran = host.run(*words)
    assert "user=gazette-owner group=gazette-owner groups=gazette,gazette-owner," in ran.stdout
    assert "settings=split_admin" in ran.stdout
    assert "secret=the owner's" in ran.stdout


def test_manage_takes_the_release_that_is_named(host: Machine) -> None:
    ran = host.run("gazette-manage", "--release", "older", "check")
    assert "cwd=/srv/gazette/releases/older/src " in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--instance", "both", "check"], 'no instance "both"; there are admin, main and owner'),
        (["--instance"], "--instance needs a value"),
        (["--release", "none", "check"], 'no release "none" in /srv/gazette/releases'),
        (["--release", "../..", "check"], "is not the name of a release"),
    ],
)
def test_manage_says_what_is_wrong(host: Machine, arguments: list[str], says: str) -> None:
    ran = host.run("gazette-manage", *arguments)
    assert ran.returncode == 2
    assert ran.stderr.startswith("gazette-manage: ")
    assert says in ran.stderr


def test_manage_works_for_the_user_itself_and_for_nobody_else(host: Machine) -> None:
    def become(user: str) -> list[str]:
        return ["setpriv", f"--reuid={user}", "--clear-groups", "--"]

    own = host.run(*become("gazette-admin"), "/usr/local/sbin/gazette-manage", "check")
    assert "settings=split_admin" in own.stdout
    other = host.run(*become("gazette-main"), "/usr/local/sbin/gazette-manage", "check")
    assert (other.returncode, other.stdout) == (2, "")
    assert "run me as root or as gazette-admin" in other.stderr


@pytest.mark.parametrize("script", ["gazette-manage", "gazette-run"])
def test_environment_file_is_never_run_by_root(host: Machine, plain: Render, script: str) -> None:
    """Its owner can rewrite it: to a shell it is a program, and root would run it."""
    release = f"owned-{script}"
    add_release(host, release, plain)
    file = f"/srv/gazette/releases/{release}/main.env"
    host.write(file, f"id -un >/tmp/{script}\n", 0o400, "gazette-main")
    if script == "gazette-manage":
        host.run(script, "--instance", "main", "--release", release, "check")
    else:
        host.run(script, "gazette-x", "gazette-main", file, "0002", "/bin/true")
    assert host.read(f"/tmp/{script}") == "gazette-main\n"


def test_run_becomes_the_command_and_notes_which_process_that_is(host: Machine) -> None:
    script = (
        'echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20)"; cat /run/gazette/pids/noted'
    )
    command = ["gazette-run", "noted", "gazette-store", "-", "0077", "/bin/sh", "-c", script]
    itself, noted = host.run(*command).stdout.splitlines()
    assert itself == noted


def test_run_ends_the_workers_that_a_killed_master_left_behind(host: Machine) -> None:
    """nginx's hold the port: without it no new master ever starts."""

    def sleeping(seconds: str) -> set[int]:
        return {p for p, command in host.processes().items() if command == f"sleep {seconds}"}

    def master(name: str, seconds: int) -> None:
        # setsid: as supervisor does, one process group for each program.
        command = f"sh -c 'sleep {seconds} & sleep {seconds + 1}; true'"
        run = f"/usr/local/sbin/gazette-run {name} gazette-store - 0077 {command}"
        host.run("sh", "-c", f"setsid {run} >/dev/null 2>&1 &")

    master("orphans", 611)
    master("others", 613)
    until(lambda: sleeping("611") and sleeping("613"), "two masters and their workers")
    noted = host.read("/run/gazette/pids/orphans").split()[0]
    host.run("kill", "-KILL", noted)
    # Reaped, too: supervisor starts a program again when it has done that.
    gone = ("test", "!", "-e", f"/proc/{noted}")
    until(lambda: host.run(*gone).returncode == 0, "the master is gone")
    assert sleeping("611")

    again = host.run("gazette-run", "orphans", "gazette-store", "-", "0077", "true")
    assert again.returncode == 0
    until(lambda: not sleeping("611") and not sleeping("612"), "its workers are gone")
    assert sleeping("613")


def test_run_gives_up_all_rights_but_the_users(host: Machine) -> None:
    command = [f"/srv/gazette/releases/{RELEASE}/venv/bin/python", "one", "two words"]
    env = f"/srv/gazette/releases/{RELEASE}/admin.env"
    ran = host.run("gazette-run", "x", "gazette-admin", env, "0002", *command, LEAKED="root's")
    assert ran.stderr == ""
    groups = "gazette,gazette-admin-http,gazette-store,"
    lines = ran.stdout.splitlines()
    assert lines[0] == f"user=gazette-admin group=gazette-admin-http groups={groups}"
    assert "umask=0002" in lines[1]
    assert lines[2] == "secret=admin's $ecret leaked= module=the site's root=/evil"
    assert "CapPrm:0000000000000000 CapEff:0000000000000000 NoNewPrivs:1" in lines[3]
    assert lines[-1] == "argument=two words"


def test_run_leaves_nginx_its_root(host: Machine) -> None:
    ran = host.run("gazette-run", "x", "root", "-", "0022", "/bin/sh", "-c", "id -un; umask")
    assert ran.stdout == "root\n0022\n"


def test_process_stays_with_the_release_it_started_in(host: Machine) -> None:
    """`current` moves at the next deploy; half of the modules would come from another release."""
    ran = host.run("gazette-process", "main", 'sh -c "echo $PYTHONPATH $PWD; command -v python"')
    folder = f"/srv/gazette/releases/{RELEASE}"
    assert ran.stdout.splitlines() == [
        f"{folder}/settings:{folder}/src {folder}/src",
        f"{folder}/venv/bin/python",
    ]


# --- Supervisor -------------------------------------------------------------------------------

needs_supervisor = pytest.mark.skipif(
    SUPERVISORD is None, reason="needs supervisor: pip install -r requirements-test.txt"
)
NASTY = "sh -c 'echo \"$0 $1\" 100% done ; exec sleep 600' \"a b\" '# c'"


@pytest.fixture
def supervised(plain: Render) -> Iterator[Machine]:
    """A machine whose supervisor has a gunicorn (it sleeps) and a process of the site's to run."""
    if os.geteuid() != 0:
        pytest.skip("needs root: becomes other users")
    assert SUPERVISORD
    with machine(str(Path(SUPERVISORD).parents[1])) as built:
        for name, template in SCRIPTS.items():
            text = plain(template, supervisor_bin=str(Path(SUPERVISORD).parent))
            built.write(f"/local/sbin/{name}", text, 0o755)
        add_release(built, RELEASE, plain)
        (built.root / "srv/gazette/current").symlink_to(f"releases/{RELEASE}")
        gunicorn = f"{TELL}\nexec sleep 600\n"
        built.write(f"/srv/gazette/releases/{RELEASE}/venv/bin/gunicorn", gunicorn, 0o755)
        folder = "/etc/django-split/gazette/supervisor"
        built.write(f"{folder}/supervisord.conf", plain("supervisor/supervisord.conf.j2"), 0o600)
        program = plain("supervisor/instance.program.j2").replace("@RELEASE@", RELEASE)
        built.write(f"{folder}/conf.d/admin.conf", program)
        text = plain("supervisor/process.program.j2", process={**PROCESS, "command": NASTY})
        built.write(f"{folder}/conf.d/worker.conf", text)
        yield built


def find(built: Machine, what: str) -> set[int]:
    return {pid for pid, command in built.processes().items() if command.startswith(what)}


def both_run(built: Machine) -> bool:
    return len(find(built, "sleep 600")) == 2


@needs_supervisor
def test_start_brings_the_site_up_and_a_second_one_changes_nothing(supervised: Machine) -> None:
    first = supervised.run("gazette-start")
    assert (first.returncode, first.stderr) == (0, "")
    until(lambda: both_run(supervised), "both programs run")
    before = find(supervised, "sleep 600")
    second = supervised.run("gazette-start")
    assert "runs already" in second.stdout
    assert find(supervised, "sleep 600") == before

    log = supervised.read("/var/log/django-split/gazette/admin.log")
    folder = f"/srv/gazette/releases/{RELEASE}"
    assert "user=gazette-admin group=gazette-admin-http" in log
    assert (
        f"cwd={folder}/src umask=0002 settings=split_admin path={folder}/settings:{folder}/src"
        in log
    )
    assert f"argument=unix:/run/gazette/admin/admin-{RELEASE}.sock" in log
    # ; # % " and $ came through supervisor, its own quoting and a shell.
    assert supervised.read("/var/log/django-split/gazette/worker.log") == "a b # c 100% done\n"

    socket = supervised.run("stat", "-c", "%a %U", "/run/gazette/supervisor.sock").stdout
    assert socket == "700 root\n"
    folders = supervised.run(
        "stat", "-c", "%n %a %U %G", *(f"/run/gazette/{x}" for x in ("main", "admin", "store"))
    )
    # Main's store has no user here: main has no sessions.
    assert supervised.run("test", "-e", "/run/gazette/public").returncode == 1
    assert folders.stdout.splitlines() == [
        "/run/gazette/main 750 gazette-main gazette-main-http",
        "/run/gazette/admin 750 gazette-admin gazette-admin-http",
        "/run/gazette/store 750 gazette-store gazette-store",
    ]


@needs_supervisor
def test_what_a_killed_supervisor_left_behind_is_ended_and_nothing_else(
    supervised: Machine,
) -> None:
    supervised.run("gazette-start")
    until(lambda: both_run(supervised), "both programs run")
    left = find(supervised, "sleep 600")
    supervisor = supervised.read("/run/gazette/supervisord.pid").strip()
    supervised.run("kill", "-KILL", supervisor)
    until(lambda: int(supervisor) not in supervised.processes(), "the supervisor is gone")
    assert find(supervised, "sleep 600") == left

    # Somebody else's process that has the pid of one of ours from before the last restart.
    supervised.run("sh", "-c", "setsid sleep 500 >/dev/null 2>&1 &")
    [stranger] = find(supervised, "sleep 500")
    supervised.write("/run/gazette/pids/old", f"{stranger} 1\n")
    # A note that was cut short by a full disk.
    supervised.write("/run/gazette/pids/broken", "")

    again = supervised.run("gazette-start")
    assert again.returncode == 0, again.stderr
    assert "ending gazette-admin@" in again.stdout
    until(lambda: both_run(supervised), "both programs run again")
    assert left.isdisjoint(find(supervised, "sleep 600"))
    assert find(supervised, "sleep 500") == {stranger}


@needs_supervisor
def test_each_process_is_told_to_stop_by_its_own_signal(plain: Render, supervised: Machine) -> None:
    signals = ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH")
    for name in signals:
        traps = "; ".join(f'trap "echo told {each}; exit" {each}' for each in signals)
        command = f"sh -c '{traps}; echo waits; while :; do sleep 0.05; done'"
        told = {"name": name.lower(), "command": command, "stop_signal": name}
        text = plain("supervisor/process.program.j2", process={**PROCESS, **told})
        supervised.write(f"/etc/django-split/gazette/supervisor/conf.d/{name}.conf", text)

    def logs() -> list[str]:
        return [
            supervised.read(f"/var/log/django-split/gazette/{name.lower()}.log") for name in signals
        ]

    supervised.run("gazette-start")
    until(lambda: logs() == ["waits\n"] * len(signals), "all wait")
    pid = supervised.read("/run/gazette/supervisord.pid").strip()
    supervised.run("kill", "-TERM", pid)
    until(lambda: int(pid) not in supervised.processes(), "supervisor has ended")
    assert logs() == [f"waits\ntold {name}\n" for name in signals]


@needs_supervisor
def test_start_is_a_containers_command(supervised: Machine) -> None:
    script = (
        "gazette-start --foreground >/tmp/out 2>&1 & echo $!; "
        "until pgrep -x -f 'sleep 600' >/dev/null; do sleep 0.1; done; kill -TERM $!; wait $!"
    )
    ran = supervised.run("sh", "-c", script)
    pid = int(ran.stdout)
    # It became supervisord (no process between, so signals arrive), and took the site down with it.
    assert ran.returncode == 0, supervised.read("/tmp/out")
    assert f"supervisord started with pid {pid}" in supervised.read("/tmp/out")
    assert find(supervised, "sleep 600") == set()


@pytest.mark.parametrize("user", ["gazette-admin"])
def test_start_is_roots(host: Machine, user: str) -> None:
    ran = host.run(
        "setpriv", f"--reuid={user}", "--clear-groups", "--", "/usr/local/sbin/gazette-start"
    )
    assert (ran.returncode, ran.stderr) == (2, "gazette-start: run me as root\n")
