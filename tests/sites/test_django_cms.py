"""What django CMS's own command makes of a `startproject`: a toolbar on each page, and versions."""

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

REQUIREMENTS = [
    "django-cms==5.1.3",
    "Django==5.2.19",
    # What its command installs, which then finds it all there.
    "djangocms-simple-admin-style==2.1.1",
    "django-filer==3.6.0",
    "djangocms-frontend==2.5.3",
    "djangocms-text==1.0.2",
    "djangocms-link==5.2.0",
    "djangocms-versioning==2.8.0",
    "djangocms-alias==3.2.0",
    "redis==8.1.0",
]

ANSWERS = {
    # Editors sign in to the admin, and make pages there.
    "main_closed_prefixes": ["/cms_login/", "/cms_wizard/"],
    # It lets a visitor in, but not to the pages that are for users.
    "main_anonymous_views": ["cms.views.details"],
}

CONTENT = """
from cms.api import add_plugin, create_page
from cms.models import PageContent
from cms.utils.placeholder import get_placeholder_from_slot
from django.contrib.auth import get_user_model
from django.db import transaction
from djangocms_versioning.models import Version
chief = get_user_model().objects.get(username="chief")

def page(title, parent=None, publish=True, **more):
    made = create_page(
        title, "cms-base.html", "en-us", created_by=chief, parent=parent, in_navigation=True,
        **more,
    )
    content = PageContent.admin_manager.get(page=made)
    content.rescan_placeholders()
    for placeholder in content.get_placeholders():
        add_plugin(placeholder, "TextPlugin", "en-us", body=f"<p>All about {title}.</p>")
    if publish:
        Version.objects.get_for_content(content).publish(chief)
    return made

home = page("Home")
with transaction.atomic():
    home.set_as_homepage()
news = page("News")
for number in range(4):
    page(f"News {number}", parent=news)
page("Draft", publish=False)
page("Members", login_required=True)
page("Contact")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("django_cms")
    python = virtualenv(REQUIREMENTS)
    source = making.fresh(place)
    making.run(python, "django-admin", "startproject", "mysite", ".", cwd=source)
    made = making.run(
        python, "djangocms", ".", "--noinput", "--use-bundled-install-rules", cwd=source
    )
    assert "Installation okay" in made
    with Site(source, "mysite.settings", place, python=str(python)) as site:
        making.set_up(site, content=CONTENT)
        making.split(site, store, **ANSWERS)
        yield site


class TestDjangoCms(Promises):
    gone = ("/admin/", "/cms_login/", "/cms_wizard/")
    answers = ANSWERS
    starts = ("/", "/news/news-1/", "/draft/", "/members/", "/contact", "/?toolbar_on", "/nothing/")
    least = 11


def test_it_is_split_once_the_two_prefixes_are_closed(site: Site) -> None:
    verdict = Plan.read(site.place / "plan.toml").verdict
    assert (verdict.is_, verdict.decisions) == (SPLIT, [])


def test_without_answers_login_wizard_and_pages_are_named(site: Site, store: Path) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in (
        "/cms_login/",
        "/cms_wizard/create/",
        "cms.views.details",
        "main_anonymous_views",
    ):
        assert needed in plan.output


def test_models_of_the_admin_stay_on_main_because_the_cms_imports_them(site: Site) -> None:
    """FACTS A10: it writes the admin's log itself."""
    main = Plan.read(site.place / "plan.toml").main
    assert "django.contrib.admin" not in main.drop_apps
    assert main.replace_apps["django.contrib.admin"].endswith("AdminModelsConfig")


def test_members_page_stays_closed_on_main_and_is_counted(site: Site) -> None:
    found = Plan.read(site.place / "plan.toml").findings
    counted = [finding.what for finding in found if finding.kind == kinds.RESTRICTION]
    assert any(what.startswith("one row of cms.Page, ") for what in counted)
    page = site.get("main", "/members/")
    assert (page.status, page.headers["Location"]) == (302, "/accounts/login/?next=/members/")
