"""TLS as a browser sees it: who is answered, with which protocol, and what happens on a renewal."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from nginx.stage import Response, Site, exchange, render, request, site, until
from nginx.test_nginx_config import directives, values
from tests.support.authority import Authority

PUBLIC, DESK = "localhost", "desk.example.org"
HSTS = 300
REFUSED = (ssl.SSLError, ConnectionResetError)


class Secured:
    """A site with a certificate of an authority that the client knows."""

    def __init__(self, built: Site, authority: Authority) -> None:
        self.site = built
        self.authority = authority
        self.port: int = built.variables["proxy_tls_port"]
        self.context = ssl.create_default_context(cafile=str(authority.file))

    def certify(self, *names: str) -> None:
        """Put a new certificate where nginx reads it, as a role or a renewal does."""
        issued = self.authority.issue(*names)
        folder = self.site.config.parent / "sites" / "gazette" / "tls"
        folder.mkdir(parents=True, exist_ok=True)
        issued.certificate.rename(folder / "certificate.pem")
        issued.key.rename(folder / "key.pem")

    def serial(self) -> int:
        """Of the certificate that is shown."""
        with self.connect() as connection:
            return int(str((connection.getpeercert() or {})["serialNumber"]), 16)

    def installed(self) -> int:
        """The serial of the certificate that nginx was last told of."""
        file = self.site.config.parent / "sites" / "gazette" / "tls" / "certificate.pem"
        return x509.load_pem_x509_certificate(file.read_bytes()).serial_number

    def connect(
        self, name: str | None = PUBLIC, context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), 10)
        try:
            return (context or self.context).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def ask(
        self, target: str = "/", *, host: str = PUBLIC, name: str = "", **more: str
    ) -> Response:
        wrap = partial(self.context.wrap_socket, server_hostname=name or host.partition(":")[0])
        answer = exchange(
            ("127.0.0.1", self.port), request(target, host=host, headers=more), tls=wrap
        )
        assert answer is not None
        return answer


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with site(proxy_tls="files", proxy_hsts=HSTS, admin_host=DESK) as built:
        found = Secured(built, Authority(tmp_path_factory.mktemp("authority")))
        built.put("static/app.css", "body {}")
        built.put("media/photo.jpg", "\xff\xd8")
        built.write()
        found.certify(PUBLIC, "www.example.org", DESK)
        tested = built.test()
        assert (tested.returncode, "warn" in tested.stderr) == (0, False), tested.stderr
        built.start()
        yield found


@pytest.mark.parametrize("host", [PUBLIC, "www.example.org", DESK, "[::1]"])
@pytest.mark.parametrize("target", ["/", "/admin/?next=/a%20b/", "/static/app.css", "//x/../y"])
def test_plain_http_is_sent_to_the_same_page_by_https(
    secured: Secured, host: str, target: str
) -> None:
    for method in ("GET", "POST"):
        asked = f"{host}:{secured.site.port}"
        answer = secured.site.ask(target, host=asked, method=method)
        # 308: a browser sends a form again as it was.
        assert answer.status == 308
        assert answer.header("location") == f"https://{host}:{secured.port}{target}"
        assert (answer.instance, answer.header("strict-transport-security")) == ("nginx", None)


def test_the_usual_port_is_not_written() -> None:
    with site(proxy_tls="files", proxy_tls_port=443) as built:
        built.write()
        sent = [args for args in values(directives(built), "return") if args[0] == "308"]
    assert sent == [["308", "https://$host$request_uri"]]


def test_an_instance_is_told_of_https_by_nobody_but_nginx(secured: Secured) -> None:
    for target, host, instance in (("/", PUBLIC, "main"), ("/admin/", DESK, "admin")):
        answer = secured.ask(target, host=f"{host}:{secured.port}", **{"X-Forwarded-Proto": "http"})
        assert answer.instance == instance
        told = answer.said["headers"]
        assert told["X_FORWARDED_PROTO"] == "https"
        assert told["HOST"] == f"{host}:{secured.port}"
        # As ever: Django decides by the header.
        assert answer.said["scheme"] == "http"


def test_the_admins_host_leads_to_the_public_pages_by_https(secured: Secured) -> None:
    answer = secured.ask("/a?b=c", host=f"{DESK}:{secured.port}")
    assert (answer.status, answer.header("location")) == (
        302,
        f"https://{PUBLIC}:{secured.port}/a?b=c",
    )


@pytest.mark.parametrize(
    "target", ["/", "/?refuse=404", "/?hsts=1", "/static/app.css", "/media/photo.jpg"]
)
def test_browsers_are_told_once_to_stay_with_https(secured: Secured, target: str) -> None:
    assert secured.ask(target).header("strict-transport-security") == f"max-age={HSTS}"


def test_without_proxy_hsts_nothing_is_said_and_the_sites_own_header_goes_through() -> None:
    with site(proxy_tls="files") as built:
        built.write()
        lines = directives(built)
    assert values(lines, "ssl_certificate")
    assert not [args for args in values(lines, "add_header") if "Strict" in args[0]]
    assert not values(lines, "proxy_hide_header")


@pytest.mark.parametrize("name", ["unknown.invalid", None])
def test_another_name_is_shown_no_certificate(secured: Secured, name: str | None) -> None:
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(REFUSED):
        secured.connect(name, anybody)


def test_another_host_behind_a_known_name_is_closed_without_a_byte(secured: Secured) -> None:
    wrap = partial(secured.context.wrap_socket, server_hostname=PUBLIC)
    asked = request("/", host="unknown.invalid")
    assert exchange(("127.0.0.1", secured.port), asked, tls=wrap) is None


def offered(*arguments: str, port: int) -> str:
    """What openssl agreed on with nginx: protocol and cipher, or "" where they did not."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", PUBLIC, *arguments],
        input="",
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("New, ")]
    return "" if not told or "(NONE)" in told[0] else told[0].removeprefix("New, ")


