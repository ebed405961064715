"""A certificate from an authority: real certbot, Pebble for Let's Encrypt, one server by SSH.

The tests share the server and build on each other, in the order in which they stand here.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.authority import Authority

from .deploying import Server, server
from .load import Load
from .pebble import Pebble, pebble
from .test_newcomer import FIRST_SECONDS, RECAP, free_port
from .visitor import Page, Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]

FIRST, SECOND = "a.news.example", "b.news.example"
# Where nginx is, and where nobody is.
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
LINEAGE = "/etc/letsencrypt/live/gazette"
COPIED = "/etc/django-split/nginx/sites/gazette/tls"
DEPLOY = "playbooks/deploy.yml"
WORKER = {"name": "ticker", "command": "sleep 1000000", "before_migrations": "stop"}
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("news", "{before}")]
    operations = [migrations.RunPython(migrations.RunPython.noop)]
"""


@dataclass
class Secured:
    """The server, its authority, and the port of https."""

    server: Server
    authority: Pebble
    port: int

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.root))

    def ask(self, name: str, context: ssl.SSLContext | None = None) -> Page:
        """A page by https, as a browser that trusts the authority."""
        address = f"https://{name}:{self.port}"
        return Visitor(address, at=HERE, context=context or self.context).ask("/")

    def visited(self) -> Load:
        """Visitors of the first name, each on a connection of its own."""
        return Load([f"{HERE}:{self.port}"], FIRST, ["/"], context=self.context)

    def leads(self, name: str, address: str) -> None:
        """As the authority sees it."""
        self.server.host.run(f"sed -i '/ {name}$/d' /etc/hosts; echo {address} {name} >>/etc/hosts")

    def change(self) -> str:
        """Another version of the code, with a migration that the worker may not see."""
        mark = self.server.change()
        folder = self.server.source / "news" / "migrations"
        before = "0001_initial"
        for number in range(2, self.server.version + 1):
            name = f"{number:04}_step"
            (folder / f"{name}.py").write_text(MIGRATION.format(before=before))
            before = name
        return mark

    def works(self) -> bool:
        """Whether the worker runs the release that serves."""
        said = self.server.host.run(
            "readlink /proc/$(systemctl show -P MainPID gazette-ticker)/cwd;"
            " readlink -f /srv/gazette/current",
            check=False,
        ).stdout.split()
        return len(said) == 2 and said[0].startswith(f"{said[1]}/")

    def put(self, file: Path, *paths: str) -> None:
        """Into files of the host that are there; certbot's are links, and stay so."""
        for path in paths:
            self.server.host.run(["tee", path], stdin=file.read_bytes())


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    place, port = tmp_path_factory.mktemp("acme"), free_port()
    with server(place) as fresh:
        authority = pebble(fresh.host, place, fresh.port)
        fresh.set(
            site_hosts=[FIRST],
            site_processes=[WORKER],
            proxy_tls="acme",
            proxy_tls_port=port,
            proxy_acme_email="webmaster@news.example",
            proxy_acme_server=authority.directory,
            verify_ca=str(authority.root),
        )
        yield Secured(fresh, authority, port)


