"""The first deploy: the plan is made before a single table is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import SPLIT
from tests.sites import making
from tests.sites.test_polls import POLLS
from tests.sites.test_polls import REQUIREMENTS as POLLS_NEEDS
from tests.sites.test_wagtail import ANSWERS
from tests.sites.test_wagtail import REQUIREMENTS as WAGTAIL_NEEDS
from tests.support.browsing import make_superuser, signed_in
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow


@pytest.fixture
def polls(tmp_path: Path) -> Iterator[Site]:
    shutil.copytree(POLLS, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with Site(
        tmp_path / "src", "mysite.settings", tmp_path, python=str(virtualenv(POLLS_NEEDS))
    ) as site:
        yield site


@pytest.fixture
def wagtail(tmp_path: Path) -> Iterator[Site]:
    python = virtualenv(WAGTAIL_NEEDS)
    making.run(python, "wagtail", "start", "mysite", making.fresh(tmp_path), cwd=tmp_path)
    with Site(tmp_path / "src", "mysite.settings.dev", tmp_path, python=str(python)) as site:
        yield site


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_polls_are_planned_then_migrated_then_served(polls: Site, store: Path) -> None:
    before = files(polls.source)
    plan = polls.plan(session={"url": f"unix://{store}?db=0"})
    assert (plan.verdict.is_, plan.verdict.decisions) == (SPLIT, [])
    assert files(polls.source) == before
    polls.manage("admin", "migrate", "-v0")
    assert "No polls are available." in polls.get("main", "/polls/").body
    make_superuser(polls)
    _, statuses = signed_in(polls, "/admin/login/", ["/admin/", "/admin/polls/question/"])
    assert set(statuses.values()) == {200}


def test_a_page_tree_without_tables_is_planned_as_with_them(wagtail: Site) -> None:
    before = files(wagtail.source)
    plan = wagtail.plan(**ANSWERS)
    assert (plan.verdict.is_, plan.verdict.decisions) == (SPLIT, [])
    assert plan.proxy.admin_prefixes == ["/django-admin/", "/admin/"]
    assert files(wagtail.source) == before
