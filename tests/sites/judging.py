"""What every split site must keep, whatever it is made of.

A module of a site makes it once, in a fixture `site` of module scope, and judges it by a class
that inherits `Promises` and says what the operator gave away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

import pytest

from django_split.plan import Plan
from tests.sites.making import FEW_PAGES, deployment
from tests.support.browsing import PASSWORD, crawl
from tests.support.trial import PlanFailedError, Response, Site

# A browser that is signed in at the admin sends this everywhere, under any name that is usual.
STALE = "sessionid=0123456789abcdef0123456789abcdef; trial_admin_sessionid=0123456789abcdef"

# Of CSRF: in a form, a header or a script.
TOKEN = r"\b[A-Za-z0-9]{64}\b"

WALKING = Path(__file__).with_name("walking.py")
FORM = "csrfmiddlewaretoken"

# What a site has under these is no page.
FILES = ("/static/", "/media/")


class Promises:
    # The admin's own host name, where the operator gave it one.
    admin_host: ClassVar[str] = ""
    # The prefixes of which main has nothing: admins, those given to the admin, closed ones.
    gone: ClassVar[Sequence[str]]
    closed_views: ClassVar[Sequence[str]] = ()
    # The answers that `django-split plan` was given.
    answers: ClassVar[dict[str, Any]] = {}
    public_sessions: ClassVar[bool] = False
    # Where the crawl begins: pages that no link leads to, too.
    starts: ClassVar[Sequence[str]] = ("/",)
    least: ClassVar[int] = 5
    most: ClassVar[int] = 60
    # Of each admin, followed from link to link.
    most_of_admin: ClassVar[int] = 25
    # Regular expressions for what is random in a page.
    random: ClassVar[Sequence[str]] = ()
    # Paths whose view asks for the cookie by itself.
    varies: ClassVar[Sequence[str]] = ()
    # Names (* stands for anything) that the site's own URLconf leaves out where an app is gone.
    lost_names: ClassVar[Sequence[str]] = ()
    # Messages of system checks that only an instance has.
    accepted: ClassVar[Sequence[str]] = ()
    # Login page -> where a crawl of that admin begins.
    logins: ClassVar[dict[str, str]] = {"/admin/login/": "/admin/"}

    @pytest.fixture(scope="class")
    @classmethod
    def pages(cls, site: Site) -> dict[str, Response]:
        """What a visitor of the base can reach, without what main does not serve."""
        skipped = (*FILES, *cls.gone)
        return crawl(site, "base", cls.most, cls.starts, skipped)

    def test_main_serves_all_urls_but_the_admins(self, site: Site) -> None:
        base, main = urls(site, "base"), urls(site, "main")
        given = {
            (url, view)
            for url, view in base
            if url.startswith(tuple(self.gone)) or view in self.closed_views
        }
        assert given
        assert main - base == set()
        assert base - main == given

    def test_every_page_of_main_is_the_bases(self, site: Site, pages: dict[str, Response]) -> None:
        assert len(pages) >= self.least, list(pages)
        differences = {}
        for path, base in pages.items():
            main = site.get("main", path)
            if difference := self.difference(path, base, main):
                differences[path] = difference
        assert differences == {}

    def test_a_stale_session_cookie_changes_nothing(
        self, site: Site, pages: dict[str, Response]
    ) -> None:
        """FACTS A2: without a cookie all was well, and the staff had 500s."""
        if self.public_sessions:
            pytest.skip("main has sessions")
        differences = {}
        for path, base in list(pages.items())[:20]:
            main = site.get("main", path, cookie=STALE)
            if difference := self.difference(path, base, main):
                differences[path] = difference
        assert differences == {}

    def test_what_is_gone_is_404_on_main(self, site: Site) -> None:
        for prefix in self.gone:
            for path in (prefix, prefix.rstrip("/"), f"{prefix.rstrip('/')}/login/"):
                assert site.get("main", path).status == 404, path

    def test_every_changelist_and_add_form_opens_on_the_admin(self, site: Site) -> None:
        paths = site.ask("admin", MODEL_PAGES)
        assert paths == site.ask("base", MODEL_PAGES)
        login = next(iter(self.logins))
        base = self.signed_in(site, "base", login, paths, follow="")
        admin = self.signed_in(site, "admin", login, paths, follow="")
        assert admin == base
        assert sum(seen[0] == 200 for seen in admin.values()) > len(paths) / 2

    def test_the_way_in_is_served_by_the_admin_instance(self, site: Site) -> None:
        """A proxy sends it the admin's prefixes only: a login elsewhere is never reached."""
        proxy = Plan.read(site.place / "plan.toml").proxy
        served = (*proxy.admin_prefixes, *proxy.admin_logins)
        for path in self.logins.values():
            page = site.get("admin", path)
            for _ in range(4):
                if location := page.headers.get("Location"):
                    assert location.startswith(served), f"{path} leads to {location}"
                    page = site.get("admin", location)
            assert page.status == 200
            assert 'type="password"' in page.body

    def test_admins_are_the_bases_page_by_page(self, site: Site) -> None:
        for login, start in self.logins.items():
            base = self.signed_in(site, "base", login, [start], follow=start)
            admin = self.signed_in(site, "admin", login, list(base), follow="")
            assert admin == base
            assert admin[start][0] == 200

    def test_names_reverse_alike_on_both(self, site: Site) -> None:
        base = {
            name: url
            for name, url in site.ask("base", NAMES).items()
            if not any(fnmatchcase(name, pattern) for pattern in self.lost_names)
        }
        assert site.ask("main", NAMES) == base

    def test_system_checks_of_both_say_no_more_than_the_bases(self, site: Site) -> None:
        base = site.ask("base", CHECKS)
        for instance in ("main", "admin"):
            new = [message for message in site.ask(instance, CHECKS) if message not in base]
            assert [m for m in new if not m[0].startswith(tuple(self.accepted) or "-")] == []

    def test_plan_is_the_same_again_and_holds_no_secret(self, site: Site, store: Path) -> None:
        path = site.place / "plan.toml"
        first = path.read_text()
        site.plan(FEW_PAGES, **deployment(store), **self.answers)
        assert path.read_text() == first
        secrets = [value for value in site.ask("base", SECRETS) if value in first]
        assert secrets == []

    def test_applying_it_twice_is_applying_it_once(self, site: Site) -> None:
        for instance in ("main", "admin"):
            once, twice = site.ask("base", APPLIED.format(place=site.place, instance=instance))
            assert twice == once

    def difference(self, path: str, base: Response, main: Response) -> str:
        """What a visitor of main has that one of the base has not, as one line; or nothing."""
        if main.status != base.status:
            return f"status {main.status}, not {base.status}"
        if main.headers.get("Location") != base.headers.get("Location"):
            return f"redirects to {main.headers.get('Location')}"
        if (place := first_difference(self.plain(base.body), self.plain(main.body))) and (
            main.status != 404
        ):
            return place
        if self.public_sessions:
            return ""
        if cookies(main) - cookies(base):
            return f"sets {cookies(main) - cookies(base)}"
        if any("session" in name for name in cookies(main)):
            return f"sets a session's cookie: {cookies(main)}"
        asked = FORM in main.body or "csrftoken" in cookies(main) or path in self.varies
        if not asked and "Cookie" in vary(main):
            return "Vary: Cookie"
        if vary(main) - {"Cookie"} != vary(base) - {"Cookie"}:
            return f"Vary: {vary(main)}, not {vary(base)}"
        return ""

    def plain(self, body: str) -> str:
        for pattern in (TOKEN, *self.random):
            body = re.sub(pattern, "", body)
        return body

    def signed_in(
        self, site: Site, instance: str, login: str, paths: list[str], follow: str
    ) -> dict[str, tuple[int, str]]:
        """Sign in by the form; give status and title of each page, and of those it links to.

        Links below `follow` are followed; none, if it is empty.
        """
        seen = site.ask(
            instance,
            SIGNED_IN.format(
                host=(instance == "admin" and self.admin_host) or "trial.example",
                login=login,
                password=PASSWORD,
                paths=paths,
                follow=follow,
                most=self.most_of_admin,
            ),
        )
        return {path: tuple(page) for path, page in seen.items()}


