"""A site on seven hosts, as `inventory/cluster` has it: the hosts, and what is asked of them.

Two proxies, two hosts of main's, two of the admin's, one for the database; the three last of them
keep the sessions. No host but the first admin's has a way out.
"""

from __future__ import annotations

import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from tests.support.authority import Authority

from . import paths
from .images import Release
from .load import Load
from .network import Fleet, Networked
from .test_newcomer import SIGNED_IN
from .visitor import Visitor

NAMES = ("proxy1", "proxy2", "main1", "main2", "admin1", "admin2", "db")
# Those that can be filled; what is deployed there takes a third of it.
DISKS = dict.fromkeys(("proxy1", "main1", "admin1"), 1500)
HOST = "news.example"
LOGIN = "/admin/login/?next=/admin/"
GAZETTE = paths.REPOSITORY / "tests" / "sites" / "gazette"
SECONDS = 900

# What runs of ours, and of Debian's for us, by process: who was restarted has another number.
RUNNING = (
    "systemctl list-units --state=running --plain --no-legend"
    " 'gazette-*.service' 'django-split-*.service' 'postgresql@*.service' | cut -d' ' -f1"
    " | xargs -r systemctl show -p Id,MainPID"
)


@dataclass(frozen=True)
class Cluster:
    """Seven hosts, the source of their site, and its variables.

    With an authority the proxies end TLS, with a certificate of its.
    """

    fleet: Fleet
    site: Path
    authority: Authority | None
    variables: dict[str, Any]

    def __getitem__(self, name: str) -> Networked:
        return next(host for host in self.fleet.hosts if host.short == name)

    @property
    def proxies(self) -> list[str]:
        return [self["proxy1"].address, self["proxy2"].address]

    @property
    def context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.authority.file) if self.authority else None

    def visitor(self, proxy: str = "proxy1") -> Visitor:
        scheme = "https" if self.authority else "http"
        return Visitor(f"{scheme}://{HOST}", at=self[proxy].address, context=self.context)

    def load(self, *paths: str) -> Load:
        return Load(self.proxies, HOST, paths or ("/",), context=self.context)

    def editor(self) -> Visitor:
        """Somebody who is signed in."""
        password = self["admin1"].run("cat /etc/django-split/gazette/superuser").stdout.strip()
        editor = self.visitor()
        assert SIGNED_IN in editor.log_in(LOGIN, "admin", password).text
        return editor

    def wait(self, seconds: float = 90) -> float:
        """Until both proxies have shown main's pages and the login several times in a row."""
        began, well = time.monotonic(), 0
        while well < 3:
            well = well + 1 if all(map(self._well, ("proxy1", "proxy2"))) else 0
            assert time.monotonic() < began + seconds, "the site is not back"
            time.sleep(0.3)
        return time.monotonic() - began

    def _well(self, proxy: str) -> bool:
        try:
            return {self.visitor(proxy).ask(path).status for path in ("/", LOGIN)} == {200}
        except (URLError, OSError):
            return False

    def play(self, *words: str, check: bool = True) -> str:
        done = self.fleet.play(*words, timeout=SECONDS, check=check)
        assert check or done.returncode, f"{words} was to fail:\n{done.stdout[-3000:]}"
        return done.stdout

    def everywhere(self, do: Callable[[Networked], Any]) -> dict[str, Any]:
        """What a question says on every host, asked at once."""
        with ThreadPoolExecutor() as pool:
            return dict(zip(NAMES, pool.map(do, map(self.__getitem__, NAMES)), strict=True))

    def processes(self) -> dict[str, str]:
        return self.everywhere(lambda host: host.run(RUNNING).stdout)

    def releases(self) -> dict[str, str]:
        """The release that each instance serves on each host."""
        found = {}
        for name in NAMES[2:6]:
            link = self[name].run("readlink /srv/gazette/live/*.sock").stdout.strip()
            found[name] = link.rpartition("-")[2].removesuffix(".sock")
        return found

    def inventory(self, **groups: list[str]) -> None:
        wanted = {
            "proxy": ["proxy1", "proxy2"],
            "main": ["main1", "main2"],
            "admin": ["admin1", "admin2"],
            "redis": ["admin1", "admin2", "db"],
            "database": ["db"],
            **groups,
        }
        hosts = {group: [self[name] for name in names] for group, names in wanted.items()}
        self.fleet.inventory(hosts, self.variables)


@contextmanager
def booted(release: Release, place: Path, *, tls: bool, serial: int | str) -> Iterator[Cluster]:
    """Seven fresh hosts and their inventory; nothing is deployed yet."""
    site = place / "gazette"
    shutil.copytree(GAZETTE, site)
    variables: dict[str, Any] = {
        "site_name": "gazette",
        "site_source": str(site),
        "site_settings": "gazette.settings",
        "site_hosts": [HOST],
        "site_media": "shared",
        "site_database": "postgresql",
        "site_first_commands": ["load_articles --count 40"],
        "site_gate_text": "Gazette",
        "site_serial": serial,
    }
    authority = Authority(place) if tls else None
    if authority:
        issued = authority.issue(HOST)
        variables |= {
            "proxy_tls": "files",
            "proxy_tls_certificate": str(issued.certificate),
            "proxy_tls_key": str(issued.key),
            "verify_ca": str(authority.file),
        }
    with Fleet() as fleet:
        for name in NAMES:
            fleet.boot(name, release, way_out=name == "admin1", disk_megabytes=DISKS.get(name))
        cluster = Cluster(fleet, site, authority, variables)
        cluster.inventory()
        yield cluster
