"""A certificate that browsers would not take is refused before anything changes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader

from tests.support.authority import Authority, Issued
from tests.support.plugins import REPOSITORY, load
from tests.support.role_variables import role_variable

from .conftest import Preflight

from preflight_checks import certificates, values  # isort: skip

HOST = "news.example"
DEFAULTS = {
    "site_port": 80,
    "proxy_tls": "none",
    "proxy_tls_certificate": "",
    "proxy_tls_key": "",
    "proxy_tls_port": 443,
    "proxy_hsts": 0,
    "proxy_acme_email": "",
    "proxy_acme_server": "",
    "site_hosts": [HOST],
    "admin_host": "",
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def said(issued: Issued, *names: tuple[str, str]) -> list[str]:
    """All that is found in two files of this machine."""
    given = {
        "proxy_tls_certificate": str(issued.certificate),
        "proxy_tls_key": str(issued.key),
    }
    found = list(certificates.given(given, DataLoader()))
    if not found:
        text = issued.certificate.read_bytes()
        found = list(
            certificates.content(
                str(issued.certificate), text, list(names) or [("site_hosts", HOST)]
            )
        )
    return [finding.what for finding in found]


def test_a_sound_certificate_is_taken(authority: Authority) -> None:
    issued = authority.issue(HOST, "*.news.example", "10.0.0.1", "::1")
    names = [HOST, "desk.news.example", "10.0.0.1", "[::1]"]
    assert said(issued, *(("site_hosts", name) for name in names)) == []


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("*.news.example", "news.example"),
        ("*.news.example", "a.b.news.example"),
        ("*.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2"),
        ("www.news.example", "news.example"),
    ],
)
def test_a_name_that_is_not_covered_is_named(authority: Authority, pattern: str, host: str) -> None:
    [what] = said(authority.issue(pattern), ("admin_host", host))
    assert what.startswith(f'admin_host is "{host}", which is not in the certificate')
    assert pattern in what


def test_one_that_has_ended_or_not_begun(authority: Authority) -> None:
    [what] = said(authority.issue(HOST, days=-1))
    assert what.startswith(f'proxy_tls_certificate is "{authority.directory}/site.pem": it ended')


def test_one_that_has_ended_while_it_was_shown_is_a_warning(authority: Authority) -> None:
    """A deploy makes nothing worse by then; another certificate in its place would."""
    ended = authority.issue(HOST, days=-1).certificate.read_bytes()
    other = authority.issue(HOST, days=-1).certificate.read_bytes()
    assert certificates.same(ended, ended + authority.file.read_bytes())
    assert not certificates.same(ended, other)
    assert not certificates.same(ended, b"")
    names = [("site_hosts", HOST)]
    assert list(certificates.content("x", ended, names, served=True)) == []
    assert "browsers refuse it" in certificates.remark("x", ended, served=True)
    assert certificates.remark("x", ended) == "", "told as a problem"


def test_one_that_ends_soon_is_a_warning(authority: Authority) -> None:
    assert certificates.remark("x", authority.issue(HOST).certificate.read_bytes()) == ""
    soon = authority.issue(HOST, days=10.5).certificate.read_bytes()
    assert certificates.remark("x", soon).startswith("x ends in 10 days")


def test_the_key_of_another(authority: Authority) -> None:
    issued, other = authority.issue(HOST), authority.issue(HOST, stem="other")
    [what] = said(Issued(issued.certificate, other.key))
    assert what.startswith(
        f'proxy_tls_key is "{other.key}": not the key of the first certificate in '
        f"{issued.certificate}"
    )


def test_the_chain_before_the_sites_own(authority: Authority) -> None:
    issued = authority.issue(HOST)
    issued.certificate.write_bytes(authority.file.read_bytes() + issued.certificate.read_bytes())
    [what] = said(issued)
    assert "the site's own stands first" in what


def test_a_key_that_others_may_read(authority: Authority) -> None:
    issued = authority.issue(HOST)
    issued.key.chmod(0o644)
    [what] = said(issued)
    assert what.endswith(f"(0644). Make it the owner's alone: chmod 600 {issued.key}")


def test_a_key_with_a_passphrase(authority: Authority) -> None:
    [what] = said(authority.issue(HOST, passphrase="open sesame"))
    assert "it has a passphrase" in what


def test_files_that_are_not_there_or_hold_something_else(authority: Authority) -> None:
    issued = authority.issue(HOST)
    [what] = said(Issued(Path("/nowhere.pem"), issued.key))
    assert what == (
        'proxy_tls_certificate is "/nowhere.pem": no such file on the machine that runs '
        "ansible-playbook"
    )
    [what] = said(Issued(issued.key, issued.key))
    assert "there is no certificate in it" in what
    issued.certificate.chmod(0o600)
    [what] = said(Issued(issued.certificate, issued.certificate))
    assert "there is no private key in it" in what
    issued.certificate.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    [what] = said(issued)
    assert "OpenSSL cannot load it" in what


ACME = {"proxy_tls": "acme", "proxy_acme_email": "a@news.example"}
FILES = {"proxy_tls_certificate": "/a.pem", "proxy_tls_key": "/a.key"}


@pytest.mark.parametrize(
    ("given", "name", "text"),
    [
        ({"proxy_tls": "yes"}, "proxy_tls", 'proxy_tls is "yes": it is none, files or acme'),
        ({"proxy_tls": "files"}, "proxy_tls", "proxy_tls_certificate is not set"),
        ({"proxy_tls": "files", **FILES, "proxy_tls_key": ""}, "proxy_tls_key", "is not set"),
        ({"proxy_tls": "files", **FILES, "proxy_tls_key": "a.key"}, "proxy_tls_key", "whole path"),
        (
            {"proxy_tls": "files", **FILES, "proxy_tls_key": "host:/a.key"},
            "proxy_tls_key",
            "two machines",
        ),
        (
            {"proxy_tls": "files", **FILES, "proxy_tls_port": 80},
            "proxy_tls_port",
            "proxy_tls_port and site_port are both 80",
        ),
        (FILES, "proxy_tls_key", "proxy_tls is none"),
        ({"proxy_hsts": 300}, "proxy_hsts", "proxy_tls is none"),
        ({"proxy_tls": "acme"}, "proxy_tls", 'proxy_acme_email is ""'),
        ({**ACME, "proxy_tls_key": "/a.key"}, "proxy_tls_key", "proxy_tls is acme"),
        ({**ACME, "site_hosts": [HOST, "10.0.0.1"]}, "site_hosts", 'has "10.0.0.1"'),
        ({**ACME, "site_hosts": ["localhost"]}, "site_hosts", "gives no certificate"),
        ({**ACME, "proxy_acme_server": "http://x"}, "proxy_acme_server", "https://"),
    ],
)
def test_variables_that_do_not_go_together(given: dict[str, Any], name: str, text: str) -> None:
    found = list(values.check({**DEFAULTS, **given}, set(given)))
    assert [finding.what for finding in found if finding.variable == name and text in finding.what]


def test_what_goes_together_is_taken() -> None:
    for given in (
        {"proxy_tls": "none"},
        ACME,
        {"proxy_tls": "files", **FILES, "proxy_hsts": 300},
        {"proxy_tls": "files", "proxy_tls_certificate": "host:/a", "proxy_tls_key": "host:/b"},
    ):
        assert list(values.check({**DEFAULTS, **given}, set(given))) == []


# --- The role


@pytest.mark.slow
def test_the_message_has_the_line(preflight: Preflight, authority: Authority) -> None:
    issued, other = authority.issue(HOST), authority.issue(HOST, stem="other")
    told = {"proxy_tls": "files", "proxy_tls_port": 18712}
    files = {"proxy_tls_certificate": str(issued.certificate), "proxy_tls_key": str(issued.key)}
    sound = preflight({**told, **files})
    assert (sound.code, sound.changed) == (0, 0), sound.message
    assert sound.facts["certificate_timer"] is False
    outcome = preflight({**told, **files, "proxy_tls_key": str(other.key), "admin_host": "a.b"})
    assert "line 10." in outcome.problem(f'proxy_tls_key is "{other.key}"')
    outcome = preflight({**told, **files, "admin_host": "desk.example"})
    assert "line 11." in outcome.problem('admin_host is "desk.example", which is not in')


@pytest.mark.parametrize(
    ("kind", "there", "served"),
    [("none", True, False), ("files", False, True), ("acme", True, True), ("acme", False, False)],
)
def test_https_goes_on_with_the_certificate_that_is_there(
    kind: str, there: bool, served: bool
) -> None:
    """One that lacks a name is to be replaced, and the port is not closed for that."""
    given = {"nginx_tls": kind, "nginx_certificate_there": there, "nginx_certified": False}
    assert role_variable("nginx", "nginx_serves_tls", **given) is served


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """What the module tells of a host whose files lie below the test's folder."""
    module = load("modules", "split_preflight")
    monkeypatch.setattr(module, "CONF", str(tmp_path / "conf"))
    monkeypatch.setattr(module, "LINEAGES", str(tmp_path / "live"))
    monkeypatch.setattr(module, "process_manager", lambda: "systemd")

    def look(**arguments: Any) -> dict[str, Any]:
        given = {name: option.get("default") for name, option in module.OPTIONS.items()}
        host = module.Host({**given, "site": "gazette", **arguments})
        host.look()
        return {"acme": host.acme_text, "served": host.served_text}

    return look


