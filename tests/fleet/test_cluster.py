"""A site on seven hosts, as `inventory/cluster` has it: what is deployed, and what faults cost.

Two proxies, two hosts of main's, two of the admin's, one for the database; the three last of them
keep the sessions. The tests share the hosts and build on each other, in the order in which they
stand here. No host but the first admin's has a way out.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import paths
from .hosts import CommandError
from .load import Load
from .network import Fleet, Networked
from .test_newcomer import SIGNED_IN
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow]

NAMES = ("proxy1", "proxy2", "main1", "main2", "admin1", "admin2", "db")
HOST = "news.example"
LOGIN = "/admin/login/?next=/admin/"
GAZETTE = paths.REPOSITORY / "tests" / "sites" / "gazette"
SECONDS = 900
CHANGED = re.compile(r"^\w+ +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)


@dataclass(frozen=True)
class Cluster:
    fleet: Fleet
    site: Path

    def __getitem__(self, name: str) -> Networked:
        return next(host for host in self.fleet.hosts if host.short == name)

    @property
    def proxies(self) -> list[str]:
        return [self["proxy1"].address, self["proxy2"].address]

    def visitor(self, proxy: str = "proxy1") -> Visitor:
        return Visitor(f"http://{self[proxy].address}")

    def load(self, *paths: str) -> Load:
        return Load(self.proxies, HOST, paths or ("/",))

    def play(self, *words: str, check: bool = True) -> str:
        done = self.fleet.play(*words, timeout=SECONDS, check=check)
        assert check or done.returncode, f"{words} was to fail:\n{done.stdout[-3000:]}"
        return done.stdout

    def releases(self) -> dict[str, str]:
        """The release that each instance serves on each host."""
        found = {}
        for name in NAMES[2:6]:
            link = self[name].run("readlink /srv/gazette/live/*.sock").stdout.strip()
            found[name] = link.rpartition("-")[2].removesuffix(".sock")
        return found

    def inventory(self, **groups: list[str]) -> None:
        wanted = {
            "proxy": ["proxy1", "proxy2"],
            "main": ["main1", "main2"],
            "admin": ["admin1", "admin2"],
            "redis": ["admin1", "admin2", "db"],
            "database": ["db"],
            **groups,
        }
        self.fleet.inventory(
            {group: [self[name] for name in names] for group, names in wanted.items()},
            {
                "site_name": "gazette",
                "site_source": str(self.site),
                "site_settings": "gazette.settings",
                "site_hosts": [HOST, *self.proxies],
                "site_media": "shared",
                "site_database": "postgresql",
                "site_first_commands": ["load_articles --count 40"],
                "site_gate_text": "Gazette",
            },
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    site = tmp_path_factory.mktemp("site") / "gazette"
    shutil.copytree(GAZETTE, site)
    with Fleet() as fleet:
        for name in NAMES:
            fleet.boot(name, way_out=name == "admin1")
        cluster = Cluster(fleet, site)
        cluster.inventory()
        yield cluster


@pytest.mark.soak
def test_check_mode_passes_on_fresh_hosts(cluster: Cluster) -> None:
    cluster.play("site.yml", "--check", "--diff")
    for name in NAMES:
        assert cluster[name].run("ls /srv/gazette", check=False).stdout == ""


def test_the_site_is_deployed_from_one_build(cluster: Cluster) -> None:
    said = cluster.play("site.yml")
    for host in ("main1", "main2"):
        assert f"✔ main on {host} answers this proxy" in said
    assert "✔ a login at this host's socket works" in said
    assert len(set(cluster.releases().values())) == 1
    for proxy in ("proxy1", "proxy2"):
        assert "Gazette" in cluster.visitor(proxy).ask("/").text
        assert cluster.visitor(proxy).ask("/static/admin/css/base.css").status == 200


def test_main_has_nothing_of_the_admins(cluster: Cluster) -> None:
    for name in ("main1", "main2"):
        host = cluster[name]
        assert host.run("ls /srv/gazette/current/*.env").stdout.split() == [
            "/srv/gazette/current/main.env"
        ]
        assert "DJANGO_SPLIT" not in host.run("cat /srv/gazette/current/main.env").stdout
        assert host.run("ls /etc/django-split/gazette").stdout.split() in ([], ["tls"])
    asked = cluster["main1"].run(
        ["bash", "-c", f": < /dev/tcp/{cluster['admin1'].address}/8002; echo open"], check=False
    )
    assert "open" in asked.stdout  # nginx is there, and hears only the proxies:
    words = f"printf 'GET /admin/login/ HTTP/1.0\\r\\nHost: {HOST}\\r\\n\\r\\n'"
    place = f"/dev/tcp/{cluster['admin1'].address}/8002"
    refused = cluster["main1"].run(f"exec 3<>{place}; {words} >&3; head -1 <&3").stdout
    assert " 403 " in refused


def test_a_second_run_changes_nothing(cluster: Cluster) -> None:
    said = cluster.play("site.yml")
    assert CHANGED.findall(said) == ["0"] * len(NAMES), said


@pytest.mark.soak  # two minutes alone: a build, and six gunicorns that come and go
def test_a_roll_that_fails_goes_back_everywhere_and_costs_nothing(cluster: Cluster) -> None:
    """The last host cannot flip. All serve the release before, and nobody has noticed."""
    before = cluster.releases()
    template = cluster.site / "templates" / "base.html"
    template.write_text(template.read_text().replace("</body>", "<p>second edition</p></body>"))
    with (cluster.site / "static" / "gazette.css").open("a") as style:
        style.write("/* second edition */\n")
    cluster["main2"].run(
        "mount --bind /srv/gazette/live /srv/gazette/live"
        " && mount -o remount,bind,ro /srv/gazette/live"
    )
    with cluster.load("/", "/admin/login/") as load:
        said = cluster.play("site.yml", check=False)
    assert "Read-only file system" in said
    assert "went back to the one before" in said
    assert cluster.releases() == before
    for proxy in ("proxy1", "proxy2"):
        assert "second edition" not in cluster.visitor(proxy).ask("/static/gazette.css").text
    assert load.failed == {}
    assert load.answered.total() > 100
    cluster["main2"].run("umount /srv/gazette/live")
    print(f"a failed roll: {load.answered.total()} answered, {dict(load.failed)}")


@pytest.mark.soak
def test_the_same_command_mends_it(cluster: Cluster) -> None:
    with cluster.load("/", "/admin/login/") as load:
        cluster.play("site.yml")
    assert load.failed == {}
    assert len(set(cluster.releases().values())) == 1
    for proxy in ("proxy1", "proxy2"):
        for path in ("/", "/static/gazette.css"):
            assert "second edition" in cluster.visitor(proxy).ask(path).text


FAULTS: dict[str, tuple[str, Callable[[Networked], None], Callable[[Networked], None]]] = {
    "power of a main host": ("main1", Networked.kill, Networked.start),
    "cable of a main host": ("main2", Networked.cut, Networked.mend),
    "power of an admin host": ("admin2", Networked.kill, Networked.start),
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=pytest.mark.soak if "cable" in fault else ()) for fault in FAULTS],
)
def test_a_host_that_dies_costs_main_nothing(cluster: Cluster, fault: str) -> None:
    """But what it was making an answer to at that moment."""
    name, harm, mend = FAULTS[fault]
    with cluster.load("/", "/?x=1") as load:
        load.run(2)
        harm(cluster[name])
        load.run(8)
        mend(cluster[name])
        load.run(4)
    print(f"{fault}: {load.answered.total()} answered, {dict(load.failed)}, {load.slowest:.1f} s")
    # One request of each visitor may have been on its way; here they take a hundredth of a second.
    assert load.failed.total() <= (len(cluster.proxies) if name.startswith("main") else 0)
    assert load.answered.total() > 20


def test_whoever_is_signed_in_stays_so_without_the_first_admin_host(cluster: Cluster) -> None:
    """It is the sessions' primary, too: another host has to be made that."""
    password = cluster["admin1"].run("cat /etc/django-split/gazette/superuser").stdout.strip()
    editor = cluster.visitor()
    assert SIGNED_IN in editor.log_in(LOGIN, "admin", password).text
    # Both are asked in turn, and both know the session.
    assert all(SIGNED_IN in editor.ask("/admin/").text for _ in range(6))
    cluster["admin1"].kill()
    try:
        seen = []
        deadline = time.monotonic() + 60
        while (page := editor.ask("/admin/")).status != 200:
            seen.append(page.status)
            assert time.monotonic() < deadline, seen
            time.sleep(0.2)
        assert set(seen) <= {503}, seen
        assert all(SIGNED_IN in editor.ask("/admin/").text for _ in range(6))
    finally:
        cluster["admin1"].start()


