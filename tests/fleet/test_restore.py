"""A backup where no systemd is: put back on the machine it was made on, and on a fresh one.

With systemd and PostgreSQL: test_server.py. The tests share the machines and build on each other,
in the order in which they stand here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import newcomer
from .images import Release
from .test_newcomer import FIRST_SECONDS, SIGNED_IN, Site, free_port
from .visitor import Visitor

pytestmark = [pytest.mark.fleet, pytest.mark.slow, pytest.mark.soak]

# With it a process of the site deletes expired rows: it has to be back like the others.
GIVEN = ("session_engine=redis_db",)
PLACE = "/root/backups"
LETTER = "/srv/gazette/shared/media/letter.txt"
CONTROL = (
    "/var/lib/django-split/gazette/supervisor/bin/supervisorctl"
    " -c /etc/django-split/gazette/supervisor/supervisord.conf status"
)


def machine(release: Release) -> Iterator[Site]:
    with newcomer(release, init=False) as host:
        host.clone_repo()
        yield Site(host, free_port())


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A machine with the site on it."""
    for site in machine("bookworm"):
        site.make("site", *GIVEN, timeout=FIRST_SECONDS)
        yield site


@pytest.fixture(scope="module")
def fresh() -> Iterator[Site]:
    """Another one, a Debian later, with nothing but the clone and what it needs."""
    for site in machine("trixie"):
        site.make(".venv/.site", timeout=FIRST_SECONDS)
        yield site


@pytest.fixture(scope="module")
def editor(site: Site) -> Visitor:
    """Somebody who was signed in when the backup was made."""
    editor = site.visitor
    page = editor.log_in("/admin/login/?next=/admin/", "admin", site.password())
    assert SIGNED_IN in page.text
    return editor


def write(site: Site, headline: str, letter: str) -> None:
    update = f"Article.objects.filter(id=3).update(headline={headline!r})"
    site.host.run(["gazette-manage", "shell", "-c", f"from news.models import Article; {update}"])
    install = f"install -o gazette-admin -g gazette -m 664 /dev/stdin {LETTER}"
    site.host.run(install, stdin=letter.encode())


def is_as_saved(site: Site, editor: Visitor) -> None:
    ask = "from news.models import Article; print(Article.objects.get(id=3).headline)"
    assert "Saved" in site.host.run(["gazette-manage", "shell", "-c", ask]).stdout
    assert site.visitor.ask("/media/letter.txt").text == "saved"
    # Cookies know no ports: who is signed in on the one machine is so on the other.
    editor.address = site.address
    assert SIGNED_IN in editor.ask("/admin/").text
    states = site.host.run(CONTROL).stdout
    assert "gazette-purge" in states
    assert all(" RUNNING " in line for line in states.splitlines()), states


@pytest.fixture(scope="module")
def archive(site: Site, editor: Visitor) -> str:
    write(site, "Saved", "saved")
    said = site.play("playbooks/backup.yml", "-e", f"backup_fetch={PLACE}", "-e", GIVEN[0])
    assert "readable by root alone" in said
    [name] = site.host.run(["ls", PLACE]).stdout.split()
    assert site.host.run(["stat", "-c", "%a", f"{PLACE}/{name}"]).stdout == "600\n"
    return f"{PLACE}/{name}"


def restore(site: Site, archive: str) -> str:
    words = ("playbooks/restore.yml", "-e", f"backup_from={archive}", "-e", GIVEN[0])
    return site.play(*words, timeout=FIRST_SECONDS)


def test_it_is_put_back_where_it_was_made(site: Site, editor: Visitor, archive: str) -> None:
    before = site.daemons()
    write(site, "Written since", "since")
    said = restore(site, archive)
    assert "when release" in said
    is_as_saved(site, editor)
    assert not set(before) & {
        pid for pid, command in site.daemons().items() if "redis-server" in command
    }


def test_it_is_put_on_a_fresh_machine(
    site: Site, fresh: Site, editor: Visitor, archive: str, tmp_path: Path
) -> None:
    copy = tmp_path / Path(archive).name
    copy.write_bytes((site.host.root / archive.lstrip("/")).read_bytes())
    fresh.host.copy_in(copy, archive)
    restore(fresh, archive)
    assert fresh.password() == site.password()
    is_as_saved(fresh, editor)
