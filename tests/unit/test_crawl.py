"""The crawl of a real site: what it finds, where it goes, and that nothing of it gets out."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from django_split import findings as kinds
from django_split.findings import Finding
from django_split.plan import Plan
from tests.support.trial import PlanFailedError, Site

ROWS = """
import django; django.setup()
from press.models import Article
for n in range(3): Article.objects.create(title=f"Article {n}")
"""
COUNT = """
import django, json; django.setup()
from press.models import Article, Reader
tables = django.db.connection.introspection.table_names()
counted = sum(Article.objects.values_list("readers", flat=True))
print(json.dumps([Article.objects.count(), counted, Reader.objects.count(),
                  "written_by_hand" in tables]))
"""


SEEN = """
import dataclasses, json
from django_split.analysis import pages, steps
limits = {"pages": 150, "seconds": 10}
answer = steps.base({"settings": "press.settings", "deploy": {}, **limits})
found = pages.beside([], pages.of_base(pages.read(answer["pages"])))
print(json.dumps([dataclasses.asdict(finding) for finding in found]))
"""


def planned(site: Site, **changes: object) -> Plan:
    """The plan, whatever it still asks."""
    try:
        return site.plan(**changes)
    except PlanFailedError:
        return Plan.read(site.place / "plan.toml")


def told(plan: Plan, kind: str) -> dict[str, Finding]:
    return of(plan.findings, kind)


def of(found: list[Finding], kind: str) -> dict[str, Finding]:
    return {finding.url: finding for finding in found if finding.kind == kind}


def found_by_asking(site: Site) -> list[Finding]:
    done = site.run(["-c", SEEN])
    return [Finding(**item) for item in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def press(make_site: Callable[..., Site]) -> Site:
    site = make_site("press")
    site.run(["-m", "django", "migrate", "-v0"], "press.settings")
    site.run(["-c", ROWS], "press.settings")
    # What one of its pages deletes.
    (site.source / "outside" / "media").mkdir(parents=True, exist_ok=True)
    (site.source / "outside" / "media" / "kept.txt").write_text("kept")
    return site


@pytest.fixture(scope="module")
def make_press(press: Site, make_site: Callable[..., Site]) -> Callable[[str], Site]:
    """The same site with lines added to its settings, and with the same rows."""

    def make(added: str = "") -> Site:
        site = make_site("press", added)
        shutil.copy(press.source / "db.sqlite3", site.source)
        return site

    return make


@pytest.fixture(scope="module")
def plan(press: Site) -> Plan:
    return planned(press)


@pytest.fixture(scope="module")
def marks(press: Site, plan: Plan) -> list[str]:
    """What the site's views have written of who came, on base and on main."""
    return Path(press.source, "outside", "marks").read_text().splitlines()


@pytest.fixture(scope="module")
def seen(make_press: Callable[[str], Site]) -> list[Finding]:
    """What the crawl of the base finds by itself: in a plan stands what reading the view found."""
    return found_by_asking(make_press(""))


@pytest.mark.parametrize(
    ("kind", "url", "words"),
    [
        (kinds.SESSION, "/basket/", "it sets the session cookie for a visitor"),
        (kinds.SESSION, "/own-cookie/", "it sets the session cookie for a visitor"),
        (kinds.PRIVATE, "/mine/", "it redirects to /come-in/"),
        (kinds.PRIVATE, "/ask-first/", "it redirects to /doors/"),
        (kinds.PRIVATE, "/forbidden/", "it answers 403"),
        (kinds.LOGIN, "/enter/", "it is sent a password"),
        (kinds.WRITES, "/article/<int:pk>/", "UPDATE press_article, INSERT press_reader"),
        (kinds.WRITES, "/raw/", "CREATE written_by_hand"),
        (kinds.WRITES, "/thumbnail/", "it writes: a file"),
    ],
)
def test_page_of_the_base_is_found(seen: list[Finding], kind: str, url: str, words: str) -> None:
    assert words in of(seen, kind)[url].what