def urls(site: Site, instance: str) -> set[tuple[str, str]]:
    # Its text, not its name: a site may have a package `tests` of its own.
    found = site.ask(instance, f"{WALKING.read_text()}\nanswer = urls()")
    return {(url, view) for url, view in found}


def cookies(response: Response) -> set[str]:
    return {cookie.partition("=")[0] for cookie in response.cookies}


def vary(response: Response) -> set[str]:
    return {name.strip() for name in response.headers.get("Vary", "").split(",")} - {""}


def first_difference(base: str, main: str) -> str:
    for number, (one, other) in enumerate(zip(base.split("\n"), main.split("\n"), strict=False), 1):
        if one != other:
            return f"line {number}: {other.strip()[:200]!r}, not {one.strip()[:200]!r}"
    return "" if base == main else "one page is longer"


def refused(site: Site, store: Path, **answers: Any) -> PlanFailedError:
    """The plan of a site that needs answers: its status and what it printed.

    What was planned before stays in force.
    """
    kept = {path: path.read_bytes() for path in site.place.glob("plan.toml")}
    with pytest.raises(PlanFailedError) as failed:
        # What it asks is there to be read; pages would only take their time.
        site.plan(["--no-crawl"], **deployment(store), **answers)
    for path, content in kept.items():
        path.write_bytes(content)
    return failed.value


