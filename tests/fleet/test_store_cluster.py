"""Sessions on three hosts, the database on one of them: a power cut signs nobody out.

The tests share the hosts and build on each other, in the order in which they stand here. They take
too long for `make test`: test_cluster.py there has a store of three hosts, and cuts the primary's
power.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from . import paths
from .images import Release
from .network import Fleet, Networked
from .visitor import Visitor

SOAK = pytest.mark.soak
pytestmark = [pytest.mark.fleet, pytest.mark.slow, SOAK]

DEPLOY_SECONDS = 900
LOGIN = "/admin/login/?next=/admin/"
SIGNED_IN = 'id="logout-form"'
SESSIONS = "/admin/django_split/sessions/"
RECAP = re.compile(r"^(\w+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)
WRITER = Path(__file__).with_name("writer.py")

# A primary that is silent for 3 seconds (session_store_down_after) loses its place; the rest is
# asking, voting and a busy machine. Measured on an idle one: docs/store-cluster.md.
AWAY_SECONDS = 30


class House:
    """Three hosts of the store; the last of them is main, admin and proxy as well."""

    def __init__(self, fleet: Fleet, release: Release) -> None:
        self.fleet = fleet
        self.one, self.two = fleet.boot("one", release), fleet.boot("two", release)
        self.app = fleet.boot("app", release, way_out=True)
        self.stores = [self.one, self.two, self.app]
        self.editor = Visitor(f"http://{self.app.address}")
        app = [self.app]
        fleet.inventory(
            {
                "redis": self.stores,
                "database": [self.two],
                **dict.fromkeys(("proxy", "main", "admin"), app),
            },
            {
                "site_name": "gazette",
                "site_source": str(paths.REPOSITORY / "tests/sites/gazette"),
                "site_settings": "gazette.settings",
                "site_hosts": [self.app.address],
                "site_port": 80,
                "site_database": "postgresql",
                "site_first_commands": ["load_articles --count 40"],
                "site_gate_text": "Gazette",
            },
        )

    def changed(self, *words: str) -> dict[str, int]:
        """Run a playbook: how much it changed, by host."""
        said = self.fleet.play(*words, timeout=DEPLOY_SECONDS).stdout
        return {host: int(number) for host, number in RECAP.findall(said)}

    def primary(self) -> str:
        """Whom the store's hosts agree on."""
        said = self.fleet.play("playbooks/verify.yml", "--limit", "one,two").stdout
        found = set(re.findall(r"the session store: (\S+) is primary", said))
        assert len(found) == 1, said
        return str(found.pop())


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    with Fleet() as fleet:
        yield House(fleet, request.param)


def test_check_mode_passes_on_fresh_hosts(house: House) -> None:
    house.fleet.play("site.yml", "--check", timeout=DEPLOY_SECONDS)
    assert house.one.run("ls /etc/django-split /srv/gazette", check=False).stdout == ""


def test_a_site_is_deployed_with_its_sessions_on_three_hosts(house: House) -> None:
    said = house.fleet.play("site.yml", timeout=DEPLOY_SECONDS).stdout
    assert said.count(f"{house.one.address} is primary, 2 replicas, all Sentinels agree") == 3
    assert "✔ its session is in the store only" in said
    password = house.app.run("cat /etc/django-split/gazette/superuser").stdout.strip()
    assert SIGNED_IN in house.editor.log_in(LOGIN, "admin", password).text
    # Its own user of the store, and another connection.
    assert "this session" in house.editor.ask(SESSIONS).text.lower()


# The store's own second run comes below, behind a failover.
@pytest.mark.parametrize("playbook", ["playbooks/database.yml", "site.yml"])
def test_a_second_run_changes_nothing(house: House, playbook: str) -> None:
    assert house.changed(playbook) == {"one": 0, "two": 0, "app": 0}