@pytest.mark.parametrize(
    ("kind", "url", "words"),
    [
        (kinds.OPENED, "/members/", "the site redirects to /join/"),
        (kinds.BREAKS, "/history/", "ValueError: 'django.contrib.admin' is not in list"),
        (kinds.BREAKS, "/caught/", "it fails on main only with 503"),
        (kinds.BREAKS, "/only-here/", "main answers 404, the site 200"),
        (kinds.BREAKS, "/own-cookie/", "main sets the session cookie"),
        (
            kinds.DIFFERS,
            "/made-of/",
            "(line 2: 'django_split.runtime.main.urls and more', the site",
        ),
        (kinds.DIFFERS, "/away/", "main redirects to /number/2/, the site to /number/1/"),
    ],
)
def test_page_of_main_is_found(plan: Plan, kind: str, url: str, words: str) -> None:
    assert words in told(plan, kind)[url].what


@pytest.mark.parametrize("kind", [kinds.SESSION, kinds.PRIVATE, kinds.LOGIN])
def test_of_a_url_that_was_read_and_asked_is_told_once(plan: Plan, kind: str) -> None:
    asked = [f for f in plan.findings if f.kind in (kinds.SESSION, kinds.PRIVATE, kinds.LOGIN)]
    assert of(asked, kind)
    assert len({(finding.url, finding.view) for finding in asked}) == len(asked)


def test_findings_have_view_and_place(plan: Plan) -> None:
    entered = told(plan, kinds.LOGIN)["/enter/"]
    assert entered.view == "press.views.Enter"
    source = Path("tests/unit/projects/press/press/views.py").read_text().splitlines()

    def line(place: str) -> str:
        name, _, number = place.partition(":")
        assert name == "press/views.py"
        return source[int(number) - 1].strip()

    assert line(entered.where) == "class Enter(View):"
    # Of an exception it is the line that raised.
    raised = line(told(plan, kinds.BREAKS)["/history/"].where)
    assert raised == 'return HttpResponse(settings.INSTALLED_APPS.index("django.contrib.admin"))'


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (kinds.LOGIN, "/doors/"),  # it is sent to another page
        (kinds.LOGIN, "/admin/login/"),  # the admin instance's
        (kinds.PRIVATE, "/away/"),  # a redirect, and no login
        (kinds.SESSION, "/says/"),  # a message, in a cookie of its own
        (kinds.DIFFERS, "/visitor/"),  # differs from itself
        (kinds.BREAKS, "/wrong/"),  # on the base, too
        (kinds.OPENED, "/wrong/"),
        (kinds.DIFFERS, "/"),
    ],
)
def test_page_is_not_found_for_what_it_is_not(
    plan: Plan, seen: list[Finding], kind: str, url: str
) -> None:
    assert url not in told(plan, kind)
    assert url not in of(seen, kind)


def test_page_that_fails_on_the_base_is_said_not_to_be_compared(plan: Plan) -> None:
    said = [f.what for f in plan.findings if f.kind == kinds.NOT_COVERED]
    assert "not compared, because the site itself fails: /wrong/: ZeroDivisionError: " in str(said)
    # It can read what it saved.
    assert "/thumbnail/" not in str(said)
    # The database refused, not the crawl.
    assert "/past-django/: OperationalError: attempt to write a readonly database" in str(said)


def test_looking_leaves_nothing_in_the_database(press: Site, plan: Plan) -> None:
    """Not by the ORM, not by hand, not by the driver."""
    done = press.run(["-c", COUNT], "press.settings")
    assert json.loads(done.stdout) == [3, 0, 0, False]


def test_looking_leaves_nothing_outside(press: Site, plan: Plan) -> None:
    outside = [path.name for path in Path(press.source, "outside").rglob("*") if path.is_file()]
    assert sorted(outside) == ["kept.txt", "marks"]
    assert (
        not Path(press.source, "press.log").exists()
        or not Path(press.source, "press.log").read_text()
    )


def test_what_undoes_something_is_not_asked_for(marks: list[str]) -> None:
    """By path, by the name of the URL, by a query; nor what has parameters and no link."""
    assert "never" not in marks
    assert "/search/?delete=1" not in marks


