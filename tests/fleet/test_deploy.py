"""Releases on a server under load: none drops a request, and none that is broken comes to serve.

One server is deployed to by SSH. While the tests run, visitors on keep-alive connections ask for
pages, every second time by POST, and one for a page that takes three seconds. The tests share the
server and build on each other, in the order in which they stand here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .crowd import Load
from .deploying import Server, server
from .test_newcomer import FIRST_SECONDS

pytestmark = [pytest.mark.fleet, pytest.mark.slow]

RECAP = re.compile(r"^localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)
AGAIN = "run the same command again"
RELEASES = "/srv/gazette/releases"


@dataclass
class Deployed:
    """The server, its visitors, and what it serves as far as the tests have come."""

    server: Server
    load: Load
    mark: str
    # Names of what went on, in which no request may fail.
    phases: list[str] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self.phases.append(name)
        with self.load.phase(name):
            yield

    def deploy(self, *words: str) -> str:
        said = self.server.play("playbooks/deploy.yml", *words)
        self.serves(self.mark)
        return said

    def serves(self, mark: str) -> None:
        page = self.server.visitor.ask("/").text
        assert mark in page
        assert mark in self.server.visitor.ask("/load/").text
        # What a page of this release names, and what an older page may name.
        style = re.search(r'href="(/static/gazette[.][0-9a-f]+[.]css)"', page)
        assert style is not None, page
        for path in (style[1], "/static/gazette.css"):
            assert mark in self.server.visitor.ask(path).text, path


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nothing has been put on."""
    with server(tmp_path_factory.mktemp("deploy"), main_workers=3) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def deployed(fresh: Server) -> Iterator[Deployed]:
    """The same with the site, and with visitors."""
    mark = fresh.change()
    fresh.play("site.yml", timeout=FIRST_SECONDS)
    with Load(fresh.address) as load:
        yield Deployed(fresh, load, mark)


def test_a_server_that_was_never_set_up_is_told_how(fresh: Server) -> None:
    for playbook in ("playbooks/deploy.yml", "playbooks/rollback.yml"):
        said = fresh.refused(playbook)
        assert "has no such site (/srv/gazette/releases is missing)" in said
        assert "by site.yml" in said
    assert fresh.host.run("ls /srv").stdout == ""


STEPS = ("build", "plan", "check", "migrate", "collectstatic", "gate", "flip")
MOMENTS = [f"{when}_{step}" for step in STEPS for when in ("before", "after")]
# When it is, what is deployed, which main serves, and whether the site's commands can be run.
HOOK = """
- name: Note it
  ansible.builtin.shell:
    cmd: >-
      echo {moment} {{{{ split_release_id }}}}
      $(basename $(readlink {{{{ split_home }}}}/live/main.sock) .sock)
      $(test -x {{{{ release_manage }}}} && echo can manage) >>/root/hooks
  changed_when: true
"""


def hooks(server: Server) -> dict[str, str]:
    """A task file for each moment."""
    paths = {moment: server.variables.with_name(f"{moment}.yml") for moment in MOMENTS}
    for moment, path in paths.items():
        path.write_text(HOOK.format(moment=moment))
    return {moment: str(path) for moment, path in paths.items()}


def test_a_code_only_deploy_builds_no_virtualenv(deployed: Deployed) -> None:
    environments = "ls -d /srv/gazette/venvs/*"
    before = deployed.server.host.run(environments).stdout
    deployed.server.set(site_hooks=hooks(deployed.server))
    deployed.mark = deployed.server.change()
    with deployed.phase("deploy"):
        deployed.deploy()
    assert deployed.server.host.run(environments).stdout == before


def noted(deployed: Deployed) -> list[list[str]]:
    lines = deployed.server.host.run("cat /root/hooks").stdout.splitlines()
    return [line.split(" ", 3) for line in lines]


def test_hooks_run_around_each_step_while_the_old_release_serves(deployed: Deployed) -> None:
    """In that deploy."""
    seen = noted(deployed)
    assert [moment for moment, *_ in seen] == MOMENTS
    new = deployed.server.links().split()[-1].rpartition("/")[2]
    assert {release for _, release, *_ in seen} == {new}
    assert {can for *_, can in seen} == {"can manage"}
    serves = [main == f"main-{new}" for _, _, main, _ in seen]
    assert serves == [moment == "after_flip" for moment in MOMENTS]


