from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_split.plan import Plan
from tests.support.trial import Site

# Its pages ask for a user and write to the session: main serves them to nobody signed in. A test
# that is about the questions says `main_anonymous_views=[]`.
ANSWERS = {"paper": {"main_anonymous_views": ["*"]}}
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
        site.answers = dict(ANSWERS.get(project, {}))
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


@pytest.fixture(scope="session")
def desk(make_site: MakeSite) -> Site:
    """Nothing that its views write is accepted: the plan is changed where a test wants that."""
    site = make_site("desk")
    site.plan(
        main_closed_views=["desk.views.member_*", "desk.views.Drawer"],
        main_anonymous_views=["desk.*", "django.contrib.auth.views.LoginView"],
    )
    plan = Plan.read(site.place / "plan.toml")
    plan.main.urls.anonymous_views = []
    (site.place / "plan.toml").write_text(plan.toml())
    site.manage("admin", "migrate", "-v0")
    return site