def anybody() -> ssl.SSLContext:
    """Who looks at no certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def unchanged(said: str) -> bool:
    recap = RECAP.search(said)
    return recap is not None and recap[1] == "0"


def test_until_there_is_a_certificate_pages_are_served_by_plain_http(secured: Secured) -> None:
    mark = secured.change()
    secured.leads(FIRST, ELSEWHERE)
    said = secured.server.refused("site.yml", timeout=FIRST_SECONDS)
    assert f"certbot got no certificate for {FIRST}:" in said
    assert "Pages are served by plain HTTP until then." in said
    plain = Visitor(f"http://{FIRST}:{secured.server.port}", at=HERE)
    assert mark in plain.ask("/").text
    assert secured.works()


def test_one_is_asked_for_and_got_by_the_same_command(secured: Secured) -> None:
    secured.leads(FIRST, HERE)
    # It ends with verify, which trusts the authority's root alone.
    secured.server.play("site.yml", timeout=FIRST_SECONDS)
    assert secured.ask(FIRST).status == 200
    assert unchanged(secured.server.play("site.yml"))
    secured.server.play("site.yml", "--check")


def test_a_name_that_does_not_lead_here_leaves_https_to_the_others(secured: Secured) -> None:
    mark = secured.change()
    secured.leads(SECOND, ELSEWHERE)
    secured.server.set(site_hosts=[FIRST, SECOND])
    with secured.visited() as load:
        for playbook in ("site.yml", DEPLOY):
            said = secured.server.refused(playbook)
            assert f"certbot got no certificate for {FIRST}, {SECOND}:" in said
            assert f"Domain: {SECOND}" in said, "certbot's own words name it"
            assert "https goes on with the certificate that is there" in said
            assert mark in secured.ask(FIRST).text
            # It was stopped for the migration.
            assert secured.works()
        with pytest.raises(OSError, match="Hostname mismatch"):
            secured.ask(SECOND)
        secured.leads(SECOND, HERE)
        secured.server.play("playbooks/certificate.yml")
        for name in (FIRST, SECOND):
            assert mark in secured.ask(name).text
        assert unchanged(secured.server.play("site.yml"))
    print(f"{load.answered.total()} requests by https, the slowest took {load.slowest:.1f} s")
    assert load.answered.total() > 100
    assert not load.failed


def test_one_that_has_ended_is_shown_until_there_is_another(
    secured: Secured, tmp_path: Path
) -> None:
    ended = Authority(tmp_path).issue(FIRST, SECOND, days=-1)
    secured.put(ended.certificate, f"{LINEAGE}/cert.pem", f"{LINEAGE}/fullchain.pem")
    secured.put(ended.key, f"{LINEAGE}/privkey.pem")
    secured.server.host.run("systemctl reload django-split-nginx")
    secured.leads(SECOND, ELSEWHERE)
    mark = secured.change()
    said = secured.server.refused(DEPLOY)
    assert "https goes on with the certificate that is there" in said
    assert mark in secured.ask(FIRST, anybody()).text
    assert secured.works()
    secured.leads(SECOND, HERE)
    secured.server.play(DEPLOY)
    assert secured.ask(SECOND).status == 200


def test_code_is_deployed_behind_a_copied_certificate_that_has_ended(secured: Secured) -> None:
    # Another one would be of the same name: who trusts both takes one for the other.
    authority = secured.authority.authority
    issued = authority.issue(FIRST, SECOND)
    given = json.loads(secured.server.variables.read_text())
    given = {name: said for name, said in given.items() if not name.startswith("proxy_acme_")}
    secured.server.variables.write_text(json.dumps(given))
    secured.server.set(
        site_hosts=[FIRST, SECOND],
        proxy_tls="files",
        proxy_tls_certificate=str(issued.certificate),
        proxy_tls_key=str(issued.key),
        verify_ca=str(authority.file),
    )
    secured.server.play("site.yml", timeout=FIRST_SECONDS)
    # One that has ended does not come in place of one that is good.
    authority.issue(FIRST, SECOND, days=-1)
    said = secured.server.refused(DEPLOY)
    assert "it ended on" in said
    assert "nothing has been changed" in said
    secured.put(issued.certificate, f"{COPIED}/certificate.pem")
    secured.put(issued.key, f"{COPIED}/key.pem")
    mark = secured.change()
    said = secured.server.refused(DEPLOY)
    assert "and browsers refuse it: renew it" in said
    assert "the certificate is trusted and good for a while" in said, "verify says so at the end"
    assert mark in secured.ask(FIRST, anybody()).text
    assert secured.works()
    authority.issue(FIRST, SECOND)
    secured.server.play("playbooks/proxy.yml")
    secured.server.play("playbooks/verify.yml")