def test_a_second_run_changes_nothing(deployed: Deployed) -> None:
    recap = RECAP.search(deployed.deploy())
    assert recap is not None
    assert recap[1] == "0"
    assert len(noted(deployed)) == len(MOMENTS), "nothing is deployed, so no hook runs"
    deployed.server.set(site_hooks={})


def test_static_files_are_on_the_disk_once_and_nobodys_to_write(deployed: Deployed) -> None:
    shared, own = "/srv/gazette/shared/static", f"{RELEASES}/*/static"
    # Both releases name it, and nginx.
    links = deployed.server.host.run(f"stat -c %h {shared}/admin/css/base.css").stdout
    assert int(links) == 3
    writable = f"find {shared} {own} ! -type l -perm /022"
    assert deployed.server.host.run(writable).stdout == ""


Run = subprocess.Popen[str]


def until(run: Run, task: str) -> None:
    """Read what a run says until it begins a task."""
    assert run.stdout is not None
    for line in run.stdout:
        if task in line:
            return
    raise AssertionError(f"the run ended before {task!r}")


def controller(deployed: Deployed, run: Run) -> None:
    os.killpg(run.pid, signal.SIGKILL)


def network(deployed: Deployed, run: Run) -> None:
    """No connection of the run lives any more; what it has begun on the host goes on."""
    deadline = time.monotonic() + 60
    # A run that has no command on the way just then would only connect anew.
    while run.poll() is None:
        assert time.monotonic() < deadline, "the run goes on without a connection"
        for pid, command in deployed.server.host.processes().items():
            if command.startswith("sshd: root"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def power(deployed: Deployed, run: Run) -> None:
    deployed.load.during("away")
    deployed.server.host.cut_power()
    deployed.server.host.start()


# In the order of a deploy: each run goes on where the one before was ended.
KILLS = [
    ("A virtualenv of the site's requirements", controller, "virtualenv"),
    ("Analyse the site and write its plan", network, "plan"),
    ("release : Migrate", power, "migrate"),
    ("Collect static files", controller, "static"),
    ("instance : The release is serving", controller, "flip"),
]


@pytest.mark.parametrize(
    ("task", "end", "name"), KILLS, ids=[f"{name}-{end.__name__}" for _, end, name in KILLS]
)
def test_killed_at_any_point_the_site_is_up(
    deployed: Deployed, task: str, end: Callable[[Deployed, Run], None], name: str
) -> None:
    if name == "virtualenv":
        deployed.mark = deployed.server.change()
        # Another line, another virtualenv.
        deployed.server.edit("requirements.txt", "", "# anew\n")
    before = re.findall("edition [0-9]+", deployed.server.visitor.ask("/").text)
    with deployed.phase(f"killed at {name}"):
        run = deployed.server.start("playbooks/deploy.yml")
        until(run, task)
        # Into the task, not between two.
        time.sleep(0.5)
        end(deployed, run)
        deployed.server.end(run)
        if end is power:
            deployed.server.visitor.wait("/", 30)
            deployed.server.visitor.wait("/admin/login/", 30)
            deployed.load.during("after power came back")
        for path in ("/", "/static/gazette.css"):
            assert re.findall("edition [0-9]+", deployed.server.visitor.ask(path).text) == before


def test_the_same_command_finishes_what_was_killed(deployed: Deployed) -> None:
    with deployed.phase("finished"):
        deployed.deploy()


@contextmanager
def full_disk(deployed: Deployed) -> Iterator[None]:
    """No room for another release; those that are there are where they were."""
    host = deployed.server.host
    host.run(
        "mkdir -p /mnt/full && mount -t tmpfs -o size=128m,mode=755 tmpfs /mnt/full"
        f" && cp -a {RELEASES}/. /mnt/full && mount --bind /mnt/full {RELEASES}"
    )
    host.run(f"dd if=/dev/zero of={RELEASES}/.filler bs=4k", check=False)
    host.run(f"truncate --size=-100k {RELEASES}/.filler")
    yield
    host.run(f"umount {RELEASES} && umount /mnt/full")


@contextmanager
def broken_nginx(deployed: Deployed) -> Iterator[None]:
    """A neighbour's file that nginx does not take; it has not been reloaded since."""
    host = deployed.server.host
    folder = "/etc/django-split/nginx/sites/neighbour"
    host.run(f"mkdir {folder} && echo 'server {{ nonsense; }}' > {folder}/site.conf")
    yield
    host.run(f"rm -r {folder}")


Break = Callable[[Deployed], AbstractContextManager[None]]


def broken_source(name: str, old: str, new: str) -> Break:
    @contextmanager
    def broken(deployed: Deployed) -> Iterator[None]:
        deployed.server.edit(name, old, new)
        yield

    return broken


def at_the_gate(line: str) -> Break:
    """What is wrong with a page shows when gunicorn is asked for it, not before."""
    text = (
        "    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:\n"
        "        import sys, time\n"
        f"        if 'gunicorn.app.wsgiapp' in sys.modules:\n            {line}\n"
    )
    return broken_source("news/views.py", text.splitlines()[0] + "\n", text)


MIGRATION = """
from django.db import migrations

def stop(apps, schema_editor):
    raise RuntimeError("no such column in this edition")

class Migration(migrations.Migration):
    dependencies = [("news", "0001_initial")]
    operations = [migrations.RunPython(stop)]
"""
CHECK = """
from django.core import checks

@checks.register
def never(**options):
    return [checks.Error("the news is out", id="news.E001")]
"""
MEMBERS = """
from django.contrib.auth.decorators import login_required
urlpatterns += [path("members/", login_required(load.view))]
"""


@contextmanager
def migration(deployed: Deployed) -> Iterator[None]:
    (deployed.server.source / "news" / "migrations" / "0002_stop.py").write_text(MIGRATION)
    yield


def refusing_hook(moment: str) -> Break:
    @contextmanager
    def broken(deployed: Deployed) -> Iterator[None]:
        path = deployed.server.variables.with_name("refuses.yml")
        path.write_text(
            "- name: Ask the office\n"
            "  ansible.builtin.command: sh -c 'echo nobody is there >&2; exit 3'\n"
        )
        deployed.server.set(site_hooks={moment: str(path)})
        try:
            yield
        finally:
            deployed.server.set(site_hooks={})

    return broken


# What is broken, the step that says so, and what of its log is shown.
BROKEN: dict[str, tuple[Break, str, str]] = {
    "import": (
        broken_source("news/views.py", "", "\nimport nothing_of_that_name\n"),
        "What the plan says",
        "No module named 'nothing_of_that_name'",
    ),
    "environment": (
        broken_source("gazette/settings.py", "", '\nAPI_KEY = os.environ["GAZETTE_KEY"]\n'),
        "What the plan says",
        "GAZETTE_KEY",
    ),
    "plan": (broken_source("gazette/urls.py", "", MEMBERS), "What the plan says", "/members/"),
    "check": (
        broken_source("news/models.py", "", CHECK),
        "Check the admin's settings",
        "(news.E001) the news is out",
    ),
    "migration": (migration, "Migrate", "no such column in this edition"),
    "error": (
        at_the_gate("raise RuntimeError('torn page')"),
        "the gate refused it: GET / answered 500",
        "RuntimeError: torn page",
    ),
    "hang": (
        at_the_gate("time.sleep(10)"),
        "the gate refused it: /run/gazette/main/main-",
        "timed out",
    ),
    "disk": (full_disk, "The disk is full", "No space left on device"),
    "nginx": (broken_nginx, "nginx does not take the config", 'unknown directive "nonsense"'),
    "hook while it is built": (
        refusing_hook("before_migrate"),
        "Ask the office: failed.",
        "nobody is there",
    ),
    # Both of the new gunicorns run by then.
    "hook before the flip": (
        refusing_hook("before_flip"),
        "Ask the office: failed.",
        "nobody is there",
    ),
}


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.soak if "hook" in kind else ()) for kind in BROKEN],
)
def test_a_broken_release_never_serves(deployed: Deployed, kind: str) -> None:
    broken, step, log = BROKEN[kind]
    before, daemons = deployed.server.links(), deployed.server.daemons()
    deployed.server.change()
    with deployed.phase(f"broken: {kind}"), broken(deployed):
        # Long enough for a sound one, unless it is to hang.
        seconds = 3 if kind == "hang" else 45
        said = deployed.server.refused(
            "playbooks/deploy.yml", "-e", f"instance_gate_seconds={seconds}"
        )
        deployed.serves(deployed.mark)
        marked = deployed.server.host.run(f"cat {RELEASES}/*/.failed", check=False).stdout
    assert step in said
    assert log in said
    assert deployed.server.links() == before
    assert deployed.server.daemons() == daemons, "nothing of the broken release runs on"
    assert AGAIN in said
    if kind not in ("disk", "nginx"):
        assert marked


