"""What a newcomer reads: rows with reasons and places, findings under headings, what to type."""

from __future__ import annotations

import io

import pytest

from django_split import findings as kinds
from django_split.findings import NEED_AN_ANSWER, Finding
from django_split.layout import Sheet, plain
from django_split.plan import (
    Admin,
    AdminSession,
    Derived,
    Main,
    MainUrls,
    Plan,
    Proxy,
    Shadow,
    ShadowField,
    Verdict,
)
from django_split.report import HEADINGS, show
from django_split.suggestions import suggestions


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_plan(*found: Finding, **changes: object) -> Plan:
    plan = Plan(
        base="shop.settings",
        django="5.2",
        site="shop",
        wsgi="",
        verdict=Verdict("split", ["django admin at /admin/"]),
        main=Main(urls=MainUrls("shop.urls")),
        admin=Admin("/admin/", "/admin/login/", ["/admin/"], AdminSession("", "", "", "")),
        proxy=Proxy(["/admin/"], ["/closed/"], "", "", "", ""),
        findings=list(found),
    )
    for name, value in changes.items():
        setattr(plan, name, value)
    return plan


def shown(plan: Plan, to: io.StringIO | None = None) -> str:
    to = to or io.StringIO()
    show(plan, to=to)
    return to.getvalue()


def test_row_says_what_goes_what_replaces_it_why_and_where() -> None:
    plan = a_plan(where={"shop.sessions": "shop/settings.py:12"})
    plan.main.replace_apps = {"shop.sessions": "django_split.models_only"}
    plan.main.why = {"shop.sessions": "its models only"}
    assert (
        "shop.sessions -> django_split.models_only\n    its models only (shop/settings.py:12)\n"
    ) in shown(plan)


def test_every_change_of_a_plan_has_a_row() -> None:
    plan = a_plan()
    main, admin = plan.main, plan.admin
    main.drop_apps = ["an.app"]
    main.drop_middleware = ["a.middleware"]
    main.replace_middleware = {"an.old": "a.new"}
    main.swap_context_processors = {"a.processor": "none.of.it"}
    main.add_apps, main.add_middleware = ["our.app"], ["our.middleware"]
    main.settings, main.unset = {"SESSION_ENGINE": "ours"}, ["SESSION_COOKIE_DOMAIN"]
    main.caches = {"own": {"BACKEND": "locmem"}}
    main.models = [
        Shadow("Log", "admin_log", "id", "x", [ShadowField("u", "a.U", "u_id", "CASCADE")])
    ]
    main.public_sessions = "cached_db"
    main.urls.closed_views = ["shop.views.*"]
    admin.add_apps = ["django.contrib.sessions"]
    admin.settings, admin.unset = {"SESSION_COOKIE_PATH": "/admin/"}, ["A_DOMAIN"]
    admin.caches = {"store": {"BACKEND": "redis"}}
    plan.deploy = {
        "ALLOWED_HOSTS": Derived("add", ["shop.example"], "the names"),
        "CACHES.pages.LOCATION": Derived("own", "/var/pages", "one user's"),
    }
    text = shown(plan)
    for words in (
        "an.app -> nothing",
        "a.middleware -> nothing",
        "an.old -> a.new",
        "a.processor -> none.of.it",
        "nothing -> our.app",
        "nothing -> our.middleware",
        "SESSION_ENGINE -> ours",
        "SESSION_COOKIE_DOMAIN -> Django's default",
        "CACHES.own -> locmem",
        "table admin_log -> unmanaged shadow model",
        "main keeps sessions: cached_db",
        "closed on main: /closed/, shop.views.*",
        "nothing -> django.contrib.sessions",
        "SESSION_COOKIE_PATH -> /admin/",
        "A_DOMAIN -> Django's default",
        "CACHES.store -> redis",
        "ALLOWED_HOSTS -> + shop.example",
        "CACHES.pages.LOCATION -> /var/pages-main, /var/pages-admin",
        "nginx sends /admin/ to the admin instance",
    ):
        assert f"{words}\n" in text


def test_finding_is_told_with_its_url_view_place_reason_and_answer() -> None:
    open_ = Finding(kinds.LOGIN, "signs in", "/in/", "auth.Login", "shop/urls.py:3")
    answered = Finding(kinds.LOGIN, "signs out", "/out/", "auth.Logout", "", kinds.CLOSED)
    text = shown(a_plan(open_, answered))
    assert f"\n{HEADINGS[kinds.LOGIN]} (2, 1 to be answered)\n" in text
    assert (
        "  /in/\n    auth.Login (shop/urls.py:3)\n    signs in\n    needs an answer\n"
        "  /out/\n    auth.Logout\n    signs out\n    answer: closed: 404 on main\n"
    ) in text
    assert "\n1 to be answered, 1 answered, 0 to know of\n" in text


def test_questions_stand_before_what_only_informs() -> None:
    text = shown(a_plan(Finding(kinds.USER, "shows the user", "/"), Finding(kinds.PRIVATE, "x")))
    assert text.index(HEADINGS[kinds.PRIVATE]) < text.index(HEADINGS[kinds.USER])
    assert list(HEADINGS)[: len(NEED_AN_ANSWER)] == list(NEED_AN_ANSWER)


def test_every_kind_of_finding_has_a_heading() -> None:
    names = {
        value for name, value in vars(kinds).items() if name.isupper() and isinstance(value, str)
    }
    answers = {kinds.ADMIN, kinds.CLOSED, kinds.ANONYMOUS, kinds.PUBLIC_SESSIONS}
    assert set(HEADINGS) == names - answers


