"""What follows from a page of the base, and from main's answer beside it."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from django_split import findings as kinds
from django_split.analysis.pages import MISSING, Crawl, Page, beside, of_base, of_main, read, to_ask
from django_split.findings import Finding
from django_split.plan import Main, MainUrls

PLANNED = Main(urls=MainUrls("site.urls", closed=["/shut/"], closed_views=["site.views.shut_*"]))
PUBLIC = replace(PLANNED, public_sessions="cached_db")
GOOD = Page("/p/1/", 200, url="/p/<int:pk>/", view="site.views.p", where="site/views.py:3")
TO_LOGIN = replace(GOOD, status=302, location="/login/?next=/p/1/", to_login=True)
BROKEN = replace(
    GOOD, status=500, exception="LookupError: no app", raised_at="site/views.py:9", text=[]
)


def base_finds(*pages: Page) -> list[tuple[str, str]]:
    return [(finding.kind, finding.what) for finding in of_base(Crawl(list(pages)))]


def finds(base: Page, main: Page, planned: Main = PLANNED) -> list[tuple[str, str]]:
    # A second page, or one that breaks would be every page.
    other = Page("/other/", 200)
    found = of_main(Crawl([base, other]), Crawl([main, other]), planned)
    return [(finding.kind, finding.what) for finding in found]


def test_finding_has_the_url_as_its_route_is_written() -> None:
    (found,) = of_base(Crawl([TO_LOGIN]))
    assert (found.url, found.view) == ("/p/<int:pk>/", "site.views.p")
    assert found.where == "site/views.py:3"
    assert found.what == "a visitor is not let in: it redirects to /login/ (as /p/1/)"


def test_view_is_told_of_once_however_many_pages_it_has() -> None:
    second = replace(GOOD, path="/p/2/", session=True)
    assert len(of_base(Crawl([replace(GOOD, session=True), second]))) == 1
    assert len(of_base(Crawl([replace(GOOD, session=True), replace(second, url="/q/")]))) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_page_that_answers_as_if_forbidden_is_private(status: int) -> None:
    said = f"a visitor is not let in: it answers {status} (as /p/1/)"
    assert base_finds(replace(GOOD, status=status)) == [(kinds.PRIVATE, said)]


def test_redirect_is_private_only_to_a_login() -> None:
    assert base_finds(replace(GOOD, status=302, location="/elsewhere/")) == []


def test_password_is_told_of_where_it_is_sent_to() -> None:
    """A form in the head of every page is one question, about its target."""
    box = replace(GOOD, passwords=[["/enter/", "site.views.enter", "site/views.py:40"]])
    (found,) = of_base(Crawl([box, replace(box, path="/q/", url="/q/", view="site.views.q")]))
    assert found == Finding(
        kinds.LOGIN, "it is sent a password", "/enter/", "site.views.enter", "site/views.py:40"
    )


def test_page_that_fails_on_the_base_says_nothing_but_that() -> None:
    """Neither of the page nor of main."""
    failed = replace(BROKEN, session=True, to_login=True)
    assert base_finds(failed) == [
        (
            kinds.NOT_COVERED,
            "not compared, because the site itself fails: /p/1/: LookupError: no app",
        )
    ]
    assert finds(failed, GOOD) == []
    assert to_ask(Crawl([failed, GOOD])) == ["/p/1/"]


def test_pages_that_fail_alike_are_one_note() -> None:
    many = [replace(BROKEN, path=f"/p/{n}/") for n in range(5)]
    assert base_finds(*many) == [
        (
            kinds.NOT_COVERED,
            "not compared, because the site itself fails: "
            "/p/0/, /p/1/, /p/2/ and 2 more: LookupError: no app",
        )
    ]


def test_missing_database_is_one_note_with_all_that_fails_for_it() -> None:
    pages = [GOOD, BROKEN, replace(BROKEN, path="/q/", exception="OperationalError: no table")]
    (found,) = of_base(Crawl(pages, databases=['the database "default" has no tables']))
    assert found.what == (
        'pages could not be judged: the database "default" has no tables (2 of 3 pages fail)'
    )


def test_page_that_cannot_be_judged_on_main_is_no_finding_of_mains() -> None:
    assert finds(GOOD, replace(BROKEN, unjudged="the database went away")) == []


@pytest.mark.parametrize(
    "base",
    [
        TO_LOGIN,
        replace(GOOD, status=302, location="/join/"),
        replace(GOOD, status=401),
        replace(GOOD, status=403),
        replace(GOOD, status=404),
    ],
    ids=["login", "redirect", "401", "403", "404"],
)
def test_page_that_main_shows_and_the_base_does_not_is_opened(base: Page) -> None:
    ((kind, what),) = finds(base, GOOD)
    assert kind == kinds.OPENED
    assert what.startswith("main shows it to everybody; the site ")


def test_private_page_that_stays_closed_on_main_is_not_opened() -> None:
    assert finds(TO_LOGIN, TO_LOGIN) == []
    assert finds(replace(GOOD, status=403), replace(GOOD, status=403)) == []


def test_opened_and_broken_pages_are_not_answered_by_public_sessions() -> None:
    assert [kind for kind, _ in finds(TO_LOGIN, GOOD, PUBLIC)] == [kinds.OPENED]
    assert [kind for kind, _ in finds(GOOD, BROKEN, PUBLIC)] == [kinds.BREAKS]


def test_what_breaks_on_main_is_told_with_its_cause_and_place() -> None:
    other = Page("/other/", 200)
    (found,) = of_main(Crawl([GOOD, other]), Crawl([BROKEN, other]), PLANNED)
    assert found == Finding(
        kinds.BREAKS,
        "it fails on main only: LookupError: no app (as /p/1/)",
        "/p/<int:pk>/",
        "site.views.p",
        "site/views.py:9",
    )


def test_one_cause_of_every_page_is_one_finding() -> None:
    pages = [replace(GOOD, path=f"/p/{n}/") for n in range(9)]
    main = [replace(BROKEN, path=page.path) for page in pages]
    (found,) = of_main(Crawl(pages), Crawl(main), PLANNED)
    assert (found.kind, found.url) == (kinds.BREAKS, "")
    assert found.what == "every page fails on main: LookupError: no app"


@pytest.mark.parametrize(
    ("main", "did"),
    [
        (replace(GOOD, status=404), "answers 404"),
        (replace(GOOD, status=403), "answers 403"),
        (TO_LOGIN, "redirects to /login/?next=/p/1/"),
    ],
    ids=["404", "403", "login"],
)
def test_page_that_main_lacks_breaks(main: Page, did: str) -> None:
    assert finds(GOOD, main) == [(kinds.BREAKS, f"main {did}, the site 200 (as /p/1/)")]


@pytest.mark.parametrize(
    ("page", "main_view"),
    [
        (GOOD, "django_split.runtime.main.ghosts.ghost"),
        (replace(GOOD, path="/shut/x/"), ""),
        (replace(GOOD, view="site.views.shut_down"), ""),
    ],
    ids=["ghost", "prefix", "view"],
)
def test_page_that_main_is_not_to_have_is_no_finding(page: Page, main_view: str) -> None:
    assert finds(page, replace(page, status=404, view=main_view)) == []


def test_session_cookie_on_main_breaks_without_public_sessions() -> None:
    main = replace(GOOD, session=True)
    said = "main sets the session cookie, and keeps no sessions (as /p/1/)"
    assert finds(main, main) == [(kinds.BREAKS, said)]
    assert finds(main, main, PUBLIC) == []


def test_missing_pages_answer_is_not_a_url_to_decide_about() -> None:
    page = Page(MISSING, 404)
    other = Page("/other/", 200)
    main = replace(page, status=500, exception="TypeError: no user", raised_at="site/views.py:1")
    (found,) = of_main(Crawl([page, other]), Crawl([main, other]), PLANNED)
    assert (found.kind, found.url) == (kinds.BREAKS, "")
    assert found.what == "a page that is not there: it fails on main only: TypeError: no user"


def test_vary_by_cookie_is_what_main_is_to_lose() -> None:
    base = replace(GOOD, vary=["accept-language", "cookie"])
    assert finds(base, replace(base, vary=["accept-language"])) == []
    assert finds(base, base) == []
    said = "main's answer varies by cookie, the site's by accept-language, cookie (as /p/1/)"
    assert finds(base, replace(base, vary=["cookie"])) == [(kinds.DIFFERS, said)]
    ((kind, _),) = finds(GOOD, replace(GOOD, vary=["cookie"]))
    assert kind == kinds.DIFFERS


def test_difference_of_a_page_is_shown() -> None:
    base = replace(GOOD, digest="1", text=["<p>", "a long way to here: eight", "</p>"])
    main = replace(GOOD, digest="2", text=["<p>", "a long way to here: seven", "</p>"])
    assert finds(base, main) == [
        (
            kinds.DIFFERS,
            "the page is another one "
            "(line 2: 'a long way to here: seven', the site's 'a long way to here: eight') "
            "(as /p/1/)",
        )
    ]


def test_page_that_differs_from_itself_is_not_compared() -> None:
    assert finds(replace(GOOD, digest="1", stable=False), replace(GOOD, digest="2")) == []


def test_other_redirect_or_cookie_is_a_difference() -> None:
    base = replace(GOOD, status=301, location="/a/")
    said = "main redirects to /b/, the site to /a/ (as /p/1/)"
    assert finds(base, replace(base, location="/b/")) == [(kinds.DIFFERS, said)]
    said = "only one of the two sets the cookie seen (as /p/1/)"
    assert finds(replace(GOOD, cookies=["seen"]), GOOD) == [(kinds.DIFFERS, said)]


def test_page_that_writes_is_told_of_even_if_it_fails() -> None:
    said = "looking at it writes: UPDATE site_post, INSERT site_hit"
    page = replace(BROKEN, writes=["UPDATE site_post", "INSERT site_hit"])
    assert base_finds(page)[0] == (kinds.WRITES, said)


def finding(kind: str, what: str = "found by reading", view: str = "site.views.p") -> Finding:
    return Finding(kind, what, "/p/", view)


@pytest.mark.parametrize("known", [kinds.LOGIN, kinds.PRIVATE, kinds.SESSION])
@pytest.mark.parametrize("found", [kinds.LOGIN, kinds.PRIVATE, kinds.SESSION])
def test_of_one_url_is_asked_once_by_the_strongest(known: str, found: str) -> None:
    order = [kinds.LOGIN, kinds.PRIVATE, kinds.SESSION]
    new = beside([finding(known)], [finding(found, "seen by asking")])
    assert bool(new) is (order.index(found) < order.index(known))
    assert beside([finding(known, view="site.views.q")], [finding(found)])


def test_where_every_page_needs_a_session_none_is_asked_about_by_itself() -> None:
    everywhere = Finding(kinds.EVERYWHERE, "MIDDLEWARE has LoginRequiredMiddleware")
    asked = [finding(kinds.PRIVATE), finding(kinds.LOGIN, view="site.views.enter")]
    assert [f.kind for f in beside([everywhere], asked)] == [kinds.LOGIN]


def test_crawl_tells_itself_once_too_and_the_rest_stays() -> None:
    asked = [finding(kinds.LOGIN), finding(kinds.SESSION), finding(kinds.WRITES)]
    assert [f.kind for f in beside([], asked)] == [kinds.LOGIN, kinds.WRITES]


def test_crawl_is_the_same_after_its_way_between_processes() -> None:
    crawl = Crawl([BROKEN, TO_LOGIN], ["no tables"], ["no more time"])
    assert read(asdict(crawl)) == crawl
    assert read({}) == Crawl()


def test_paths_that_main_was_not_asked_for_are_told() -> None:
    main = Crawl(notes=["9 of 9 were not asked for in 10 s"])
    (found,) = of_main(Crawl([GOOD]), main, PLANNED)
    assert found.kind == kinds.NOT_COVERED
    assert found.what == "main's pages: 9 of 9 were not asked for in 10 s"