def test_what_failed_is_kept_for_study_and_not_for_ever(deployed: Deployed) -> None:
    kept = deployed.server.host.run(f"ls {RELEASES}").stdout.split()
    failed = [name for name in kept if name.startswith("failed-")]
    assert failed
    assert len(kept) <= 7  # three of each kind, and what serves


COLUMN = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("news", "0001_initial")]
    operations = [migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True))])]
"""


def test_a_rollback_says_which_migrations_lie_between(deployed: Deployed) -> None:
    old, mark = deployed.mark, deployed.server.change()
    (deployed.server.source / "news" / "migrations" / "0002_later.py").write_text(COLUMN)
    deployed.mark = mark
    with deployed.phase("deploy with a migration"):
        deployed.deploy()
    with deployed.phase("rollback refused"):
        said = deployed.server.refused("playbooks/rollback.yml")
    assert "- news.0002_later" in said
    assert "-e migrations=keep" in said
    assert "gazette-manage migrate news 0001_initial" in said
    deployed.serves(mark)
    with deployed.phase("rollback"):
        began = time.monotonic()
        said = deployed.server.play("playbooks/rollback.yml", "-e", "migrations=keep")
        print(f"rollback: {time.monotonic() - began:.1f} s")
    deployed.serves(old)
    assert "did before" in said
    deployed.mark = old


WAITS = """
import time
from pathlib import Path
from django.db import migrations

