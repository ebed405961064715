"""A site that grows: its next version asks a question, main gets sessions, the admin a host.

Whether a question stops a deploy on a host is in test_newcomer.py and test_deploy.py, too.
"""

from __future__ import annotations

import http.client
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority

from . import units
from .conftest import newcomer
from .test_newcomer import FIRST_SECONDS, LINKS, Site, free_port, refused

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]

SOURCE = "/root/django-split/tests/sites/gazette"
URLS = f"{SOURCE}/gazette/urls.py"
ANSWERS = "/root/answers.yml"
# A login of its own: the trial sees it, before anything has changed.
LOGIN = 'path("accounts/", include("django.contrib.auth.urls")),'
# A page that fails on main alone: only asking for it shows that, when the plan is made.
DESK = (
    'path("desk/", lambda request: __import__("django.http").http.HttpResponse('
    'str(settings.INSTALLED_APPS.index("django.contrib.admin")))),'
)
# A worker that gives way to others by itself, and ends when it is told so by a signal of its own.
TICKER = (
    "nice -n 5 python -u -c 'import signal, sys, time;"
    ' signal.signal(signal.SIGUSR1, lambda *_: sys.exit(print("was told")));'
    ' print("ticks"); time.sleep(1e6)\''
)
# Applied while the worker above runs, it fails.
ALONE = """
from pathlib import Path
from django.db import migrations

def alone(apps, schema):
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = each.read_bytes()
        except OSError:
            continue
        if b"python" in command and b"ticks" in command:
            raise RuntimeError(f"{each} runs")

class Migration(migrations.Migration):
    dependencies = [("news", "0001_initial")]
    operations = [migrations.RunPython(alone, alone)]
"""
# On both instances: what stands below /accounts/ is the admin's by then.
EXERCISE = """path("exercise/", __import__("gazette.exercise", fromlist=["view"]).view),
    path("accounts/exercise/", __import__("gazette.exercise", fromlist=["view"]).view),"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Gazette on a server of its own."""
    with newcomer("bookworm", init=True) as host:
        host.clone_repo()
        site = Site(host, free_port())
        host.copy_in(Path(__file__).with_name("exercise.py"), f"{SOURCE}/gazette/exercise.py")
        site.make("site", timeout=FIRST_SECONDS)
        yield site


def add(site: Site, line: str) -> None:
    """A line for the site's URLs."""
    opening = "urlpatterns = ["
    urls = site.host.run(["cat", URLS]).stdout
    changed = urls.replace(opening, f"{opening}\n    {line}", 1)
    assert changed != urls
    site.host.run(["tee", URLS], stdin=changed.encode())


def answer(site: Site, line: str) -> None:
    site.host.run(f"cat >> {ANSWERS}", stdin=f"{line}\n".encode())


def test_a_question_stops_the_deploy_until_it_is_answered(site: Site) -> None:
    before = site.host.run(LINKS).stdout
    add(site, LOGIN)
    said = refused(site)
    assert "the site is not split before this is decided" in said
    assert "/accounts/login/" in said
    assert "Answer with admin_extra_prefixes" in said
    assert "inventory/local/group_vars/all.yml" in said
    assert "Nothing has been changed." in said

    answer(site, "admin_extra_prefixes: [/accounts/]")
    add(site, DESK)
    said = refused(site, f"@{ANSWERS}")
    assert "/accounts/login/" not in said
    assert "1 URL fails on main, and only there: /desk/" in said
    assert "Answer with" in said

    answer(site, "main_closed_prefixes: [/desk/]")
    add(site, EXERCISE)
    site.make("site", f"@{ANSWERS}")
    assert site.host.run(LINKS).stdout != before
    assert site.visitor.ask("/accounts/password_reset/").status == 200
    assert site.visitor.ask("/desk/").status == 404


class Unwilling(socketserver.BaseRequestHandler):
    """A mail server that takes no mail: an attempt is what is to be seen."""

    def handle(self) -> None:
        self.request.sendall(b"421 not today\r\n")


@pytest.fixture(scope="module")
def mail() -> Iterator[int]:
    """The port of a mail server; hosts share the machine's network."""
    with socketserver.TCPServer(("127.0.0.1", 0), Unwilling) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def exercise(site: Site, port: int) -> None:
    """Have both instances do what sites do, each under the restrictions of its unit."""
    relaxed = units.relaxed(site.host, "gazette")
    for path in ("/exercise/", "/accounts/exercise/"):
        said = json.loads(site.visitor.ask(f"{path}?port={port}").text)
        copied = said.pop("copy")
        assert copied == "copied" if relaxed else "Operation not permitted" in copied, path
        assert said.pop("upload").endswith(".txt"), path
        expected = {"makedirs": "None", "temporary": "None", "program": "0", "mail": "421"}
        assert said == expected, path


def test_a_site_does_its_work_under_the_restrictions(site: Site, mail: int) -> None:
    exercise(site, mail)
    units.check(site.host, "gazette")
    # In a new worker, too: what a process may do is put on before the site is imported.
    site.host.run("systemctl kill --signal=KILL --kill-who=all 'gazette-main@*' 'gazette-admin@*'")
    site.visitor.wait("/", 10)
    site.visitor.wait("/accounts/password_reset/", 10)
    exercise(site, mail)