def test_many_pages_of_one_view_are_asked_for_a_few_times(marks: list[str]) -> None:
    """Twice each by the base, to know which are stable, and once by main."""
    numbers = Counter(mark for mark in marks if mark.startswith("number") and mark != "number 0")
    assert len(numbers) == 5
    assert set(numbers.values()) == {3}
    # From the sitemap, which robots.txt names by another host.
    assert marks.count("archive 1977") == 3
    # A view that was not asked yet comes before another page of one that was.
    assert marks.index("archive 1977") < marks.index("number 2")
    assert len({mark for mark in marks if mark.startswith("/search/?")}) == 2


@pytest.mark.slow
def test_closed_and_given_pages_are_answered_and_no_longer_compared(press: Site) -> None:
    changed = planned(
        press,
        main_closed_prefixes=["/only-here/", "/caught/"],
        main_closed_views=["press.views.history"],
        admin_extra_prefixes=["/members/", "/own-cookie/"],
    )
    gone = {"/only-here/", "/caught/", "/history/", "/members/", "/own-cookie/"}
    open_ = {finding.url for finding in changed.findings if finding.is_open}
    assert gone.isdisjoint(open_)
    assert gone.isdisjoint(told(changed, kinds.BREAKS))


@pytest.mark.slow
def test_public_sessions_keep_the_session_pages_and_open_nothing(press: Site) -> None:
    """On a laptop: a deployment that names no hosts, of a site that allows some names only."""
    laptop = {"public_sessions": "cached_db", "public_session": {"store": "local"}, "hosts": []}
    changed = planned(press, **laptop)
    assert told(changed, kinds.SESSION)["/basket/"].answer == kinds.PUBLIC_SESSIONS
    assert "/own-cookie/" not in told(changed, kinds.BREAKS)


@pytest.mark.slow
def test_middleware_that_fails_on_main_is_one_finding_with_its_cause(
    make_press: Callable[[str], Site],
) -> None:
    site = make_press("\nMIDDLEWARE.append('press.middleware.counting')\n")
    (broken,) = [f for f in planned(site).findings if f.kind == kinds.BREAKS]
    assert broken.what.startswith("every page fails on main: ValueError: 'django.con")
    assert broken.where.startswith("press/middleware.py:")
    assert broken.is_open


def test_site_below_anothers_root_is_asked_for_the_same_pages(
    make_press: Callable[[str], Site], seen: list[Finding]
) -> None:
    """Its links have the prefix, its routes have not."""
    found = found_by_asking(make_press("\nFORCE_SCRIPT_NAME = '/sub'\nMEDIA_URL = ''\n"))
    assert of(found, kinds.SESSION).keys() == of(seen, kinds.SESSION).keys()
    assert "/mine/" in of(found, kinds.PRIVATE)


@pytest.mark.slow
def test_site_that_wants_https_and_another_name_is_followed_there(
    make_press: Callable[[str], Site],
) -> None:
    """Or every page would be a redirect, and nothing could be said."""
    site = make_press("\nPREPEND_WWW = True\nMIDDLEWARE.insert(0, 'press.middleware.only_https')\n")
    changed = planned(site)
    assert "/basket/" in told(changed, kinds.SESSION)
    assert "/members/" in told(changed, kinds.OPENED)


@pytest.mark.slow
def test_crawl_can_be_left_out(press: Site) -> None:
    source = "from django_split.analysis.analyse import analyse\n"
    done = press.run(["-c", f"{source}print(analyse('press.settings', {{}}, pages=0).json())"])
    found = Plan.from_data(json.loads(done.stdout)).findings
    assert not [f for f in found if f.kind in (kinds.DIFFERS, kinds.OPENED, kinds.WRITES)]


@pytest.mark.slow
def test_page_that_never_answers_is_given_up(make_press: Callable[[str], Site]) -> None:
    """Though its view catches whatever is raised in it."""
    site = make_press("")
    views = site.source / "press" / "views.py"
    views.write_text(
        views.read_text()
        + "\ndef visitor(request):\n    import time\n    for _ in range(60):\n        try:\n"
        "            time.sleep(1)\n        except:\n            pass\n"
    )
    begun = time.monotonic()
    changed = planned(site)
    assert time.monotonic() - begun < 40
    said = [f.what for f in changed.findings if f.kind == kinds.NOT_COVERED]
    assert "/visitor/: no answer in 5 s" in str(said)
    assert "/mine/" in told(changed, kinds.PRIVATE)
