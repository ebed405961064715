"""The admin on a host name of its own, as verify sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .host import DESK, Host
from .test_claims import false_claims, look, sees_only

pytestmark = pytest.mark.slow


@pytest.fixture
def apart(host: Host) -> Iterator[Host]:
    """nginx without the admin on the public host."""
    here = f"location ^~ /admin/ {{ proxy_pass http://unix:{host.root}/live/admin.sock; }}"
    with (
        host.configured(here, ""),
        host.configured("location = /admin { return 301 /admin/; }", ""),
    ):
        yield host


def test_every_claim_holds_with_a_host_of_the_admins_own(host: Host, apart: Host) -> None:
    again = host.configured(
        "location /admin/ {", "location = /admin {return 301 /admin/;} location /admin/ {"
    )
    with again:
        rows = look(host, admin_host=DESK)
    assert false_claims(rows) == {}
    assert rows["proxy.public_host"].seen == "/admin/: 404; /admin/login/: 404"
    assert rows["admin.login"].ok is True
    assert rows["proxy.static"].ok is True
    assert f"302 http://news.example:{host.port}/?from=verify" in rows["proxy.admin_host"].seen


def test_an_admin_that_is_on_the_public_host_too_is_seen(host: Host) -> None:
    seen = "/admin/: 302; /admin/login/: 200"
    sees_only(host, ExitStack(), "proxy.public_host", seen, admin_host=DESK)


def test_public_pages_on_the_admins_host_are_seen(apart: Host) -> None:
    here = f"return 302 http://news.example:{apart.port}$request_uri;"
    bug = apart.configured(here, f"proxy_pass http://unix:{apart.root}/live/main.sock;")
    sees_only(apart, bug, "proxy.admin_host", "/?from=verify: 200", admin_host=DESK)
