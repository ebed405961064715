"""A reader and an editor in Chromium, through nginx, on a host that has just been deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet import nspawn
from tests.fleet.conftest import newcomer
from tests.fleet.test_newcomer import FIRST_SECONDS, Site, free_port

from . import chromium, gazette

pytestmark = [pytest.mark.browser, pytest.mark.fleet, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if reason := nspawn.unavailable():
        pytest.skip(reason)
    with newcomer("bookworm", init=False) as host:
        host.clone_repo()
        site = Site(host, free_port())
        site.make("site", timeout=FIRST_SECONDS)
        yield site


def test_a_reader_reads_and_writes_a_letter(site: Site) -> None:
    with chromium.page() as tab:
        gazette.read_and_write_a_letter(tab, site.address)


def test_an_editor_signs_in_writes_and_signs_out(site: Site) -> None:
    with chromium.page() as tab:
        gazette.write_an_article(tab, site.address, site.password())
