"""One server as `inventory/single` has it: reached by SSH, with systemd and PostgreSQL.

Then its backup on another one, a Debian later, which goes on with Valkey, TLS and a new migration.
The tests share both and build on each other, in the order in which they stand here.
"""

from __future__ import annotations

import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.authority import Authority

from . import paths
from .hosts import CommandError
from .load import Load
from .remote import CHANGED, Server, remote
from .server_faults import FAULTS, fill, make_room, small_disk
from .test_newcomer import FIRST_SECONDS, SECONDS, SIGNED_IN, free_port

pytestmark = [pytest.mark.fleet, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with remote("bookworm", tmp_path_factory.mktemp("server")) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another one, a Debian later."""
    with remote("trixie", tmp_path_factory.mktemp("newer")) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_check_mode_passes_on_a_fresh_server(server: Server) -> None:
    server.play("site.yml", "--check", "--diff")
    assert server.host.run("ls /srv/gazette /etc/postgresql", check=False).stdout == ""


def test_the_site_is_deployed_and_what_main_may_is_printed(server: Server) -> None:
    said = server.play("site.yml", timeout=FIRST_SECONDS)
    assert "django_session: nothing (sessions are the admin's)" in said
    assert "news_article: SELECT, INSERT, UPDATE, DELETE (an app of main's)" in said
    assert "✔ main's database role cannot read the sessions" in said
    assert "✔ main's database role cannot write the users" in said
    assert "Gazette" in server.visitor.ask("/").text


def test_a_second_run_changes_nothing(server: Server) -> None:
    said = server.play("site.yml")
    recap = CHANGED.search(said)
    assert recap is not None
    assert recap[1] == "0", said


def test_each_unix_user_is_its_role_and_no_other(server: Server) -> None:
    for part in ("main", "admin", "owner"):
        me = server.psql(f"gazette-{part}", f"gazette_{part}", "SELECT current_user")
        assert me == f"gazette_{part}"
        for other in {"main", "admin", "owner"} - {part}:
            said = server.psql(f"gazette-{other}", f"gazette_{part}", "SELECT 1")
            assert f'Peer authentication failed for user "gazette_{part}"' in said
        assert "Peer authentication failed" in server.psql("nobody", f"gazette_{part}", "SELECT 1")
        over_tcp = server.psql(f"gazette-{part}", f"gazette_{part}", "SELECT 1", "127.0.0.1")
        assert "pg_hba.conf rejects connection" in over_tcp
    refused = server.psql("gazette-main", "gazette_main", "SELECT * FROM django_session")
    assert "permission denied for table django_session" in refused


def test_the_owner_migrates_and_the_admin_cannot(server: Server) -> None:
    manage = "gazette-manage --instance"
    said = server.host.run(f"{manage} owner migrate --noinput").stdout
    assert "No migrations to apply" in said
    asked = server.host.run(f"{manage} admin createcachetable spare", check=False)
    assert "permission denied for schema public" in asked.stderr
    secret = "stat -c '%U %a' /srv/gazette/current/owner.env"
    assert server.host.run(secret).stdout.split() == ["gazette-owner", "400"]


def test_verify_finds_a_right_too_many(server: Server) -> None:
    server.psql("gazette-owner", "gazette_owner", "GRANT SELECT ON django_session TO gazette_main")
    with pytest.raises(CommandError, match="SELECT django_session: allowed"):
        server.play("playbooks/verify.yml")
    said = server.play("playbooks/instances.yml")
    assert CHANGED.search(said)[1] == "1"  # type: ignore[index]


def test_a_reboot_brings_the_site_and_its_sessions_back(server: Server) -> None:
    editor = server.visitor
    password = server.host.run("cat /etc/django-split/gazette/superuser").stdout.strip()
    login = "/admin/login/?next=/admin/"
    assert SIGNED_IN in editor.log_in(login, "admin", password).text
    server.host.reboot()
    server.visitor.wait("/", 60)
    server.visitor.wait("/admin/login/", 60)
    assert SIGNED_IN in editor.ask("/admin/").text
    server.play("playbooks/verify.yml")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site a version later: with a model more, and the migration for it."""
    source = tmp_path_factory.mktemp("source") / "gazette"
    shutil.copytree(paths.REPOSITORY / "tests/sites/gazette", source)
    with (source / "news" / "models.py").open("a") as models:
        models.write("\n\nclass Late(models.Model):\n    text = models.TextField()\n")
    (source / "news" / "migrations" / "0002_late.py").write_text(
        "from django.db import migrations, models\n\n\n"
        "class Migration(migrations.Migration):\n"
        '    dependencies = [("news", "0001_initial")]\n'
        '    operations = [migrations.CreateModel("Late", [\n'
        '        ("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())])]\n'
    )
    return source


def test_a_backup_is_restored_on_a_fresh_server_a_debian_later(
    server: Server, newer: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    editor, place = server.visitor, tmp_path_factory.mktemp("backups")
    password = server.host.run("cat /etc/django-split/gazette/superuser").stdout
    editor.log_in("/admin/login/?next=/admin/", "admin", password.strip())
    change = "UPDATE news_article SET headline = 'Saved and restored' WHERE id = 3"
    assert server.psql("gazette-admin", "gazette_admin", change) == "UPDATE 1"
    upload = "install -o gazette-admin -g gazette -m 664 /etc/hostname"
    server.host.run(f"{upload} /srv/gazette/shared/media/letter.txt")
    server.play("playbooks/backup.yml", "-e", f"backup_fetch={place}")
    [archive] = place.iterdir()

    with pytest.raises(CommandError, match="no backup, or not a whole one"):
        newer.play("playbooks/restore.yml", "-e", f"backup_from={newer.variables}")
    assert newer.host.run("ls -A /srv /var/lib/django-split*", check=False).stdout == "/srv:\n"

    newer.play("playbooks/restore.yml", "-e", f"backup_from={archive}", timeout=FIRST_SECONDS)
    assert newer.host.run("cat /etc/django-split/gazette/superuser").stdout == password
    count = "SELECT count(*) FROM news_article WHERE headline = 'Saved and restored'"
    assert newer.psql("gazette-main", "gazette_main", count) == "1"
    assert newer.visitor.ask("/media/letter.txt").text.strip() == server.host.name
    # Cookies know no ports: who is signed in on the one is so on the other.
    editor.address = newer.visitor.address
    assert SIGNED_IN in editor.ask("/admin/").text


ADMIN_LOGIN = "/admin/login/?next=/admin/"


@contextmanager
def deploying(server: Server) -> Iterator[None]:
    """While another run has the site's lock, and to that run's end."""
    run = server.start("playbooks/deploy.yml")
    held = "until test -s /run/django-split/gazette/holder.json; do sleep 0.1; done"
    server.host.run(held, timeout=60)
    yield
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, said


@pytest.mark.soak
def test_a_backup_is_put_back_where_it_was_made(server: Server) -> None:
    archive = server.host.run("ls /var/backups/django-split/gazette-*.tar.gz").stdout.strip()
    change = "UPDATE news_article SET headline = 'Written since' WHERE id = 3"
    assert server.psql("gazette-admin", "gazette_admin", change) == "UPDATE 1"
    with deploying(server), pytest.raises(CommandError, match="gazette is being deployed already"):
        server.play("playbooks/restore.yml", "-e", f"backup_from=host:{archive}")
    with Load([f"localhost:{server.port}"], "", ("/",)) as load:
        server.play("playbooks/restore.yml", "-e", f"backup_from=host:{archive}")
        load.settle()
    tell(server, "restore", {"main": load})
    count = "SELECT count(*) FROM news_article WHERE headline = 'Saved and restored'"
    assert server.psql("gazette-main", "gazette_main", count) == "1"


@pytest.fixture(params=["server", "newer"])
def either(request: pytest.FixtureRequest, server: Server, newer: Server) -> Server:
    """Both Debians, with the same site by now."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def password(either: Server) -> str:
    return either.host.run("cat /etc/django-split/gazette/superuser").stdout.strip()


@pytest.fixture
def people(either: Server, password: str) -> Callable[[], dict[str, Load]]:
    """Makes a few readers, and editors who are signed in."""
    editor, address = either.visitor, [f"localhost:{either.port}"]
    assert SIGNED_IN in editor.log_in(ADMIN_LOGIN, "admin", password).text
    cookie = "; ".join(f"{each.name}={each.value}" for each in editor.cookies)
    return lambda: {
        "main": Load(address, "", ("/", "/static/admin/css/base.css")),
        "admin": Load(address, "", ("/admin/",), cookie=cookie),
    }


def causes(load: Load) -> dict[str, int]:
    return {cause.partition(" ")[2]: times for cause, times in load.failed.items()}


def tell(server: Server, what: str, seen: dict[str, Load]) -> None:
    for who, load in seen.items():
        failed = f"failed {causes(load) or 0} within {load.away:.1f} s"
        print(f"{server.host.image.release}, {what}: {who} {load.answered.total()}, {failed}")


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_felt_by_nobody_else_and_all_comes_back(
    either: Server, people: Callable[[], dict[str, Load]], name: str
) -> None:
    fault, seen = FAULTS[name], people()
    with seen["main"], seen["admin"] as admin:
        admin.run(2)
        fault.harm(either.host)
        if fault.mend is not None:
            admin.run(5)
            fault.mend(either.host)
        for load in seen.values():
            load.settle()
    tell(either, name, seen)
    for who, load in seen.items():
        assert who in fault.felt_by or load.failed == {}
        assert load.answered.total() > 10
    # Nobody has been sent to the login.
    assert "302" not in causes(admin)
    if "store" in name:
        assert set(causes(admin)) <= {"503"}


@pytest.mark.soak
def test_a_full_disk_stops_no_page_of_mains_and_all_goes_on_when_there_is_room(
    either: Server, people: Callable[[], dict[str, Load]], password: str
) -> None:
    host = either.host
    with small_disk(host):
        either.visitor.wait("/", 30)
        either.visitor.wait("/admin/login/", 30)
        fill(host)
        seen = people()
        with seen["main"], seen["admin"] as admin:
            admin.run(8)
        tell(either, "full disk", seen)
        assert seen["main"].failed == {}
        assert seen["main"].answered.total() > 20
        watched = host.run("gazette-watch", check=False)
        assert (watched.returncode, "disk.space" in watched.stdout) == (1, True), watched.stdout

        # As long as there is a page of Redis' log to write on; then it is said that it cannot be.
        meanwhile = either.visitor.log_in(ADMIN_LOGIN, "admin", password)
        print("a login meanwhile:", meanwhile.status)
        assert meanwhile.status == 503 or SIGNED_IN in meanwhile.text

        # What ends comes back without room, too.
        FAULTS["kill -9 main's master"].harm(host)
        either.visitor.wait("/", 30)

        make_room(host)
        deadline = time.monotonic() + 60
        while SIGNED_IN not in either.visitor.log_in(ADMIN_LOGIN, "admin", password).text:
            assert time.monotonic() < deadline
            time.sleep(1)
        for load in people().values():
            with load:
                load.run(2)
            assert load.failed == {}
    either.visitor.wait("/", 30)
    either.play("playbooks/verify.yml")


@pytest.mark.soak
def test_a_later_release_brings_a_migration_valkey_and_tls(
    newer: Server, source: Path, authority: Authority
) -> None:
    issued = authority.issue("localhost", "127.0.0.1")
    newer.set(
        site_source=str(source),
        session_store="valkey",
        session_engine="cached_db",
        proxy_tls="files",
        proxy_tls_certificate=str(issued.certificate),
        proxy_tls_key=str(issued.key),
        proxy_tls_port=free_port(),
        verify_ca=str(authority.file),
    )
    said = newer.play("site.yml", timeout=FIRST_SECONDS)
    assert "news_late: SELECT, INSERT, UPDATE, DELETE (an app of main's)" in said
    assert newer.psql("gazette-main", "gazette_main", "SELECT count(*) FROM news_late") == "0"
    assert "cached_db: in the store; in django_session" in said
    assert newer.host.run("pgrep --exact --count valkey-server").stdout == "1\n"
    # Whoever goes back to Redis finds no sessions that were ended meanwhile.
    kept = newer.host.run("ls /var/lib/django-split/gazette/store").stdout
    assert kept == "valkey\n"
    recap = CHANGED.search(newer.play("site.yml"))
    assert recap is not None
    assert recap[1] == "0"


UPGRADE = """
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q --yes --reinstall --no-install-recommends nginx valkey-server valkey-tools
"""


@pytest.mark.soak
def test_an_upgrade_of_packages_fails_no_request_and_verify_says_what_to_restart(
    newer: Server, authority: Authority
) -> None:
    context = ssl.create_default_context(cafile=str(authority.file))
    pages = ("/", "/admin/login/", "/static/admin/css/base.css")
    address = [f"localhost:{newer.tls_port}"]
    with Load(address, "", pages, context=context) as load:
        newer.host.run(UPGRADE, timeout=FIRST_SECONDS)
        time.sleep(1)
    assert load.answered.total() > 20
    assert load.failed == {}
    for unit in ("nginx", "valkey-server"):
        active = newer.host.run(["systemctl", "is-active", unit], check=False).stdout
        assert active != "active\n", "Debian's own has been started"

    # What runs is as it was: by its own rules a package restarts its own service.
    with pytest.raises(CommandError) as told:
        newer.play("playbooks/verify.yml")
    restart = "systemctl restart django-split-nginx.service gazette-store.service"
    assert restart in " ".join(str(told.value).split())
    with Load(address, "", pages, context=context) as load:
        newer.host.run(restart)
        load.run(3)
    assert load.failed.total() < load.answered.total()
    newer.play("playbooks/verify.yml")


@pytest.mark.soak
def test_the_newer_server_comes_back_after_a_reboot_with_tls(
    newer: Server, authority: Authority
) -> None:
    newer.host.reboot()
    context = ssl.create_default_context(cafile=str(authority.file))
    deadline = time.monotonic() + 60
    while True:
        with Load(
            [f"localhost:{newer.tls_port}"], "", ("/", "/admin/login/"), context=context
        ) as load:
            load.run(0.5)
        if load.answered.total() > 1 and not load.failed:
            break
        assert time.monotonic() < deadline, load.failed
    newer.play("playbooks/verify.yml")
    said = newer.host.run("systemctl start gazette-watch; sleep 1; journalctl -t gazette-watch")
    assert "store.memory: " in said.stdout
    assert "certificate: localhost: the certificate is good until" in said.stdout


SHOP = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("news", "0002_late")]
    operations = [migrations.CreateModel("Shop", [
        ("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())])]
"""


@pytest.mark.soak
def test_a_rollback_behind_a_migration_of_postgresql(newer: Server, source: Path) -> None:
    """Kept or undone as the message says; main may what the release says that serves.

    Deployed again, the later one has its table and its rights.
    """

    def release() -> str:
        return newer.host.run("basename $(readlink /srv/gazette/current)").stdout.strip()

    def main_reads() -> str:
        return newer.psql("gazette-main", "gazette_main", "SELECT count(*) FROM news_shop")

    before = release()
    with (source / "news" / "models.py").open("a") as models:
        models.write("\n\nclass Shop(models.Model):\n    name = models.TextField()\n")
    (source / "news" / "migrations" / "0003_shop.py").write_text(SHOP)
    newer.play("playbooks/deploy.yml")
    after = release()
    assert main_reads() == "0"

    with pytest.raises(CommandError) as told:
        newer.play("playbooks/rollback.yml")
    assert "- news.0003_shop" in str(told.value)
    undo = "gazette-manage --instance owner migrate news 0002_late"
    assert undo in str(told.value)
    assert release() == after

    said = newer.play("playbooks/rollback.yml", "-e", "migrations=keep")
    assert f"serves release {before}; {after} did before" in said
    assert release() == before
    assert "permission denied for table news_shop" in main_reads()
    newer.play("playbooks/deploy.yml")  # nothing is built
    assert release() == after
    assert main_reads() == "0"

    newer.host.run(undo)
    newer.play("playbooks/rollback.yml")  # nothing lies between any more
    assert release() == before
    assert 'relation "news_shop" does not exist' in main_reads()
    with pytest.raises(CommandError, match=f"The database lacks what {after} brings"):
        newer.play("playbooks/rollback.yml", "-e", f"release={after}")
    newer.play("playbooks/deploy.yml")
    assert release() == after
    assert main_reads() == "0"


def test_uninstall_drops_the_database_when_it_is_said(server: Server) -> None:
    server.play("playbooks/uninstall.yml", "-e", "remove_data=true")
    left = "SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database"
    words = [
        "setpriv",
        "--reuid=postgres",
        "--clear-groups",
        "--regid=postgres",
        "psql",
        "-Atc",
        left,
    ]
    assert "gazette" not in server.host.run(words, cwd="/").stdout
    assert server.host.run("grep -r gazette /etc/postgresql /etc/passwd", check=False).stdout == ""
    named = "find /etc/systemd /usr/local /var/lib/django-split -name '*gazette*'"
    assert server.host.run(named).stdout == ""
