"""Where a crawl goes, and where it never goes."""

from __future__ import annotations

import pytest

from django_split.analysis.links import of_page, path_of
from django_split.analysis.words import login, never

PAGE = "https://site.example/deep/page/"


@pytest.mark.parametrize(
    "text",
    [
        "/accounts/logout/",
        "/sign-out/",
        "/SignOut",
        "/log_out",
        "/post/3/delete/",
        "/newsletter/unsubscribe/abc/",
        "/?action=delete",
        "blog.views.PostDeleteView",
        "django.contrib.auth.views.LogoutView",
        "account_confirm_email",
        "site.api.revokeToken",
    ],
)
def test_what_says_that_it_undoes_something_is_never_asked_for(text: str) -> None:
    assert never(text)


@pytest.mark.parametrize(
    "text",
    [
        "/removals/london/",
        "/confirmation/",
        "/accounts/password_reset/",
        "/login/",
        "/blogout/",
        "/undeleted/",
        "shop.views.BasketView",
        "/cronache/",
    ],
)
def test_word_is_a_whole_word(text: str) -> None:
    assert not never(text)


@pytest.mark.parametrize(
    ("text", "is_login"),
    [
        ("/accounts/login/", True),
        ("/sign-in", True),
        ("/oidc/authenticate/", True),
        ("/oauth2/start", True),
        ("login.microsoftonline.example", True),
        ("/author/3/", False),
        ("/blogin/", False),
        ("/join/", False),
        ("/design-in-steps/", False),
    ],
)
def test_login_is_known_by_its_words(text: str, is_login: bool) -> None:
    assert login(text) is is_login


def test_links_of_a_page_are_absolute() -> None:
    text = '<a href="next/">x</a><A HREF="/top/?a=1&amp;b=2#x">y</A><a>z</a><area href="#x">'
    assert of_page(PAGE, "text/html; charset=utf-8", text)[0] == [
        f"{PAGE}next/",
        "https://site.example/top/?a=1&b=2#x",
        f"{PAGE}#x",
    ]


def test_base_element_counts_for_links_and_not_for_a_form_without_action() -> None:
    text = '<base href="/other/"><a href="x/">x</a><form><input type=password></form>'
    assert of_page(PAGE, "text/html", text) == (["https://site.example/other/x/"], [PAGE])


def test_password_goes_where_its_form_is_sent_to() -> None:
    text = """<form action="/search/"><input name="q"></form>
        <form method="post" action="/enter/"><input type="PassWord"></form>
        <input type="password">"""
    assert of_page(PAGE, "text/html", text)[1] == ["https://site.example/enter/", PAGE]


def test_broken_markup_and_broken_links_lead_nowhere() -> None:
    text = '<a href="http://[/x">x</a><a href="/good/">y</a><form action="http://["><![CDATA[ <a <!'
    links, _ = of_page(PAGE, "text/html", text)
    assert [path_of(link, "site.example") for link in links] == [None, "/good/"]


def test_sitemap_is_of_this_site_by_whatever_name_it_calls_itself() -> None:
    text = "<urlset><url><loc>\nhttps://example.com/a/?x=1&amp;y=2 </loc></url></urlset>"
    assert of_page(PAGE, "application/xml", text)[0] == ["https://site.example/a/?x=1&y=2"]
    text = "User-agent: *\nSitemap: http://example.com/map.xml\n"
    assert of_page(PAGE, "text/plain", text)[0] == ["https://site.example/map.xml"]


def test_what_is_neither_is_not_read() -> None:
    assert of_page(PAGE, "application/json", '{"a": "<a href=/x/>"}') == ([], [])


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://site.example/a/?b=c#d", "/a/?b=c"),
        ("http://SITE.example:8000/a/", "/a/"),
        ("https://site.example", None),
        ("https://other.example/a/", None),
        ("mailto:x@site.example", None),
        ("javascript:void(0)", None),
        ("", None),
    ],
)
def test_only_this_host_has_paths(url: str, path: str | None) -> None:
    assert path_of(url, "site.example:80") == path