def test_main_gets_sessions_and_the_admin_a_host_and_both_go_again(site: Site, mail: int) -> None:
    host = site.host
    # A site that copies directories in its media, where new ones have their group by setgid.
    answer(site, "site_unit_relax: [setgid]")
    ticker = {"name": "ticker", "command": TICKER, "before_migrations": "stop", "stop_seconds": 7}
    ticker["stop_signal"] = "USR1"
    answer(site, f"site_processes: {json.dumps([ticker])}")
    # Written to the database as well: then expired ones are deleted there once a day.
    given = ("public_sessions=redis_db", "admin_host=desk.localhost", f"@{ANSWERS}")
    said = site.make("site", *given)
    assert f"http://desk.localhost:{site.port}/admin/" in said
    assert "main's sessions are in a store of its own" in said
    assert site.visitor.ask("/admin/").status == 404
    assert 'name="password"' in site.visitor.ask("/admin/login/", host="desk.localhost").text
    assert "gazette-main" in host.run("getent group gazette-public").stdout
    # Its socket's folder is there again after a boot, like the others.
    host.reboot()
    site.visitor.wait("/", 60)
    site.make("verify", *given)
    assert host.run("systemctl is-active gazette-purge.timer").stdout.strip() == "active"
    host.run("systemctl start gazette-purge.service")
    until = "while systemctl is-active --quiet gazette-purge.service; do sleep 0.2; done"
    host.run(f"timeout 60 sh -c '{until}'")
    shown = host.run("systemctl show -P Result -P ExecMainStatus gazette-purge.service")
    assert shown.stdout.split() == ["success", "0"]
    assert "django_session" in host.run("journalctl -u gazette-purge.service -o cat").stdout

    assert host.run("systemctl show -P TimeoutStopUSec gazette-ticker").stdout == "7s\n"
    host.run(["tee", f"{SOURCE}/news/migrations/0002_alone.py"], stdin=ALONE.encode())
    site.make("site", f"@{ANSWERS}")
    assert "[X] 0002_alone" in host.run("gazette-manage showmigrations news").stdout
    assert 'name="password"' in site.visitor.ask("/admin/login/").text
    exercise(site, mail)
    units.check_process(host, "gazette-ticker.service")
    said = host.run("journalctl --quiet --output=cat --identifier gazette-ticker").stdout
    # Once by the reboot, once before the migration.
    assert said.split("\n").count("was told") == 2
    left = "getent passwd gazette-public; getent group gazette-public; ls -d /run/gazette/public"
    left += " /var/lib/django-split/gazette/public"
    left += "; find /etc /usr/local -name '*gazette-public*' -o -name '*gazette-purge*'"
    assert host.run(left, check=False).stdout == ""
    loaded = host.run("systemctl list-units --all 'gazette-*'").stdout
    assert "public" not in loaded
    assert "purge" not in loaded
    assert not [each for each in site.daemons().values() if "public/store.sock" in each]


def test_https_with_a_certificate_that_is_watched_and_plain_http_again(
    site: Site, tmp_path: Path
) -> None:
    host, port = site.host, free_port()
    authority = Authority(tmp_path)
    authority.issue("localhost", "127.0.0.1")
    host.copy_in(tmp_path, f"/root/{tmp_path.name}")
    files = f"/root/{tmp_path.name}/site"
    given = (f"proxy_tls_certificate={files}.pem", f"proxy_tls_key={files}.key")
    said = site.make(
        "site",
        *("proxy_tls=files", f"proxy_tls_port={port}", *given),
        *(f"verify_ca=/root/{tmp_path.name}/ca.pem", f"@{ANSWERS}"),
    )
    assert f"https://localhost:{port}/admin/" in said
    context = ssl.create_default_context(cafile=str(authority.file))
    page = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
    page.request("GET", "/")
    assert "Gazette" in page.getresponse().read().decode()
    page.close()
    key = host.run("stat -c '%U %a' /etc/django-split/nginx/sites/gazette/tls/key.pem").stdout
    assert key.split() == ["root", "600"]

    assert host.run("systemctl is-active gazette-certificate.timer").stdout.strip() == "active"
    host.run("systemctl start gazette-certificate.service")
    until = "while systemctl is-active --quiet gazette-certificate.service; do sleep 0.2; done"
    host.run(f"timeout 60 sh -c '{until}'")
    shown = host.run("systemctl show -P Result -P ExecMainStatus gazette-certificate.service")
    assert shown.stdout.split() == ["success", "0"]

    site.make("site", f"@{ANSWERS}")
    assert site.visitor.ask("/").status == 200
    left = "find /etc/systemd /etc/django-split /usr/local/sbin"
    left += " -name '*certificate*' -o -name key.pem"
    assert host.run(left).stdout == ""
    assert "gazette-certificate" not in host.run("systemctl list-units --all 'gazette-*'").stdout
