"""What `spirit startproject` makes: a forum, which cannot live without sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import PUBLIC_SESSIONS, Plan
from tests.sites import making
from tests.sites.judging import Promises, refused
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

HOST = "desk.trial.example"
ANSWERS = {
    "public_sessions": "cached_db",
    # The forum's own administration, which is no AdminSite.
    "admin_urlconfs": ["spirit.admin.urls"],
    # Its urls.py says `admin.site.login = login_required(admin.site.login)`: both instances sign in
    # at /user/login/, each with its own sessions, and one host has that path once.
    "admin_host": HOST,
}
LOGINS = {"/user/login/": "/st/admin/"}

CONTENT = """
from django.contrib.auth import get_user_model
from spirit.category.models import Category
from spirit.comment.models import Comment
from spirit.topic.models import Topic
chief = get_user_model().objects.get(username="chief")
chief.st.is_administrator = chief.st.is_moderator = chief.st.is_verified = True
chief.st.save()
ada = get_user_model().objects.create_user("ada", "ada@trial.example", "a-long-password")
ada.st.is_verified = True
ada.st.save()
news = Category.objects.create(title="News")
inside = Category.objects.create(title="Inside", parent=news)
hidden = Category.objects.create(title="Hidden", is_private=True)
for number in range(5):
    category = (news, inside)[number % 2]
    topic = Topic.objects.create(title=f"Topic {number}", category=category, user=ada)
    for words in ("First", "Second"):
        Comment.objects.create(
            user=ada, topic=topic, comment=words, comment_html=f"<p>{words}</p>"
        )
# Long enough ago that no page says how many seconds.
import datetime
from django.utils import timezone
then = timezone.now() - datetime.timedelta(days=90)
Topic.objects.update(date=then, last_active=then)
Comment.objects.update(date=then)
"""

# A visitor signs up, confirms by mail, signs in and writes.
SIGN_UP = """
import re
from django.core import mail
from django.core.cache import caches
from django.test import Client, override_settings
from django.conf import settings
client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)

def post(path, **form):
    page = client.get(path)
    assert page.status_code == 200, (path, page)
    token = re.search('csrfmiddlewaretoken" value="([^"]+)', page.content.decode())[1]
    return client.post(path, {{"csrfmiddlewaretoken": token, **form}})

name, mailbox, password = {name!r}, "{name}@trial.example", "quite-a-long-password"
with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
    mail.outbox = []
    reply = post(
        "/user/register/", username=name, email=mailbox, email2=mailbox, password=password,
        honeypot="",
    )
    assert reply.status_code == 302, reply.content.decode()
    link = re.search("/user/activation/[^ \\\\n]+", mail.outbox[0].body)[0]
    assert client.get(link).status_code == 302
reply = post("/user/login/", username=name, password=password)
assert reply.status_code == 302, reply.content.decode()
reply = post("/topic/publish/", title="By {name}", category="2", comment="Hello from {name}")
assert reply.status_code == 302, reply.content.decode()
written = client.get(reply["Location"]).content.decode()
key = client.cookies[settings.SESSION_COOKIE_NAME].value
cache = caches[settings.SESSION_CACHE_ALIAS]
from importlib import import_module
store = import_module(settings.SESSION_ENGINE).SessionStore(key)
answer = {{
    "written": "Hello from {name}" in written,
    "cookie": settings.SESSION_COOKIE_NAME,
    "key": key,
    "stored": list(cache.get(store.cache_key_prefix + key)),
    "admin": [client.get(path).status_code for path in ("/admin/", "/admin/login/", "/st/admin/")],
}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("spirit")
    python = virtualenv(["django-spirit==0.14.3", "Django==5.2.19", "redis==8.1.0"])
    making.run(python, "spirit", "startproject", "mysite", cwd=making.fresh(place))
    with Site(place / "src" / "mysite", "mysite.settings.dev", place, python=str(python)) as site:
        making.set_up(site, ["spiritinstall"], content=CONTENT)
        making.split(site, store, **answers(store))
        yield site


def answers(store: Path, engine: str = "cached_db") -> dict[str, object]:
    own = {"url": f"unix://{store}?db=1"}
    return {**ANSWERS, "public_sessions": engine, "public_session": own}


class TestSpirit(Promises):
    gone = ("/admin/", "/st/admin/")
    admin_host = HOST
    public_sessions = True
    starts = (
        "/",
        "/user/login/",
        "/user/register/",
        "/user/",
        "/topic/publish/",
        "/search/?q=first",
    )
    least = 25
    logins = LOGINS

    @pytest.fixture(autouse=True)
    def _answers(self, store: Path) -> None:
        self.answers = answers(store)


def test_without_answers_it_is_public_sessions_and_names_the_variable(
    site: Site, store: Path
) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in ("public sessions", "public_sessions", "/user/login/", "/topic/publish/"):
        assert needed in plan.output


def test_its_verdict_stays_public_sessions(site: Site) -> None:
    verdict = Plan.read(site.place / "plan.toml").verdict
    assert (verdict.is_, verdict.decisions) == (PUBLIC_SESSIONS, [])


@pytest.mark.parametrize("engine", ["cached_db", "cache"])
def test_a_visitor_signs_up_and_writes_on_main(site: Site, store: Path, engine: str) -> None:
    if engine != "cached_db":
        site.stop()
        making.split(site, store, **answers(store, engine))
    name = engine.replace("_", "")
    seen = site.ask("main", SIGN_UP.format(name=name))
    assert seen["written"]
    assert seen["admin"] == [404, 404, 404]
    assert "_auth_user_id" in seen["stored"]
    assert seen["cookie"] == "sessionid"
    # The admin has another store, and knows nothing of it.
    known = site.run(["-m", "django_split.sessions.locate"], "split_admin", stdin=seen["key"])
    assert '"store": false' in known.stdout
    assert (
        f"Hello from {name}" in site.get("base", "/").body
        or f"By {name}" in site.get("base", "/").body
    )
