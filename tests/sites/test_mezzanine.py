"""What `mezzanine-project` makes: an admin with a skin, a site object and views of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split import findings as kinds
from django_split.plan import SPLIT_WITH_EXTRA_PREFIXES, Plan
from tests.sites import making
from tests.sites.judging import Promises, refused
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

ANSWERS = {
    # Request and confirmation of a password reset stay together.
    "admin_extra_prefixes": ["/password_reset/", "/reset/"],
    # Editing in place, and choosing a site, are for the staff.
    "main_closed_prefixes": ["/edit/", "/set_site/"],
    # They keep what was sent only where a comment takes an account; by default it does not.
    "main_anonymous_views": ["mezzanine.generic.views.comment", "mezzanine.generic.views.rating"],
}

CONTENT = """
import datetime
from django.utils import timezone
from django.contrib.auth import get_user_model
from django.contrib.redirects.models import Redirect
from django.contrib.sites.models import Site
from mezzanine.blog.models import BlogCategory, BlogPost
from mezzanine.generic.models import ThreadedComment
from mezzanine.pages.models import RichTextPage
from mezzanine.core.models import CONTENT_STATUS_DRAFT

author = get_user_model().objects.get(username="chief")
news = BlogCategory.objects.create(title="News")
for number in range(6):
    post = BlogPost.objects.create(title=f"Post {number}", content="<p>Words</p>", user=author)
    post.categories.add(news)
    post.keywords.create(keyword=post.keywords.model._meta.get_field(
        "keyword").related_model.objects.get_or_create(title=f"word{number % 2}")[0])
ThreadedComment.objects.create(
    content_object=post, user_name="Ada", user_email="ada@trial.example", comment="First!",
    site=Site.objects.get_current(), is_public=True,
)
BlogPost.objects.create(title="Draft", content="", user=author, status=CONTENT_STATUS_DRAFT)
RichTextPage.objects.create(title="For members", content="Secret", login_required=True)
RichTextPage.objects.create(title="Help", content="<p>Help</p>")
# Long enough ago that no page says how many minutes.
then = timezone.now() - datetime.timedelta(days=90)
BlogPost.objects.update(publish_date=then)
ThreadedComment.objects.update(submit_date=then)
Redirect.objects.create(
    site=Site.objects.get_current(), old_path="/old/", new_path="/blog/"
)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("mezzanine")
    # Its settings import `imp`, which Python 3.12 no longer has.
    python = virtualenv(["mezzanine==6.1.1", "Django==4.2.30", "redis==8.1.0"], "3.11")
    making.run(python, "mezzanine-project", "mysite", ".", cwd=making.fresh(place))
    with Site(place / "src", "mysite.settings", place, python=str(python)) as site:
        making.set_up(site, ["createdb", "--noinput", "-v0"], content=CONTENT)
        making.split(site, store, **ANSWERS)
        yield site


class TestMezzanine(Promises):
    gone = ("/admin/", "/password_reset/", "/reset/", "/edit/", "/set_site/")
    answers = ANSWERS
    starts = (
        "/",
        "/blog/post-1/",
        "/blog/draft/",
        "/blog/feeds/rss/",
        "/for-members/",
        "/search/?q=words",
        "/old/",
        "/sitemap.xml",
        "/nothing/",
    )
    least = 25
    # Of the comment's form, against robots; and when a feed was made.
    random = (
        r'name="(timestamp|security_hash)" value="[^"]*',
        "<(updated|lastBuildDate)>[^<]*",
    )
    # Its URLconf leaves the reset out where the admin is not installed, as on main; and the skin
    # names a page of its own admin.
    lost_names = ("password_reset*", "user_change_password")


def test_it_is_split_with_the_password_reset_on_the_admin(site: Site) -> None:
    verdict = Plan.read(site.place / "plan.toml").verdict
    assert (verdict.is_, verdict.decisions) == (SPLIT_WITH_EXTRA_PREFIXES, [])


def test_without_answers_the_password_reset_is_named(site: Site, store: Path) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in ("/password_reset/", "/reset/", "/edit/", "/comment/", "admin_extra_prefixes"):
        assert needed in plan.output


def test_members_page_stays_closed_on_main_and_is_counted(site: Site) -> None:
    found = Plan.read(site.place / "plan.toml").findings
    counted = [finding.what for finding in found if finding.kind == kinds.RESTRICTION]
    assert any(what.startswith("one row of pages.Page, ") for what in counted)
    page = site.get("main", "/for-members/")
    assert (page.status, page.headers["Location"]) == (302, "/accounts/login/?next=/for-members/")