def test_a_certificate_of_the_authoritys_is_one_that_has_its_key(
    told: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    assert told(acme=True)["acme"] == ""
    folder = tmp_path / "live" / "gazette"
    folder.mkdir(parents=True)
    (folder / "fullchain.pem").write_text("ended, or without a name")
    assert told(acme=True)["acme"] == ""
    (folder / "privkey.pem").touch()
    assert told(acme=True)["acme"] == "ended, or without a name"


@pytest.mark.parametrize("copied", [True, False])
def test_what_visitors_are_shown_is_what_the_installed_configuration_names(
    told: Callable[..., dict[str, Any]], tmp_path: Path, copied: bool
) -> None:
    assert told(tls_port=443)["served"] == ""
    folder = tmp_path / "conf" / "nginx" / "sites" / "gazette"
    (folder / "tls").mkdir(parents=True)
    file = folder / "tls" / "certificate.pem" if copied else tmp_path / "own.pem"
    file.write_text("what is shown")
    named = "sites/gazette/tls/certificate.pem" if copied else str(file)
    template = (REPOSITORY / "templates" / "nginx" / "site.conf.j2").read_text()
    form = "{{ quoted(https.certificate) }}"
    [line] = [line for line in template.splitlines() if form in line]
    (folder / "site.conf").write_text(f"server {{\n{line.replace(form, json.dumps(named))}\n}}\n")
    assert told(tls_port=443)["served"] == "what is shown"


@pytest.mark.slow
def test_files_on_the_host_are_looked_at_there(preflight: Preflight, authority: Authority) -> None:
    issued = authority.issue(HOST)
    told = {
        "proxy_tls": "files",
        "proxy_tls_port": 18712,
        "proxy_tls_certificate": f"host:{issued.certificate}",
        "proxy_tls_key": f"host:{issued.key}",
    }
    assert preflight(told).code == 0
    issued.key.chmod(0o644)
    outcome = preflight({**told, "site_hosts": ["other.example"]})
    assert f"chmod 600 {issued.key}" in outcome.problem(f'proxy_tls_key is "host:{issued.key}"')
    assert outcome.problem('site_hosts has "other.example", which is not in the certificate')
    issued.key.unlink()
    assert preflight(told).problem(f'proxy_tls_key is "host:{issued.key}": no such file')


@pytest.mark.slow
def test_an_authority_needs_a_host_that_renews(preflight: Preflight) -> None:
    if Path("/run/systemd/system").exists():
        pytest.skip("this machine has systemd")
    told = {**ACME, "proxy_tls_port": 18712}
    assert "the host has no systemd" in preflight(told).problem("proxy_tls is acme")


@pytest.mark.slow
def test_a_key_in_a_vault_is_read_and_its_text_is_nowhere(
    preflight: Preflight, authority: Authority, tmp_path: Path
) -> None:
    issued = authority.issue(HOST)
    secret = issued.key.read_text().splitlines()[1]
    password = tmp_path / "password"
    password.write_text("x\n")
    tool = Path(sys.executable).parent / "ansible-vault"
    subprocess.run(
        [tool, "encrypt", "--vault-password-file", password, issued.key],
        check=True,
        capture_output=True,
    )
    # As in a repository: everybody may read it, and it says nothing.
    issued.key.chmod(0o644)
    told = {"proxy_tls_certificate": str(issued.certificate), "proxy_tls_key": str(issued.key)}
    words = ("-vvv", "--vault-password-file", str(password))
    outcome = preflight({"proxy_tls": "files", "proxy_tls_port": 18712, **told}, *words)
    assert outcome.code == 0, outcome.message
    assert secret not in outcome.output + outcome.warnings + json.dumps(outcome.facts)
    assert stat.S_IMODE(os.stat(issued.key).st_mode) == 0o644
