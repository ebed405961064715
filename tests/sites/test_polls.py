"""The tutorial's site: what most people split first."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import SPLIT, Plan
from tests.sites import making
from tests.sites.judging import Promises
from tests.support.trial import REPOSITORY, Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

REQUIREMENTS = ["Django==5.2.19", "django-debug-toolbar==6.1.0", "redis==8.1.0"]
POLLS = REPOSITORY / "tests" / "sites" / "polls"

CONTENT = """
import datetime
from django.utils import timezone
from polls.models import Question
now = timezone.now()
for number in range(7):
    question = Question.objects.create(
        question_text=f"Question {number}?", pub_date=now - datetime.timedelta(hours=number)
    )
    for choice in ("Yes", "No", "Perhaps"):
        question.choice_set.create(choice_text=choice)
Question.objects.create(question_text="Later?", pub_date=now + datetime.timedelta(days=3))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("polls")
    shutil.copytree(POLLS, place / "src", ignore=shutil.ignore_patterns("__pycache__"))
    python = virtualenv(REQUIREMENTS)
    with Site(place / "src", "mysite.settings", place, python=str(python)) as site:
        making.set_up(site, content=CONTENT)
        making.split(site, store)
        yield site


class TestPolls(Promises):
    gone = ("/admin/",)
    # The tutorial has no home page; a question that is not published yet is not there.
    starts = ("/", "/polls/", "/polls/1/results/", "/polls/8/", "/polls/8/results/", "/polls/99/")
    least = 11


def test_it_is_split_without_a_question(site: Site) -> None:
    verdict = Plan.read(site.place / "plan.toml").verdict
    assert (verdict.is_, verdict.decisions) == (SPLIT, [])


def test_a_vote_on_main_counts_and_shows_on_both(site: Site) -> None:
    voted = site.ask(
        "main",
        """
        import re
        from django.test import Client
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)
        page = client.get("/polls/2/").content.decode()
        form = {"csrfmiddlewaretoken": re.search('token" value="([^"]+)', page)[1]}
        answer = [client.post("/polls/2/vote/", form).content.decode()]
        form["choice"] = re.search('name="choice" id="choice2" value="([0-9]+)', page)[1]
        reply = client.post("/polls/2/vote/", form)
        answer += [reply.status_code, reply["Location"], list(client.cookies)]
        """,
    )
    assert "You didn&#x27;t select a choice." in voted[0]
    assert voted[1:] == [302, "/polls/2/results/", ["csrftoken"]]
    for instance in ("main", "base"):
        assert re.findall("(No|Yes) -- (.) vote", site.get(instance, "/polls/2/results/").body) == [
            ("Yes", "0"),
            ("No", "1"),
        ]