def test_passwords_and_keys_are_the_stores_alone(house: House) -> None:
    secrets = json.loads(house.one.run("cat /etc/django-split/gazette/store-passwords.json").stdout)
    pattern = "|".join(secrets.values())
    database = house.two.run("cat /etc/django-split/gazette/database-passwords.json").stdout
    pattern += "".join(f"|{role['password']}" for role in json.loads(database).values())
    for host in house.stores:
        seen = host.run(
            "systemctl cat 'gazette-*'; ps axww -o args=; cat /proc/[0-9]*/environ | tr '\\0' '\\n'"
            " | grep -v '^DJANGO_SPLIT_\\|^PGPASSWORD='; journalctl --no-pager -q",
            check=False,
        ).stdout
        assert not re.search(pattern, seen)
    for user in ("gazette-main", "gazette-admin", "www-data", "nobody"):
        words = f"setpriv --reuid={user} --init-groups --regid=nogroup cat"
        for name in ("store-passwords.json", "store.conf", "store.acl", "sentinel.conf"):
            tried = house.app.run(f"{words} /etc/django-split/gazette/{name}", check=False)
            assert "Permission denied" in tried.stderr, (user, name)
        tried = house.app.run(f"{words} /etc/django-split/gazette/tls/store.key", check=False)
        assert "Permission denied" in tried.stderr, user
    main = house.app.run("cat /srv/gazette/current/main.env").stdout
    assert "STORE" not in main


def test_the_database_lets_each_role_in_from_its_own_hosts_by_tls(house: House) -> None:
    found = re.search(r'^PGPASSWORD="(\w+)"$', _environment(house, "main"), re.MULTILINE)
    assert found is not None

    def ask(host: Networked, role: str, *options: str) -> str:
        words = f"host={house.two.address} user={role} dbname=gazette " + " ".join(options)
        query = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        asked = host.run(
            ["psql", "-X", "-A", "-t", "-w", words, "-c", query],
            env={"PGPASSWORD": found[1]},
            check=False,
        )
        return asked.stdout + asked.stderr

    trusted = ("sslmode=verify-full", "sslrootcert=/etc/django-split/gazette/tls/ca.pem")
    assert ask(house.app, "gazette_main", *trusted) == "TLSv1.3\n"
    assert "rejects" in ask(house.app, "gazette_main", "sslmode=disable")
    assert "password authentication failed" in ask(house.app, "gazette_admin", *trusted)
    assert "rejects" in ask(house.one, "gazette_main", *trusted)
    assert "rejects" in ask(house.app, "gazette_main", "dbname=postgres", "sslmode=require")
    assert "DATABASE_URL" in _environment(house, "owner")
    assert found[1] not in _environment(house, "owner") + _environment(house, "admin")


def _environment(house: House, instance: str) -> str:
    return house.app.run(f"cat /srv/gazette/current/{instance}.env").stdout


@pytest.mark.parametrize("unit", ["gazette-store", "gazette-sentinel"])
def test_units_are_hardened(house: House, unit: str) -> None:
    for host in (house.one, house.two):
        said = host.run(f"systemd-analyze security --no-pager {unit}.service").stdout
        score = re.search(r"exposure level for \S+: ([\d.]+)", said)
        assert score is not None
        assert float(score[1]) <= 1.2, said


def test_the_primarys_power_is_cut_and_the_admin_stays_signed_in(
    house: House, record_property: pytest.RecordProperty
) -> None:
    house.app.copy_in(WRITER, "/srv/writer.py")
    run = "gazette-manage --python /srv/writer.py 25"
    with ThreadPoolExecutor() as pool, Watched(house.editor) as editor:
        writing = pool.submit(house.app.run, run, timeout=120)
        time.sleep(5)
        # The cable first: what the dying kernel would still say, a host without power does not.
        house.one.cut()
        house.one.kill()
        told = json.loads(writing.result().stdout)
    print(f"power off: {told}; the admin: {editor.told()}")
    record_property("power off", str(told))
    assert told["after"] > 100, told
    assert 0 < told["away"] < AWAY_SECONDS, told
    # Replication is asynchronous: what the primary had acknowledged and not yet sent is gone.
    assert told["lost"] <= told["made"] // 100, told
    # Away is said so (503, Retry-After), and nobody is signed out by it.
    assert set(editor.statuses) <= {200, 503}
    assert editor.retry_after
    assert SIGNED_IN in house.editor.ask("/admin/").text


