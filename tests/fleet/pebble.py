"""Pebble on a host: an ACME authority as Let's Encrypt is one, which nobody but the test trusts."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from tests.support.authority import Authority

from .hosts import Host
from .test_newcomer import SECONDS, free_port

FOLDER = "/root/pebble"
INSTALL = "apt-get update -qq && apt-get install -y -qq --no-install-recommends pebble"
# No pause before it asks, no nonce that is refused to try a client, and each name asked for anew.
OPTIONS = {"PEBBLE_VA_NOSLEEP": 1, "PEBBLE_WFE_NONCEREJECT": 0, "PEBBLE_AUTHZREUSE": 0}


@dataclass(frozen=True)
class Pebble:
    """Its directory for ACME clients, and the root of what it signs, on the controller.

    What it shows itself by is from an `authority` of the test's own, which its host trusts.
    """

    directory: str
    root: Path
    authority: Authority


def pebble(host: Host, place: Path, port: int) -> Pebble:
    """Start one that asks for challenges on a port; it resolves names as its host does."""
    host.run(INSTALL, timeout=SECONDS)
    own = place / "pebble"
    own.mkdir()
    authority = Authority(own)
    issued = authority.issue("localhost")
    directory, management = free_port(), free_port()
    config = {
        "pebble": {
            "listenAddress": f"127.0.0.1:{directory}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": f"{FOLDER}/{issued.certificate.name}",
            "privateKey": f"{FOLDER}/{issued.key.name}",
            "httpPort": port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
        }
    }
    (own / "config.json").write_text(json.dumps(config))
    host.copy_in(own, FOLDER)
    # certbot asks Debian's bundle whether the authority itself is to be trusted.
    trust = "/usr/local/share/ca-certificates/pebble.crt"
    host.run(f"install -m 644 {FOLDER}/{authority.file.name} {trust} && update-ca-certificates")
    given = " ".join(f"-E {name}={value}" for name, value in OPTIONS.items())
    host.run(f"systemd-run --unit=pebble {given} pebble -config {FOLDER}/config.json")
    root = place / "root.pem"
    root.write_bytes(_fetched(f"https://localhost:{management}/roots/0", authority.file))
    return Pebble(f"https://localhost:{directory}/dir", root, authority)


def _fetched(address: str, trusted: Path) -> bytes:
    context = ssl.create_default_context(cafile=str(trusted))
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    deadline = time.monotonic() + 30
    while True:
        try:
            with opener.open(address, timeout=5) as answer:
                text: bytes = answer.read()
                return text
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
