"""A site on seven hosts, as `inventory/cluster` has it: what is deployed, and what faults cost.

The tests share the hosts (`cluster`) and build on each other, in the order in which they stand
here. On Debian 13 the proxies end TLS, and two hosts are flipped at a time: all of it in `make
soak`.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from .cluster import HOST, NAMES, Cluster, booted
from .faults import EVERY_DAY, FAULTS, KILLS, Fault, kill_nine, spared
from .hosts import CommandError
from .load import Load
from .network import Networked
from .test_newcomer import SIGNED_IN
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow]

CHANGED = re.compile(r"^\w+ +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)


@pytest.fixture(scope="module", params=["bookworm", pytest.param("trixie", marks=pytest.mark.soak)])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    newer = request.param == "trixie"
    place = tmp_path_factory.mktemp("cluster")
    with booted(request.param, place, tls=newer, serial="100%" if newer else 1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def editor(cluster: Cluster) -> Visitor:
    """Somebody who signs in once, and is not signed out by anything that happens here."""
    return cluster.editor()


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
    before = cluster.processes()
    said = cluster.play("site.yml")
    assert CHANGED.findall(said) == ["0"] * len(NAMES), said
    assert cluster.processes() == before


@pytest.mark.soak
def test_all_hosts_come_back_after_a_reboot(cluster: Cluster, editor: Visitor) -> None:
    """All at once: none of them waits for another that is not there yet."""
    before = cluster.processes()
    cluster.everywhere(Networked.reboot)
    print(f"a reboot of all hosts: the site is back {cluster.wait():.1f} s after the last")
    _still_signed_in(editor)
    after = cluster.processes()
    for name in NAMES:
        assert _units(after[name]) == _units(before[name])
    cluster.play("playbooks/verify.yml")


def _units(processes: str) -> set[str]:
    return set(re.findall(r"^Id=(.+)$", processes, re.MULTILINE))


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


@pytest.mark.parametrize("fault", EVERY_DAY)
def test_a_host_that_dies_costs_main_nothing(cluster: Cluster, fault: str) -> None:
    """But what it was making an answer to at that moment."""
    _try(cluster, fault, EVERY_DAY[fault])


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_main_what_it_must_and_no_more(
    cluster: Cluster, editor: Visitor, fault: str
) -> None:
    _try(cluster, fault, FAULTS[fault])
    back = cluster.wait()
    with cluster.load("/", "/?x=1") as load:
        load.run(3)
    assert load.failed == {}
    print(f"{fault}: both proxies, main and the login answer {back:.1f} s after it was mended")
    _still_signed_in(editor)


def _still_signed_in(editor: Visitor) -> None:
    """A store that was away is asked for a moment longer."""
    deadline = time.monotonic() + 60
    while (page := editor.ask("/admin/")).status != 200:
        assert time.monotonic() < deadline, page.status
        time.sleep(0.2)
    assert SIGNED_IN in page.text


def _try(cluster: Cluster, name: str, fault: Fault) -> None:
    with cluster.load("/", "/?x=1") as load, cluster.load("/admin/login/") as logins:
        load.run(2)
        fault.harm(cluster)
        load.run(fault.seconds)
        fault.mend(cluster)
        load.run(4)
    print(f"{name}: {_told(load)}; the login: {_told(logins)}")
    assert spared(cluster, fault.costs, load.failed), load.failed
    assert load.answered.total() > 20


def _told(load: Load) -> str:
    causes: Counter[str] = Counter()
    for cause, number in load.failed.items():
        causes[cause.partition(" ")[2]] += number
    return f"{load.answered.total()} answered, {dict(causes)} failed, {load.slowest:.1f} s at most"


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "unit", "part", "costs"), KILLS, ids=[" ".join(kill[:3]) for kill in KILLS]
)
def test_what_is_killed_comes_back_by_itself(
    cluster: Cluster, editor: Visitor, name: str, unit: str, part: str, costs: str
) -> None:
    with cluster.load("/", "/?x=1") as load, cluster.load("/admin/login/") as logins:
        load.run(1)
        seconds = kill_nine(cluster[name], unit, part)
        load.run(4)
    told = f"main: {_told(load)}; the login: {_told(logins)}"
    print(f"kill -9, {name}, {part} of {unit}: back after {seconds:.1f} s; {told}")
    assert spared(cluster, costs, load.failed), load.failed
    assert seconds < 15
    cluster.wait()
    _still_signed_in(editor)


@pytest.mark.soak
def test_after_all_that_verify_finds_everything_as_claimed(cluster: Cluster) -> None:
    cluster.play("playbooks/verify.yml")


def test_whoever_is_signed_in_stays_so_without_the_first_admin_host(
    cluster: Cluster, editor: Visitor
) -> None:
    """It is the sessions' primary, too: another host has to be made that."""
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
    cluster.wait()


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


@pytest.mark.soak
def test_the_sessions_go_to_one_host_that_is_no_admins(cluster: Cluster) -> None:
    """By TLS, without Sentinel; a host that was one of several is refused in that place."""
    cluster.inventory(redis=["db"])
    with pytest.raises(CommandError, match="was one of several hosts of the store"):
        cluster.play("site.yml")
    cluster.inventory(redis=["proxy2"])
    with cluster.load() as load:
        said = cluster.play("site.yml")
    assert load.failed == {}
    assert "✔ the session store: 1 of 1 hosts answer; TLS alone, no one without a password" in said
    editor = cluster.editor()
    print(f"the one store: {kill_nine(cluster['proxy2'], 'gazette-store.service', 'first'):.1f} s")
    cluster.wait()
    _still_signed_in(editor)