class Watched:
    """A signed-in editor who asks for a page five times a second, in the background."""

    def __init__(self, editor: Visitor) -> None:
        self._editor = editor
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.statuses: list[int] = []
        self.retry_after = True
        self._away: list[float] = []

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.2):
            began = time.monotonic()
            page = self._editor.ask("/admin/")
            signed_out = page.status == 200 and SIGNED_IN not in page.text
            self.statuses.append(401 if signed_out else page.status)
            if page.status == 503:
                self._away += [began, time.monotonic()]
                self.retry_after &= "Retry-After" in page.headers

    def told(self) -> str:
        away = self._away[-1] - self._away[0] if self._away else 0.0
        return f"{self.statuses.count(503)} of {len(self.statuses)} pages 503, for {away:.1f} s"


def test_the_old_primary_comes_back_as_a_replica_and_the_playbook_leaves_it_so(
    house: House,
) -> None:
    house.one.start()
    assert house.changed("playbooks/store.yml") == {"one": 0, "two": 0, "app": 0}
    assert house.primary() != house.one.address  # all of them agree, and are complete
    assert SIGNED_IN in house.editor.ask("/admin/").text


def test_certificates_are_renewed_host_by_host_and_nobody_is_signed_out(house: House) -> None:
    def serials() -> set[str]:
        words = "openssl x509 -noout -serial -in /etc/django-split/gazette/tls/store.pem"
        return {host.run(words).stdout for host in house.stores}

    before = serials()
    # As if they ended soon: they are good for 825 days.
    renewed = house.changed("playbooks/store.yml", "-e", "certificates_renew_days=830")
    assert min(renewed.values()) > 0
    assert len(before) == 3
    assert not serials() & before
    house.primary()
    assert SIGNED_IN in house.editor.ask("/admin/").text


def test_a_primary_whose_cable_is_cut_takes_no_login_that_would_be_lost(house: House) -> None:
    primary = house.primary()
    alone = next(host for host in house.stores if host.address == primary)
    if alone is house.app:
        pytest.skip("the admin's own host became primary: its cable is the site's")
    alone.cut()
    try:
        time.sleep(15)  # its replicas have been silent for 10 (min-replicas-max-lag)
        assert "NOREPLICAS" in _write(alone)
        # The database is on `two`, and no page of the admin's is without it. Else: a failover may
        # begin 20 s after the last one only, which the renewal needed just now.
        if alone is not house.two:
            house.editor.wait("/admin/", AWAY_SECONDS)
            assert SIGNED_IN in house.editor.ask("/admin/").text
    finally:
        alone.mend()
    assert house.primary() != primary


def _write(host: Networked) -> str:
    """What the store says on its own host to a login."""
    script = (
        "export REDISCLI_AUTH=$(python3 -c 'import json; "
        'print(json.load(open("/etc/django-split/gazette/store-passwords.json"))["admin"])\'); '
        f"redis-cli --user admin -h {host.address} --tls "
        "--cacert /etc/django-split/gazette/tls/ca.pem set gazette:session:x y"
    )
    said = host.run(script, check=False)
    return said.stdout + said.stderr


def test_uninstall_leaves_nothing_of_the_store(house: House) -> None:
    house.fleet.play("playbooks/uninstall.yml", "-e", "remove_data=true")
    for host in house.stores:
        left = host.run("systemctl list-units --all --plain --no-legend 'gazette-*'").stdout
        assert left == ""
        assert host.run("grep gazette /etc/passwd /etc/group", check=False).stdout == ""
        assert host.run("ls -d /etc/django-split/gazette", check=False).stdout == ""
        # In Debian's units, too: its server is told to come back, and to wait for the network.
        for place in ("/etc/postgresql", "/etc/systemd/system"):
            assert host.run(f"grep -r gazette {place}", check=False).stdout == ""
    house.two.run("systemctl daemon-reload && systemctl restart 'postgresql@*'")
