"""A machine that is in use already, and a project that none of us wrote."""

from __future__ import annotations

import pytest

from . import units
from .conftest import newcomer
from .test_newcomer import FIRST_SECONDS, RECAP, Site, free_port
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]

# Debian's own nginx and Redis, as somebody's other application uses them.
NEIGHBOURS = """
set -e
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get update -q && apt-get install -q --yes nginx redis-server python3-venv
rm /usr/sbin/policy-rc.d
sed -i -E 's/^(\\s*listen .*)80( default_server;)/\\1{nginx}\\2/' /etc/nginx/sites-available/default
sed -i 's/^port 6379$/port {redis}/' /etc/redis/redis.conf
systemctl restart nginx redis-server
"""

WAGTAIL = """
set -e
python3 -m venv /opt/wagtail && /opt/wagtail/bin/pip install --quiet wagtail
mkdir -p /srv/src/mysite && cd /srv/src && /opt/wagtail/bin/wagtail start mysite mysite
"""

UNTOUCHED = """
systemctl show --property=MainPID,ActiveState,NRestarts nginx redis-server
systemctl is-enabled nginx redis-server
find /etc/nginx /etc/redis -type f | sort | xargs sha256sum
"""


def test_wagtails_project_beside_somebody_elses_nginx_and_redis() -> None:
    with newcomer("trixie", init=True) as host:
        nginx, redis = free_port(), free_port()
        host.run(NEIGHBOURS.format(nginx=nginx, redis=redis), timeout=FIRST_SECONDS)
        host.run(WAGTAIL, timeout=FIRST_SECONDS)
        before = host.run(UNTOUCHED).stdout
        neighbour = Visitor(f"http://localhost:{nginx}")
        assert "Welcome to nginx" in neighbour.ask("/").text

        host.clone_repo()
        site = Site(host, free_port(), "mysite")
        variables = ("site_source=/srv/src/mysite",)
        site.make("site", *variables, inventory="inventory/wagtail", timeout=FIRST_SECONDS)

        visitor = site.visitor
        assert visitor.ask("/").status == 200
        assert not visitor.cookies
        assert visitor.ask("/_util/login/").status == 404
        for admin in ("/admin/login/?next=/admin/", "/django-admin/login/?next=/django-admin/"):
            editor = site.visitor
            page = editor.log_in(admin, "admin", site.password())
            assert page.address == site.address + admin.partition("next=")[2]

        units.check(host, "mysite")

        again = site.make("site", *variables, inventory="inventory/wagtail")
        recap = RECAP.search(again)
        assert recap is not None
        assert recap[1] == "0"

        site.make("uninstall", *variables, "remove_data=true", inventory="inventory/wagtail")
        assert host.run(UNTOUCHED).stdout == before
        assert "Welcome to nginx" in neighbour.ask("/").text