MODEL_PAGES = """
from django.contrib.admin.sites import all_sites
from django.urls import NoReverseMatch, reverse
answer = []
for admin_site in sorted(all_sites, key=lambda item: item.name):
    try:
        answer.append(reverse(f"{admin_site.name}:index"))
    except NoReverseMatch:
        continue
    for model in admin_site._registry:
        for page in ("changelist", "add"):
            name = f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}"
            try:
                answer.append(reverse(name))
            except NoReverseMatch:
                pass
answer.sort()
"""

# Nothing is fetched that changes what the next page shows.
SIGNED_IN = """
import re
from collections import deque
from urllib.parse import urljoin, urlsplit
from django.contrib.auth import get_user_model
from django.test import Client
client = Client(HTTP_HOST={host!r}, enforce_csrf_checks=True, raise_request_exception=False)
page = client.get({login!r})
assert page.status_code == 200, page
token = re.search('csrfmiddlewaretoken" value="([^"]+)', page.content.decode())[1]
user = get_user_model()
name = user.objects.get(email="chief@trial.example").get_username()
form = {{"username": name, "password": {password!r}, "csrfmiddlewaretoken": token}}
reply = client.post({login!r}, form, HTTP_ORIGIN="http://{host}:8080")
assert reply.status_code == 302, reply.content.decode()
answer = {{}}
waiting = deque({paths!r})
while waiting and len(answer) < max({most!r}, len({paths!r})):
    path = waiting.popleft()
    if path in answer or re.search("logout|/jsi18n|delete|/lock", path):
        continue
    reply = client.get(path)
    body = reply.getvalue().decode("utf-8", "replace")
    title = re.search("<title>(.*?)</title>", body, re.DOTALL)
    answer[path] = (reply.status_code, " ".join(title[1].split()) if title else "")
    if {follow!r}:
        for link in re.findall('href="([^"#]+)', body):
            target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
            if not target.netloc and target.path.startswith({follow!r}):
                waiting.append(target.path + ("?" + target.query if target.query else ""))
"""

NAMES = """
from django.conf import settings
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import translation
# The page that was asked for last left its language behind.
translation.activate(settings.LANGUAGE_CODE)
def names(resolver, spaces=()):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            below = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from names(pattern, below)
        elif pattern.name:
            yield ":".join([*spaces, pattern.name])
answer = {}
for name in sorted(set(names(get_resolver()))):
    for arguments in ([], [1], ["a"], [1, 1]):
        try:
            answer[name] = reverse(name, args=arguments)
            break
        except NoReverseMatch:
            pass
"""

CHECKS = """
from django.core.checks import run_checks
answer = [(message.id, str(message.obj), message.msg) for message in run_checks()]
"""

SECRETS = """
import re
from django.conf import settings
def secrets(value, name=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secrets(item, str(key))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets(item, name)
    elif re.search("KEY|SECRET|PASS|TOKEN|DSN", name) and isinstance(value, str) and len(value) > 5:
        yield value
own = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
own.pop("SETTINGS_MODULE", None)
answer = [value for value in secrets(own) if not re.fullmatch("[A-Za-z.]+", value)]
assert settings.SECRET_KEY in answer or len(settings.SECRET_KEY) < 6, "nothing was looked for"
"""

APPLIED = """
import importlib
from django_split.plan import Plan, apply
plan = Plan.read("{place}/plan.toml")
module = importlib.import_module(plan.base)
base = {{name: value for name, value in vars(module).items() if name.isupper()}}
before = repr(base)
once, _ = apply(plan, "{instance}", base)
twice, _ = apply(plan, "{instance}", once)
assert repr(base) == before
answer = repr(once), repr(twice)
"""
