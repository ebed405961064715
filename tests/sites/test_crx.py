"""What `coderedcms start --template pro` makes: an admin inside an admin's URLs, users by mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import SPLIT, Plan
from tests.sites import making
from tests.sites.judging import Promises, refused
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

# Files that came with a form, for whoever is signed in; and what lets people into private pages.
PROTECTED = "coderedcms.views.serve_protected_file"
DOCUMENT_PASSWORD = "wagtail.documents.views.serve.authenticate_with_password"
ANSWERS = {
    "main_closed_prefixes": ["/_util/"],
    "main_closed_views": [PROTECTED, DOCUMENT_PASSWORD],
}
LOGINS = {"/admin/login/": "/admin/", "/django-admin/login/": "/django-admin/"}

CONTENT = """
import datetime
from django.utils import timezone
from wagtail.models import PageViewRestriction, Site
from website.models import (
    ArticleIndexPage, ArticlePage, EventIndexPage, EventOccurrence, EventPage, FormPage,
    FormPageField, LocationIndexPage, LocationPage, WebPage,
)
home = Site.objects.get(is_default_site=True).root_page.specific

def below(parent, kind, title, **more):
    slug = title.lower().replace(" ", "-")
    page = kind(title=title, slug=slug, **more)
    page.index_order_by = "title"  # its own default is not among its choices
    return parent.add_child(instance=page)

articles = below(home, ArticleIndexPage, "Articles")
for number in range(4):
    below(articles, ArticlePage, f"Article {number}", caption="Words")
events = below(home, EventIndexPage, "Events")
party = below(events, EventPage, "Party")
EventOccurrence.objects.create(event=party, start=timezone.now(), end=None)
places = below(home, LocationIndexPage, "Places")
below(places, LocationPage, "Here", address="1 Street")
form = below(home, FormPage, "Contact", thank_you_page=None)
FormPageField.objects.create(page=form, label="Name", field_type="singleline", required=True)
below(home, WebPage, "About")
secret = below(home, WebPage, "Secret")
PageViewRestriction.objects.create(page=secret, restriction_type="password", password="sesame")
members = below(home, WebPage, "Members")
PageViewRestriction.objects.create(page=members, restriction_type="login")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("crx")
    python = virtualenv(
        [
            "coderedcms==6.0.0",
            "wagtail==7.4.4",
            "Django==5.2.19",
            "django-sass==1.1.0",
            "redis==8.1.0",
        ]
    )
    start = ("coderedcms", "start", "mysite", ".", "--template", "pro")
    making.run(python, *start, cwd=making.fresh(place))
    with Site(place / "src", "mysite.settings.dev", place, python=str(python)) as site:
        making.set_up(site, content=CONTENT)
        making.split(site, store, **ANSWERS)
        yield site


class TestCrx(Promises):
    gone = ("/django-admin/", "/admin/", "/_util/")
    closed_views = (PROTECTED, DOCUMENT_PASSWORD)
    answers = ANSWERS
    starts = (
        "/",
        "/search/?s=article",
        *(f"/{name}/" for name in ("articles", "events", "places", "contact", "about")),
        "/secret/",
        "/members/",
        "/sitemap.xml",
        "/robots.txt",
        "/favicon.ico",
        "/nothing/",
    )
    least = 19
    logins = LOGINS


def test_wagtail_is_found_inside_the_modules_urls(site: Site) -> None:
    plan = Plan.read(site.place / "plan.toml")
    assert [(mount.kind, mount.prefixes) for mount in plan.main.urls.mounts] == [
        ("django", ["/django-admin/"]),
        ("wagtail", ["/admin/"]),
    ]
    assert plan.verdict.is_ == SPLIT
    # What the module adds above Wagtail's own stands under the same prefix.
    assert site.get("main", "/admin/codered/import-export/").status == 404


def test_without_answers_the_protected_files_are_named(site: Site, store: Path) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in (PROTECTED, "main_closed_views", "/_util/login/"):
        assert needed in plan.output


def test_the_forms_page_takes_an_answer_on_main(site: Site) -> None:
    reply = site.ask(
        "main",
        """
        import re
        from django.test import Client
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)
        page = client.get("/contact/").content.decode()
        form = {"csrfmiddlewaretoken": re.search('token" value="([^"]+)', page)[1]}
        form[re.search('<input type="text" name="([^"]+)', page)[1]] = "Ada"
        reply = client.post("/contact/", form)
        answer = reply.status_code, "sessionid" in client.cookies
        """,
    )
    assert reply == [200, False]
    assert "Ada" in str(
        site.ask(
            "base",
            """
            from coderedcms.models import CoderedFormPage
            from wagtail.models import Page
            page = Page.objects.get(slug="contact").specific
            answer = [s.form_data for s in page.get_submission_class().objects.all()]
            """,
        )
    )