def test_one_view_under_many_languages_is_said_once() -> None:
    pages = [Finding(kinds.PRIVATE, "demands a user", f"/{code}/me/", "shop.me") for code in "ab"]
    assert "  /a/me/\n  /b/me/\n    shop.me\n    demands a user\n" in shown(a_plan(*pages))


def test_site_that_can_be_split_is_told_so_at_the_end() -> None:
    assert shown(a_plan()).endswith("\nit can be split\n")


def test_question_ends_with_what_to_type() -> None:
    plan = a_plan(
        Finding(kinds.LOGIN, "signs in", "/accounts/login/", "auth.Login"),
        Finding(kinds.LOGIN, "resets", "/accounts/reset/<token>/", "auth.Reset"),
        verdict=Verdict("split", [], ["2 URLs sign people in"]),
    )
    text = shown(plan)
    assert "  needs a decision: 2 URLs sign people in\n" in text
    end = text.partition("\nnot split until this is decided\n")[2]
    assert "    --admin-extra-prefixes /accounts/\n" in end
    assert "    --main-closed-prefixes /accounts/\n" in end
    assert "    --main-anonymous-views auth.Login auth.Reset\n" in end
    assert "    --public-sessions cached_db\n" in end
    assert "--main-closed-views" not in end


@pytest.mark.parametrize(
    ("kind", "urls", "words"),
    [
        (kinds.LOGIN, ["/login/"], "--admin-extra-prefixes /login/"),
        (kinds.LOGIN, ["/de/accounts/login/"], "--admin-extra-prefixes /de/accounts/"),
        (kinds.PRIVATE, ["/news/new/"], "--admin-extra-prefixes /news/new/"),
        (kinds.PRIVATE, ["/me/", "/me/photo/"], "--admin-extra-prefixes /me/"),
        # Its neighbours may be public.
        (kinds.PRIVATE, ["/news/<int:pk>/edit/"], "--main-closed-views a.view"),
        (kinds.SESSION, ["/"], "--main-closed-views a.view"),
        (kinds.EVERYWHERE, [""], "--public-sessions cached_db"),
    ],
)
def test_first_suggestion(kind: str, urls: list[str], words: str) -> None:
    group = [Finding(kind, "x", url, "a.view" if url else "") for url in urls]
    assert suggestions(kind, group)[0].words == words


@pytest.mark.parametrize("kind", [kinds.MOUNT, kinds.BREAKS])
def test_what_no_variable_answers_is_told_so(kind: str) -> None:
    found = Finding(kind, "main does not start")
    assert suggestions(kind, [found]) == []
    plan = a_plan(found, verdict=Verdict("split", [], ["main does not start"]))
    assert "no answer can mend it: the site has to change\n" in shown(plan)


def test_suggested_prefix_answers_for_what_it_is_suggested_for() -> None:
    from django_split.analysis.deployment import Deployment
    from django_split.analysis.verdict import answered

    urls = ["/in/", "/a/b/login/", "/a/b/reset/<x>/", "/a/b/reset/done/"]
    group = [Finding(kinds.LOGIN, "x", url, "v") for url in urls]
    words = suggestions(kinds.LOGIN, group)[0].words.split()[1:]
    said = Deployment.read({"admin_extra_prefixes": words}, default_site="x")
    assert {f.answer for f in answered(group, said, words)} == {kinds.ADMIN}


def test_nothing_of_a_sites_text_is_obeyed_by_a_terminal() -> None:
    evil = Finding(kinds.PRIVATE, "x\x1b[2J[red]y[/red]\nz", "/é/\x07", "a.b")
    text = shown(a_plan(evil))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "x\\x1b[2J[red]y[/red] z" in text
    assert "/é/\\x07" in text


def test_lines_fit_into_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    words = "a reason that is told at some length " * 4
    plan = a_plan(
        Finding(kinds.PRIVATE, words, "/x/", "shop.views.x", "shop/views.py:1"),
        verdict=Verdict("split", [words], [words]),
    )
    plan.main.replace_middleware = {
        "django.contrib.sessions.middleware.SessionMiddleware": "django_split.runtime.main.StandIn"
    }
    plan.main.why = dict.fromkeys(plan.main.replace_middleware, words)
    lines = shown(plan, Terminal()).splitlines()
    assert max(map(len, lines)) <= 80
    assert "  -> django_split.runtime.main.StandIn" in lines


def test_sentence_is_whole_in_a_pipe() -> None:
    """So that a program, or grep, finds what it looks for."""
    question = "a question that is asked at some length " * 4
    assert question.strip() in shown(a_plan(verdict=Verdict("split", [], [question])))


def test_colours_only_for_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Sheet(Terminal()).colours
    assert not Sheet(io.StringIO()).colours
    monkeypatch.setenv("NO_COLOR", "")
    assert not Sheet(Terminal()).colours


def test_name_is_never_broken() -> None:
    stream = io.StringIO()
    Sheet(stream, width=30).line("a.very.long.name.of.a.view.that-has-hyphens.too and more", 4)
    assert "a.very.long.name.of.a.view.that-has-hyphens.too\n" in stream.getvalue()


def test_heading_with_its_count_is_one_line() -> None:
    for kind in NEED_AN_ANSWER:
        assert len(f"{HEADINGS[kind]} (100, 100 to be answered)") <= 80


def test_text_is_one_line() -> None:
    assert plain("a\n  b\tc\r\n") == "a b c"