def test_a_proxy_that_dies_costs_the_other_nothing(cluster: Cluster) -> None:
    with cluster.load() as load:
        load.run(1)
        cluster["proxy1"].kill()
        load.run(4)
        cluster["proxy1"].start()
        load.run(4)
    print(f"power of a proxy: {load.answered.total()} answered, {dict(load.failed)}")
    other = cluster["proxy2"].address
    assert not [cause for cause in load.failed if cause.startswith(other)]
    assert load.answered[other] > 20
    cluster.visitor("proxy1").wait("/", 60)


@pytest.mark.soak
def test_draining_loses_no_request_and_the_last_host_is_not_drained(cluster: Cluster) -> None:
    with cluster.load() as load:
        cluster.play("playbooks/drain.yml", "-e", "host=main1")
        cluster["main1"].kill()
        load.run(3)
        with pytest.raises(CommandError, match="is the only host of main that is not drained"):
            cluster.play("playbooks/drain.yml", "-e", "host=main2")
        cluster["main1"].start()
        cluster.play("playbooks/drain.yml", "-e", "host=main1", "-e", "state=up")
    assert load.failed == {}
    mark = "/var/lib/django-split/gazette/drained"
    assert cluster["proxy1"].run(f"ls {mark}").stdout == ""


@pytest.mark.soak
def test_a_rollback_takes_all_hosts_back(cluster: Cluster) -> None:
    before = cluster.releases()
    with cluster.load("/", "/admin/login/") as load:
        said = cluster.play("playbooks/rollback.yml")
    assert load.failed == {}, said
    after = cluster.releases()
    assert len(set(after.values())) == 1
    assert not set(after.values()) & set(before.values())
    for proxy in ("proxy1", "proxy2"):
        for path in ("/", "/static/gazette.css"):
            assert "second edition" not in cluster.visitor(proxy).ask(path).text


@pytest.mark.soak
def test_a_host_goes_and_another_comes(cluster: Cluster) -> None:
    with cluster.load() as load:
        cluster.play("playbooks/remove.yml", "-e", "host=main2")
        cluster.inventory(main=["main1"])
        cluster.play("playbooks/proxy.yml")
        assert cluster["main2"].run("ls -d /srv/gazette", check=False).stdout == ""
        cluster.inventory()
        cluster.play("site.yml")
    assert load.failed == {}
    log = "/var/lib/django-split/nginx/access.log"
    asked = f"tail -50 {log} | grep -c {cluster['main2'].address}:8001"
    for _ in range(10):
        cluster.visitor("proxy2").ask("/")
    assert int(cluster["proxy2"].run(asked).stdout) > 0
