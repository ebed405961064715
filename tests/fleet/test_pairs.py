"""Choices that no other test has together: converged, unchanged, signed in, rebooted, verified."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.authority import Authority

from .pairs import SOAK, Choices
from .remote import CHANGED, Server, remote
from .test_newcomer import FIRST_SECONDS, SIGNED_IN, free_port
from .visitor import Visitor

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
        editor = visitor(server, choices, authority)
        password = server.host.run("cat /etc/django-split/gazette/superuser").stdout.strip()
        page = editor.log_in("/admin/login/?next=/admin/", "admin", password)
        assert SIGNED_IN in page.text
        server.host.reboot()
        for path in ("/", "/admin/login/"):
            editor.wait(path, 60)
        # Memcached keeps nothing, and the database only what is written to it as well.
        kept = choices.store != "memcached" or choices.engine == "cached_db"
        assert (SIGNED_IN in editor.ask("/admin/").text) is kept
        server.play("playbooks/verify.yml")


def visitor(server: Server, choices: Choices, authority: Authority) -> Visitor:
    if choices.tls == "none":
        return server.visitor
    context = ssl.create_default_context(cafile=str(authority.file))
    return Visitor(f"https://localhost:{server.tls_port}", context=context)
