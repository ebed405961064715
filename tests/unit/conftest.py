from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.trial import Site

PROJECTS = Path(__file__).with_name("projects")

MakeSite = Callable[..., Site]


@pytest.fixture(scope="session")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeSite]:
    """Copies a project, with lines added to its settings, and gives it a place of its own."""
    made = []

    def make(project: str, added: str = "", **environment: str) -> Site:
        place = tmp_path_factory.mktemp(project)
        shutil.copytree(PROJECTS / project, place / "src")
        settings = place / "src" / project / "settings.py"
        settings.write_text(settings.read_text() + added)
        site = Site(place / "src", f"{project}.settings", place, environment=environment)
        made.append(site)
        return site

    yield make
    for site in made:
        site.stop()


@pytest.fixture(scope="session")
def paper(make_site: MakeSite) -> Site:
    """The default site, planned and with its tables made. Tests must not change what others see."""
    site = make_site("paper")
    site.plan(main_closed_prefixes=["/closed/"])
    site.manage("admin", "migrate", "-v0")
    return site


@pytest.fixture(scope="session")
def tongues(make_site: MakeSite) -> Site:
    site = make_site("tongues")
    site.plan()
    site.manage("admin", "migrate", "-v0")
    return site
