"""What `wagtail start` makes: two admins, a tree of pages that answers all else, private pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split import findings as kinds
from django_split.plan import SPLIT, Plan
from tests.sites import making
from tests.sites.judging import Promises, refused
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

REQUIREMENTS = ["wagtail==8.0.1", "Django==5.2.19", "redis==8.1.0"]

# The password form and the login of private pages: on main nobody can be let in.
DOCUMENT_PASSWORD = "wagtail.documents.views.serve.authenticate_with_password"
ANSWERS = {"main_closed_prefixes": ["/_util/"], "main_closed_views": [DOCUMENT_PASSWORD]}

LOGINS = {"/admin/login/": "/admin/", "/django-admin/login/": "/django-admin/"}

CONTENT = """
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Collection, Locale, Page, PageViewRestriction
from wagtail.models import CollectionViewRestriction
from home.models import HomePage

home = HomePage.objects.get()
pages = {
    title: home.add_child(instance=HomePage(title=title, slug=title.lower(), show_in_menus=True))
    for title in ("News", "About", "Secret", "Members", "Editors", "Draft")
}
for number in range(5):
    pages["News"].add_child(instance=HomePage(title=f"News {number}", slug=f"news-{number}"))
pages["Draft"].unpublish()
PageViewRestriction.objects.create(
    page=pages["Secret"], restriction_type="password", password="sesame"
)
PageViewRestriction.objects.create(page=pages["Members"], restriction_type="login")
groups = PageViewRestriction.objects.create(page=pages["Editors"], restriction_type="groups")
groups.groups.add(Group.objects.get(name="Editors"))
pages["Secret"].add_child(instance=HomePage(title="Below a secret", slug="below"))
Redirect.objects.create(old_path="/old", redirect_page=pages["About"])
Document.objects.create(title="Paper", file=ContentFile(b"a paper", name="paper.txt"))
private = Collection.get_first_root_node().add_child(instance=Collection(name="Private"))
CollectionViewRestriction.objects.create(
    collection=private, restriction_type="password", password="sesame"
)
Document.objects.create(
    title="Hidden", file=ContentFile(b"hidden", name="hidden.txt"), collection=private
)
Image.objects.create(title="Picture", file=get_test_image_file())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("wagtail")
    python = virtualenv(REQUIREMENTS)
    making.run(python, "wagtail", "start", "mysite", making.fresh(place), cwd=place)
    with Site(place / "src", "mysite.settings.dev", place, python=str(python)) as site:
        making.set_up(site, content=CONTENT)
        making.split(site, store, **ANSWERS)
        yield site


class TestWagtail(Promises):
    gone = ("/django-admin/", "/admin/", "/_util/")
    closed_views = (DOCUMENT_PASSWORD,)
    answers = ANSWERS
    starts = (
        "/",
        "/search/",
        "/search/?query=news",
        "/search/?query=a&page=2",
        *(f"/{name}/" for name in ("news", "about", "secret", "members", "editors", "draft")),
        "/secret/below/",
        "/news/news-1/",
        "/news/news-1",
        "/old/",
        "/documents/1/paper.txt",
        "/documents/2/hidden.txt",
        "/nothing/",
    )
    least = 17
    logins = LOGINS


@pytest.fixture(scope="module")
def plan(site: Site) -> Plan:
    return Plan.read(site.place / "plan.toml")


def test_both_admins_are_found(plan: Plan) -> None:
    assert [(mount.kind, mount.prefixes) for mount in plan.main.urls.mounts] == [
        ("django", ["/django-admin/"]),
        ("wagtail", ["/admin/"]),
    ]
    assert plan.proxy.admin_prefixes == ["/django-admin/", "/admin/"]
    assert plan.proxy.closed_prefixes == ["/_util/"]
    assert (plan.admin.path, plan.admin.login) == ("/django-admin/", "/django-admin/login/")
    assert plan.admin.settings["SESSION_COOKIE_PATH"] == "/"
    assert plan.verdict.is_ == SPLIT


def test_private_pages_are_counted(plan: Plan) -> None:
    """They are data: an editor makes one tomorrow, and no plan knows."""
    counted = [finding.what for finding in plan.findings if finding.kind == kinds.RESTRICTION]
    assert [what.partition(", ")[0] for what in counted] == [
        "3 rows of wagtailcore.PageViewRestriction",
        "one row of wagtailcore.CollectionViewRestriction",
    ]


def test_without_answers_each_url_that_lets_people_in_is_named(site: Site, store: Path) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in ("/_util/login/", "/_util/authenticate_with_password/", "main_closed_prefixes"):
        assert needed in plan.output


def test_private_pages_stay_closed_on_main(site: Site) -> None:
    """Whatever cookie a visitor sends, and a right password too."""
    for path in ("/secret/", "/secret/below/"):
        page = site.get("main", path)
        assert 'type="password"' in page.body
    for path in ("/members/", "/editors/"):
        page = site.get("main", path)
        assert (page.status, page.headers["Location"]) == (302, f"/_util/login/?next={path}")
    posted = site.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example")
        form = {"password": "sesame", "return_url": "/secret/"}
        answer = client.post("/_util/authenticate_with_password/1/4/", form).status_code
        """,
    )
    assert posted == 404