def wait(apps, schema_editor):
    log = Path("/var/tmp/migration")
    with log.open("a") as file:
        print("begins", file=file)
    while not Path("/var/tmp/go-on").exists():
        time.sleep(0.1)
    with log.open("a") as file:
        print("ends", file=file)

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("news", "0001_initial")]
    operations = [migrations.RunPython(wait)]
"""


def end_all_of_it(deployed: Deployed) -> None:
    """As if the controller lost its power: who renews the lock, tasks that outlived their run."""
    words = f"@{deployed.server.variables}".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if words in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


@pytest.mark.soak
def test_what_a_killed_run_has_begun_to_migrate_is_waited_for(deployed: Deployed) -> None:
    """It goes on by itself on the host. Two that migrate one database at once break it."""
    host, mark = deployed.server.host, deployed.server.change()
    (deployed.server.source / "news" / "migrations" / "0002_waits.py").write_text(WAITS)
    with deployed.phase("a killed run migrates on"):
        first = deployed.server.start("playbooks/deploy.yml")
        host.run("until grep -q begins /var/tmp/migration; do sleep 0.1; done", timeout=120)
        controller(deployed, first)
        deployed.server.end(first)
        # Its task is at it still, and so its lock is held.
        said = deployed.server.refused("playbooks/deploy.yml")
        assert "is being deployed already" in said
        end_all_of_it(deployed)
        # Nobody renews it: it ends, and what is on the host does not. A run that comes sooner is
        # refused, one that comes when so much is missing waits for the lease's end.
        time.sleep(20)
        second = deployed.server.start("playbooks/deploy.yml")
        deadline = time.monotonic() + 300
        while sum("flock --timeout 600" in each for each in host.processes().values()) < 2:
            assert second.poll() is None
            assert time.monotonic() < deadline, "it does not come to migrate"
            time.sleep(1)
        time.sleep(5)
        assert second.poll() is None
        assert host.run("cat /var/tmp/migration").stdout == "begins\n"
        host.run("touch /var/tmp/go-on")
        code, said = deployed.server.end(second)
    assert code == 0, said[-4000:]
    assert host.run("cat /var/tmp/migration").stdout == "begins\nends\n"
    deployed.mark = mark
    deployed.serves(mark)


@pytest.mark.soak
def test_a_worker_that_ended_for_a_migration_comes_back_when_nginx_refuses(
    deployed: Deployed,
) -> None:
    host, active = deployed.server.host, "systemctl is-active gazette-ticker"
    ticker = {"name": "ticker", "command": "sleep 1000000", "before_migrations": "stop"}
    deployed.server.set(site_processes=[ticker])
    with deployed.phase("deploy with a worker"):
        deployed.deploy()
    before = host.run("systemctl show -P ExecMainStartTimestampMonotonic gazette-ticker").stdout
    mark = deployed.server.change()
    migration = deployed.server.source / "news" / "migrations" / "0002_more.py"
    migration.write_text(COLUMN.replace("Later", "More"))
    with deployed.phase("nginx refuses behind a migration"), broken_nginx(deployed):
        deployed.server.refused("playbooks/deploy.yml")
    assert host.run(active).stdout == "active\n"
    after = host.run("systemctl show -P ExecMainStartTimestampMonotonic gazette-ticker").stdout
    assert after != before, "it had ended"
    deployed.mark = mark
    deployed.server.set(site_processes=[])
    with deployed.phase("deploy without it"):
        deployed.deploy()
    assert host.run(active, check=False).stdout == "inactive\n"


@pytest.mark.soak
def test_one_that_breaks_behind_the_gate_leaves_both_on_the_release_before(
    deployed: Deployed,
) -> None:
    """Main is refused right before its flip, and the admin has been given the release by then."""
    host, active = deployed.server.host, "systemctl is-active gazette-ticker"
    ticker = {"name": "ticker", "command": "sleep 1000000", "before_migrations": "stop"}
    deployed.server.set(site_processes=[ticker])
    with deployed.phase("deploy with a worker once more"):
        deployed.deploy()
    before, daemons = deployed.server.links(), set(deployed.server.daemons().values())
    mark = deployed.server.change()
    migration = deployed.server.source / "news" / "migrations" / "0002_most.py"
    migration.write_text(COLUMN.replace("Later", "Most"))
    goes = "__import__('os').path.exists('/etc/away')"
    with at_the_gate(f"if {goes}: raise RuntimeError('torn page')")(deployed):
        hook = deployed.server.variables.with_name("breaks.yml")
        hook.write_text("- ansible.builtin.command: touch /etc/away\n")
    deployed.server.set(site_hooks={"before_flip": str(hook)})
    with deployed.phase("broken behind the gate"):
        said = deployed.server.refused("playbooks/deploy.yml")
    assert "the gate refused it: GET / answered 500" in said
    assert "The release that served before still does" in said
    assert "localhost had been given release" in said
    assert "went back to the one before" in said
    assert deployed.server.links() == before
    assert set(deployed.server.daemons().values()) == daemons
    assert host.run(active).stdout == "active\n"

    # A run that is killed between the two leaves the same for the next one.
    host.run("rm /etc/away")
    deployed.server.set(site_hooks={})
    with deployed.phase("killed between the flips"):
        run = deployed.server.start("playbooks/deploy.yml")
        until(run, "Sessions of before the split")
        controller(deployed, run)
        deployed.server.end(run)
    assert deployed.server.links() != before
    host.run("touch /etc/away")
    with deployed.phase("refused behind a kill"):
        said = deployed.server.refused("playbooks/deploy.yml")
    assert "the gate refused it: GET / answered 500" in said
    assert deployed.server.links() == before
    assert set(deployed.server.daemons().values()) == daemons
    assert host.run(active).stdout == "active\n"

    host.run("rm /etc/away")
    deployed.mark = mark
    deployed.server.set(site_processes=[])
    with deployed.phase("the same release without what broke it"):
        deployed.deploy()


@pytest.mark.soak
def test_a_hook_that_fails_behind_the_flip_is_gone_on_behind(deployed: Deployed) -> None:
    deployed.mark = deployed.server.change()
    with deployed.phase("hook behind the flip"), refusing_hook("after_flip")(deployed):
        said = deployed.server.refused("playbooks/deploy.yml")
        assert "Ask the office: failed." in said
        assert "serves all the same" in said
        deployed.serves(deployed.mark)
        deployed.deploy()


def test_a_release_that_is_not_there_is_refused_with_those_that_are(deployed: Deployed) -> None:
    said = deployed.server.refused("playbooks/rollback.yml", "-e", "release=0123456789ab")
    assert 'release is "0123456789ab"' in said
    assert deployed.server.links().split()[-1].rpartition("/")[2] in said


# Its old workers close the connections that wait: who has just asked on one gets no answer.
RELOAD = "nginx is reloaded"
NO_ANSWER = "IncompleteReadError: 0 bytes read"
BETWEEN = "Sessions of before the split"
BEHIND = "Nginx shows the static files of the release that serves"


def named(deployed: Deployed) -> dict[str, str]:
    """What serves, by its link."""
    main, admin, current = deployed.server.links().split()
    names = {"main": main, "admin": admin, "current": current}
    return {
        each: link.rpartition("/")[2].removeprefix(f"{each}-").removesuffix(".sock")
        for each, link in names.items()
    }


def killed(deployed: Deployed, playbook: str, task: str) -> None:
    run = deployed.server.start(playbook)
    until(run, task)
    controller(deployed, run)
    deployed.server.end(run)


@pytest.mark.soak
def test_a_deploy_that_is_killed_between_its_flips_is_gone_back_from(deployed: Deployed) -> None:
    """To what served before it, and not one further; what it has migrated is asked about."""
    old, before = named(deployed)["current"], deployed.server.links()
    deployed.server.change()
    migration = deployed.server.source / "news" / "migrations" / "0002_between.py"
    migration.write_text(COLUMN.replace("Later", "Between"))
    with deployed.phase("a deploy killed between its flips"):
        killed(deployed, "playbooks/deploy.yml", BETWEEN)
        new = named(deployed)["admin"]
        assert named(deployed) == {"main": old, "admin": new, "current": old}
        assert new != old
        status = deployed.server.host.run("gazette-status", check=False).stdout
        assert f"playbooks/rollback.yml goes on to {old}" in status
    with deployed.phase("rollback from half a deploy"):
        said = deployed.server.refused("playbooks/rollback.yml")
        assert "- news.0002_between" in said
        assert f"gazette-manage --release {new} migrate news 0001_initial" in said
        said = deployed.server.play("playbooks/rollback.yml", "-e", "migrations=keep")
    assert f"serves release {old}; {new} did before" in said
    assert deployed.server.links() == before
    deployed.serves(deployed.mark)


def logins(deployed: Deployed) -> list[int]:
    return [deployed.server.visitor.ask(f"/{each}/login/").status for each in ("admin", "desk")]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("at", "by_name"),
    [("", False), (BETWEEN, False), (BEHIND, False), (BEHIND, True)],
    ids=["whole", "between-the-flips", "behind-current", "behind-current-by-name"],
)
def test_a_rollback_to_another_admin_prefix_takes_nginx_along(
    deployed: Deployed, at: str, by_name: bool
) -> None:
    """However often it takes: the same command goes on to the same release, with its hook."""
    deployed.server.host.run("rm -f /root/hooks")
    deployed.mark = old = deployed.server.change()
    with deployed.phase("deploy"):
        deployed.deploy()
    to = named(deployed)["current"]
    deployed.mark = deployed.server.change()
    deployed.server.edit("gazette/urls.py", 'path("admin/"', 'path("desk/"')
    with deployed.load.phase(RELOAD):
        deployed.deploy()
    assert logins(deployed) == [404, 200]
    deployed.server.set(site_hooks={"after_flip": hooks(deployed.server)["after_flip"]})
    if at:
        with deployed.phase(f"a rollback killed {at}"):
            killed(deployed, "playbooks/rollback.yml", at)
            status = deployed.server.host.run("gazette-status", check=False).stdout
        assert f"playbooks/rollback.yml goes on to {to}" in status
        assert deployed.server.host.run("cat /root/hooks", check=False).stdout == ""
    with deployed.load.phase(RELOAD):
        words = ("-e", f"release={to}") if by_name else ()
        deployed.server.play("playbooks/rollback.yml", *words)
    deployed.mark = old
    deployed.serves(old)
    assert set(named(deployed).values()) == {to}
    assert logins(deployed) == [200, 404]
    assert [moment for moment, *_ in noted(deployed)] == ["after_flip"]
    deployed.server.set(site_hooks={})
    status = deployed.server.host.run("gazette-status").stdout
    assert "all is well" in status
    assert "goes back to" in status
    assert deployed.server.host.run("ls /srv/gazette/live").stdout == "admin.sock\nmain.sock\n"


def test_no_request_failed(deployed: Deployed) -> None:
    """The last of all: what the visitors saw."""
    seen = deployed.load.end()
    print(seen)
    reloaded = seen.pop(RELOAD, {"failures": {}})
    assert [cause for cause in reloaded["failures"] if not cause.startswith(NO_ANSWER)] == []
    assert {
        name: seen[name]["failures"] for name in seen if name != "away" if seen[name]["failed"]
    } == {}
    assert sum(each["requests"] for each in seen.values()) > 500
    assert sum(each["slow"] for each in seen.values()) > 10
    assert set(deployed.phases) - set(seen) <= {"killed at migrate"}