@pytest.mark.parametrize(
    ("arguments", "agreed"),
    [
        (["-tls1_3"], "TLSv1.3"),
        (["-tls1_2"], "TLSv1.2"),
        # At their lowest security level these clients would take it.
        (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ""),
        (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], ""),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], "TLSv1.2"),
        # No forward secrecy, no authenticated encryption.
        (["-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA"], ""),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA"], ""),
    ],
)
def test_protocols_and_ciphers_are_those_of_mozillas_profile(
    secured: Secured, arguments: list[str], agreed: str
) -> None:
    found = offered(*arguments, port=secured.port)
    assert found.startswith(agreed) if agreed else found == ""


def test_the_client_chooses_among_the_ciphers_and_gets_no_ticket(secured: Secured) -> None:
    context = ssl.create_default_context(cafile=str(secured.authority.file))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
    with secured.connect(context=context) as connection:
        cipher, session = connection.cipher(), connection.session
    assert cipher is not None
    assert cipher[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"
    assert session is not None
    assert not session.has_ticket


def test_http2_is_spoken_and_the_instance_gets_what_it_gets_otherwise(secured: Secured) -> None:
    done = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--http2", "--connect-to", "::127.0.0.1:"),
            *("--cacert", str(secured.authority.file), "--write-out", "\n%{http_version}"),
            f"https://{PUBLIC}:{secured.port}/a?b=c",
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    body, _, version = done.stdout.rpartition("\n")
    assert version == "2"
    told = json.loads(body)
    assert (told["instance"], told["target"]) == ("main", "/a?b=c")
    assert told["headers"]["HOST"] == f"{PUBLIC}:{secured.port}"
    assert told["headers"]["X_FORWARDED_PROTO"] == "https"


def test_every_server_of_the_port_has_a_certificate_or_refuses(secured: Secured) -> None:
    servers = [line for line in directives(secured.site) if line["directive"] == "server"]
    kinds = []
    for server in servers:
        inside = {x["directive"] for x in server.get("block", [])}
        listens = [x["args"] for x in server.get("block", []) if x["directive"] == "listen"]
        if any("ssl" in args for args in listens):
            assert all("ssl" in args for args in listens)
            kinds.append(
                "serves" if {"ssl_certificate", "ssl_certificate_key"} <= inside else "refuses"
            )
            assert ("ssl_reject_handshake" in inside) == (kinds[-1] == "refuses")
            assert ("default_server" in listens[0]) == (kinds[-1] == "refuses")
    assert sorted(kinds) == ["refuses", "serves", "serves"]
    # Said once for all sites of the host, or the first one's would be everybody's.
    for name in ("ssl_protocols", "ssl_ciphers", "ssl_session_tickets", "ssl_session_cache"):
        found = [line for line in directives(secured.site) if line["directive"] == name]
        assert [line["above"] for line in found] == [("http",)]


@pytest.mark.parametrize("certified", [False, True])
def test_an_authority_is_answered_by_plain_http(
    secured: Secured, certified: bool, tmp_path: Path
) -> None:
    """Before the first certificate pages are served so too, or a failure would be an outage."""
    root = secured.site.directory / "acme"
    told = {"proxy_tls": "acme" if certified else "none", "proxy_acme_root": str(root)}
    with site(**told, admin_host=DESK) as built:
        found = Secured(built, secured.authority)
        built.write()
        found.certify(PUBLIC, DESK)
        built.start()
        folder = root / ".well-known" / "acme-challenge"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").write_text("token.thumbprint")
        for host in (PUBLIC, DESK, "[::1]"):
            answer = built.ask("/.well-known/acme-challenge/token", host=host)
            assert (answer.status, answer.body) == (200, b"token.thumbprint")
            assert built.ask("/.well-known/acme-challenge/other", host=host).status == 404
        page = built.ask("/")
        assert (page.status, page.instance) == ((308, "nginx") if certified else (200, "main"))
        assert built.listening(("127.0.0.1", found.port)) is certified


class Visitors:
    """Ask for a page again and again, each time by a connection of its own."""

    def __init__(self, secured: Secured, threads: int = 4) -> None:
        self.secured = secured
        self.answered = 0
        self.failed: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(threads)]

    def _visit(self) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPSConnection(
                PUBLIC, self.secured.port, timeout=10, context=self.secured.context
            )
            try:
                connection.request("GET", "/")
                status = connection.getresponse().status
                if status == 200:
                    self.answered += 1
                else:
                    self.failed.append(str(status))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
            finally:
                connection.close()

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        until(lambda: self.answered > 20, "the visitors are answered")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_a_renewal_fails_no_request(secured: Secured) -> None:
    with Visitors(secured) as visitors:
        for _ in range(4):
            asked = visitors.answered
            secured.certify(PUBLIC, DESK)
            assert secured.site.test().returncode == 0
            secured.site.processes["nginx"].send_signal(signal.SIGHUP)
            # Not only another one: the workers of the reload before may still be answering.
            until(lambda: secured.serial() == secured.installed(), "the new certificate is shown")
            until(lambda n=asked: visitors.answered > n + 20, "the visitors are answered")
    assert visitors.failed == []


