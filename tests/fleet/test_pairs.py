"""Choices that no other test has together: converged, unchanged, signed in, rebooted, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import Authority

from .pairs import SOAK, Choices
from .remote import CHANGED, remote
from .test_newcomer import FIRST_SECONDS, free_port

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]


@pytest.mark.parametrize("choices", SOAK, ids=[each.name for each in SOAK])
def test_a_server_with_these_choices_is_as_claimed(choices: Choices, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    issued = authority.issue("localhost", "127.0.0.1")
    with remote(choices.release, tmp_path) as server:
        server.set(
            session_store=choices.store,
            session_engine=choices.engine,
            site_database=choices.database,
            session_persistent=choices.store != "memcached",
        )
        if choices.tls == "files":
            server.set(
                proxy_tls="files",
                proxy_tls_certificate=str(issued.certificate),
                proxy_tls_key=str(issued.key),
                proxy_tls_port=free_port(),
                verify_ca=str(authority.file),
            )
        server.play("site.yml", "--check", "--diff", timeout=FIRST_SECONDS)
        # It ends with verify, which signs in.
        server.play("site.yml", timeout=FIRST_SECONDS)
        recap = CHANGED.search(server.play("site.yml"))
        assert recap is not None
        assert recap[1] == "0"
        server.host.reboot()
        server.host.run("until systemctl is-active --quiet django-split-nginx; do sleep 0.2; done")
        server.play("playbooks/verify.yml")