def test_a_broken_renewal_is_refused_by_the_test_and_the_old_certificate_serves(
    secured: Secured,
) -> None:
    before = secured.installed()
    until(lambda: secured.serial() == before, "the workers of earlier reloads are gone")
    folder = secured.site.config.parent / "sites" / "gazette" / "tls"
    kept = (folder / "key.pem").read_bytes()
    other = secured.authority.issue(PUBLIC, stem="other")
    (folder / "key.pem").write_bytes(other.key.read_bytes())
    try:
        tested = secured.site.test()
        assert tested.returncode != 0
        assert "key values mismatch" in tested.stderr
        secured.site.processes["nginx"].send_signal(signal.SIGHUP)
        until(lambda: "key values mismatch" in secured.site.log("nginx") + _errors(secured), "HUP")
        assert secured.serial() == before
    finally:
        (folder / "key.pem").write_bytes(kept)


def _errors(secured: Secured) -> str:
    file = secured.site.prefix / "error.log"
    return file.read_text() if file.exists() else ""


@pytest.fixture(scope="module")
def look(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script that the timer runs."""
    script = tmp_path_factory.mktemp("look") / "certificate"
    script.write_text(render("bin/certificate.sh.j2", **secured.site.variables))
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("days", "status", "said"),
    [(30, 0, "is good until"), (10, 1, "ends within 14 days"), (-1, 1, "ends within 14 days")],
)
def test_the_daily_look_fails_in_time(
    secured: Secured, look: Path, days: int, status: int, said: str
) -> None:
    before = secured.serial() if days > 0 else ""
    issued = secured.authority.issue(PUBLIC, DESK, days=days)
    folder = secured.site.config.parent / "sites" / "gazette" / "tls"
    issued.certificate.rename(folder / "certificate.pem")
    issued.key.rename(folder / "key.pem")
    secured.site.processes["nginx"].send_signal(signal.SIGHUP)
    if before:
        until(lambda: secured.serial() != before, "the new certificate is shown")
    else:
        time.sleep(1)
    done = subprocess.run([look], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.count(said)) == (status, 2), done.stdout
    # Both names, and readable by whoever runs it.
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [PUBLIC, DESK]
    assert os.access(look, os.X_OK)
