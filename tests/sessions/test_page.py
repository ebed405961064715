"""The admin's Sessions page: who may see it, what it shows, what it ends. With our engine."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sessions.offices import Office, office
from tests.support.stores import redis_store

PAGE = "/admin/django_split/sessions/"
ENTRY = f'href="{PAGE}"'

# Behind the prelude: the page as people press its buttons, and what the admin's log says.
HANDS = f"""
from html import unescape
PAGE = {PAGE!r}

def shown(client, query=""):
    reply = client.get(PAGE + query)
    assert reply.status_code == 200, reply
    return reply.content.decode()

def rows(page):
    table = page.partition('id="result_list"')[2].partition("</tbody>")[0].partition("<tbody>")[2]
    return re.findall(r"<tr[ >].*?</tr>", table, re.S)

def buttons(page):
    return re.findall(r'name="session" value="([0-9a-f]+)"', page)

def button_of(page, name):
    return next(buttons(row)[0] for row in rows(page) if name in row and buttons(row))

def token(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\\w+)"', page)[1]

def log():
    from django.contrib.admin.models import LogEntry
    return [[e.user.username, e.object_repr, e.content_type.model, e.change_message]
            for e in LogEntry.objects.order_by("pk")]

def cleared():
    from django.contrib.admin.models import LogEntry
    from django.contrib.sessions.models import Session
    LogEntry.objects.all().delete()
    Session.objects.all().delete()
    store.flushdb()

cleared()
chief = signed_in("chief")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = tmp_path_factory.mktemp("page")
    with redis_store(place / "store.sock"), office(place) as made:
        yield made


def does(site: Office, code: str, instance: str = "admin") -> Any:
    return site.does(HANDS + textwrap.dedent(code), instance)


# --- Who may see it ------------------------------------------------------------------------------


def test_a_superuser_sees_it_and_its_entry(site: Office) -> None:
    code = "answer = chief.get('/admin/').content.decode(), chief.get(PAGE).status_code"
    index, status = does(site, code)
    assert ENTRY in index
    assert status == 200


@pytest.mark.parametrize("path", ["", "end/", "end-user/?user=1", "end-others/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_may_not_and_sees_no_entry(site: Office, path: str, method: str) -> None:
    code = f"""
        clerk = signed_in("clerk")
        answer = clerk.{method}(PAGE + {path!r}).status_code, len(store.keys()), \\
            clerk.get("/admin/").content.decode()
        """
    status, sessions, index = does(site, code)
    assert (status, sessions) == (403, 2)
    assert "Authentication" not in index, "the clerk has no permission for any model"
    assert ENTRY not in index


def test_strangers_are_led_to_the_login(site: Office) -> None:
    code = """
        answer = []
        for client in (Client(), signed_in("chief")):
            if client.cookies:
                User.objects.filter(username="chief").update(is_staff=False)
            replies = [client.get(PAGE), client.post(PAGE + "end-others/")]
            answer.append([[reply.status_code, reply["Location"]] for reply in replies])
        User.objects.filter(username="chief").update(is_staff=True)
        """
    login = [302, f"/admin/login/?next={PAGE}"], [302, f"/admin/login/?next={PAGE}end-others/"]
    assert does(site, code) == [list(login), list(login)]


def test_who_is_no_superuser_any_more_ends_nothing(site: Office) -> None:
    """The form was shown to a superuser; the button is pressed by somebody else."""
    code = """
        signed_in("clerk")
        handle = buttons(shown(chief))[0]
        User.objects.filter(username="chief").update(is_superuser=False)
        try:
            answer = [chief.post(PAGE + "end/", {"session": handle}).status_code,
                      chief.post(PAGE + "end-others/").status_code, len(store.keys()), log()]
        finally:
            User.objects.filter(username="chief").update(is_superuser=True)
        """
    assert does(site, code) == [403, 403, 2, []]


# --- What it shows -------------------------------------------------------------------------------


def test_it_shows_who_is_signed_in_and_marks_this_session(site: Office) -> None:
    code = """
        signed_in("clerk"); signed_in("clerk")
        Client().get("/write/")
        page = shown(chief)
        answer = rows(page), page
        """
    rows, page = does(site, code)
    assert len(rows) == 3
    assert "chief" in rows[0]
    assert ["split-tag" in row for row in rows] == [True, False, False]
    assert 'name="session"' not in rows[0], "who ends this one logs out"
    assert [">clerk</a>" in row for row in rows] == [False, True, True]
    assert "3 signed-in sessions" in page
    assert "1 anonymous." in page
    assert "Address" not in page


def test_address_and_browser_where_they_are_recorded(site: Office) -> None:
    told = site.also(
        "telling",
        "DJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'record_client': True}",
    )
    code = """
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0 <b>"
        signed_in("clerk", REMOTE_ADDR="192.0.2.77", HTTP_USER_AGENT=agent)
        answer = rows(shown(chief))[1]
        """
    row = does(site, code, told)
    assert "192.0.2.77" in row
    assert "Firefox, Linux" in row
    assert "<b>" not in row


def test_since_seen_and_expiry_are_those_of_the_session(site: Office) -> None:
    limited = site.also(
        "limited", "DJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'idle': 1800}\nTIME_ZONE='UTC'"
    )
    code = """
        key = key_of(signed_in("clerk"))
        since = int(time.time()) - 86400
        change(key, since=since, seen=since + 85800)
        times = re.findall(r'<time datetime="([^"]+)"', rows(shown(chief))[1])
        answer = since, times
        """
    since, times = does(site, code, limited)
    begun = datetime.fromtimestamp(since, tz=timezone.utc)
    seen = begun + timedelta(seconds=85800)
    ends = seen + timedelta(seconds=1800)
    assert times == [moment.isoformat() for moment in (begun, seen, ends)]


def test_sessions_that_nobody_takes_any_more_say_why(site: Office) -> None:
    limited = site.also("idle", "DJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'idle': 1800}")
    code = """
        from django.contrib.auth.hashers import make_password
        gone = User.objects.create(username="gone", is_staff=True)
        away = User.objects.create(username="away", is_staff=True, is_active=True)
        new = User.objects.create(username="new", is_staff=True)
        for user in (gone, away, new):
            Client().force_login(user)
        change(key_of(signed_in("clerk")), seen=int(time.time()) - 9999)
        gone.delete()
        User.objects.filter(pk=away.pk).update(is_active=False)
        User.objects.filter(pk=new.pk).update(password=make_password("another"))
        answer = re.findall(r'split-void">(.*?)<', shown(chief))
        away.delete(); new.delete()
        """
    assert sorted(does(site, code, limited)) == [
        "Past its limit: ends with its next request.",
        "The password was changed since.",
        "The user has been deleted.",
        "The user is not active.",
    ]


def test_no_session_key_leaves_the_server(site: Office) -> None:
    """Keys are credentials: not in a page, a link, a redirect, the admin's log or any other."""
    code = """
        import logging
        heard = []
        class Ear(logging.Handler):
            def emit(self, record):
                heard.append(self.format(record))
        ear = Ear(level=0)
        logging.getLogger().addHandler(ear)
        for name in ("django", "django_split"):
            logging.getLogger(name).setLevel(0)
        for name in ("clerk", "deputy", "clerk", "deputy", "clerk"):
            signed_in(name)
        keys = [name.removeprefix(PREFIX) for name in store.keys()]
        said = []
        def visit(method, path, **data):
            reply = getattr(chief, method)(PAGE + path, data)
            said.append(str(reply.headers) + reply.content.decode())
            return said[-1]
        page = visit("get", "")
        handles = buttons(page)
        visit("post", "end/", session=handles[0])
        visit("post", "end/", session="0" * 64)
        clerk = User.objects.get(username="clerk").pk
        visit("get", f"end-user/?user={clerk}")
        visit("post", f"end-user/?user={clerk}")
        visit("get", "end-others/")
        visit("post", "end-others/")
        visit("get", "?q=deputy")
        logging.getLogger().removeHandler(ear)
        everything = "".join(said) + "".join(heard) + json.dumps(log())
        answer = len(keys), len(handles), [key for key in keys if key in everything]
        """
    assert does(site, code) == [6, 5, []]


def test_handles_are_made_with_the_secret_key(site: Office) -> None:
    code = "signed_in('clerk'); answer = buttons(shown(chief)) == buttons(shown(chief))"
    assert does(site, code) is True
    other = site.also("other", "SECRET_KEY = 'another-' + SECRET_KEY")
    code = """
        from django_split.sessions.listing import Handles
        answer = Handles().of("a" * 32)
        """
    assert does(site, code) != does(site, code, other)


# --- What it ends --------------------------------------------------------------------------------


def test_one_session_is_ended(site: Office) -> None:
    code = """
        key, other = key_of(signed_in("clerk")), key_of(signed_in("deputy"))
        form = {"session": button_of(shown(chief), "clerk")}
        reply = chief.post(PAGE + "end/", form, follow=True)
        answer = [reply.redirect_chain, stored(key), stored(other) is not None, log(),
                  "1 session was ended." in reply.content.decode()]
        """
    assert does(site, code) == [
        [[PAGE, 302]],
        None,
        True,
        [["chief", "clerk", "user", "Ended 1 session."]],
        True,
    ]


def test_all_of_a_user_are_ended_after_a_question(site: Office) -> None:
    code = """
        keys = [key_of(signed_in("clerk")) for _ in range(3)]
        other = key_of(signed_in("deputy"))
        path = f"{PAGE}end-user/?user={User.objects.get(username='clerk').pk}"
        asked = chief.get(path).content.decode()
        before = [stored(key) is not None for key in keys]
        reply = chief.post(path, follow=True)
        answer = [asked, before, [stored(key) for key in keys], stored(other) is not None, log(),
                  "3 sessions were ended." in reply.content.decode()]
        """
    asked, before, after, other, log, told = does(site, code)
    assert "End the sessions of clerk" in asked
    assert "3 sessions will be ended." in asked
    assert before == [True] * 3
    assert after == [None] * 3
    assert other is True
    assert log == [["chief", "clerk", "user", "Ended 3 sessions."]]
    assert told


def test_all_but_mine_are_ended(site: Office) -> None:
    code = """
        ended = [key_of(signed_in(name)) for name in ("clerk", "deputy", "chief", "deputy")]
        anonymous = Client()
        anonymous.get("/write/")
        asked = chief.get(PAGE + "end-others/").content.decode()
        chief.post(PAGE + "end-others/")
        answer = [[stored(key) for key in ended], stored(key_of(chief)) is not None,
                  stored(key_of(anonymous)) is not None, sorted(log()), asked]
        """
    ended, mine, anonymous, log, asked = does(site, code)
    assert ended == [None] * 4
    assert (mine, anonymous) == (True, True)
    assert [entry[1:] for entry in log] == [
        ["chief", "user", "Ended 1 session."],
        ["clerk", "user", "Ended 1 session."],
        ["deputy", "user", "Ended 2 sessions."],
    ]
    assert "4 sessions will be ended." in asked


def test_my_own_session_is_not_ended_here(site: Office) -> None:
    code = """
        from django_split.sessions.listing import Handles
        second = key_of(signed_in("chief"))
        mine = Handles().of(key_of(chief))
        one = chief.post(PAGE + "end/", {"session": mine}, follow=True).content.decode()
        chief.post(f"{PAGE}end-user/?user={User.objects.get(username='chief').pk}")
        answer = "log out to end it" in one, stored(key_of(chief)) is not None, stored(second)
        """
    assert does(site, code) == [True, True, None]


def test_sessions_of_a_user_that_is_gone_are_ended_too(site: Office) -> None:
    code = """
        gone = User.objects.create(username="gone")
        client = Client()
        client.force_login(gone)
        number = gone.pk
        gone.delete()
        chief.post(f"{PAGE}end-user/?user={number}")
        answer = stored(key_of(client)), log()[0][1] == f"Deleted user {number}"
        """
    assert does(site, code) == [None, True]


def test_without_the_token_nothing_is_ended(site: Office) -> None:
    code = """
        key = key_of(signed_in("clerk"))
        chief = signed_in("chief")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies["office"] = key_of(chief)
        page = shown(strict)
        handle, clerk = button_of(page, "clerk"), User.objects.get(username="clerk").pk
        paths = ("end/", f"end-user/?user={clerk}", "end-others/")
        refused = [strict.post(PAGE + path, {"session": handle}).status_code for path in paths]
        there = stored(key) is not None
        form = {"session": handle, "csrfmiddlewaretoken": token(page)}
        answer = [refused, there, strict.post(PAGE + "end/", form).status_code, stored(key)]
        """
    assert does(site, code) == [[403, 403, 403], True, 302, None]


def test_a_link_ends_nothing(site: Office) -> None:
    code = """
        signed_in("clerk")
        chief.get(PAGE + "end-others/")
        answer = chief.get(PAGE + "end/").status_code, len(store.keys())
        """
    assert does(site, code) == [405, 2]


def test_who_was_ended_is_a_visitor_and_a_request_under_way_does_not_bring_it_back(
    site: Office,
) -> None:
    code = """
        from office.urls import HOOKS
        clerk = signed_in("clerk")
        key = key_of(clerk)
        change(key, seen=int(time.time()) - 100)
        form = {"session": button_of(shown(chief), "clerk")}
        HOOKS.append(lambda: chief.post(PAGE + "end/", form))
        clerk.get("/slow/")
        answer = stored(key), clerk.get("/who/").content.decode()
        """
    assert does(site, code) == [None, "nobody"]


@pytest.mark.parametrize("handle", ["", "0" * 64, "x", "\N{SNOWMAN}"])
def test_a_session_that_is_over_is_said_to_be(site: Office, handle: str) -> None:
    code = f"""
        reply = chief.post(PAGE + "end/", {{"session": {handle!r}}}, follow=True)
        answer = "was over already" in reply.content.decode(), log()
        """
    assert does(site, code) == [True, []]


def test_back_to_the_search_that_it_was_ended_from(site: Office) -> None:
    code = """
        signed_in("clerk")
        handle = button_of(shown(chief, "?q=clerk"), "clerk")
        reply = chief.post(PAGE + "end/", {"session": handle, "q": "cl&rk", "c": "0"})
        answer = reply["Location"]
        """
    assert does(site, code) == f"{PAGE}?q=cl%26rk&c=0"


@pytest.mark.parametrize("cursor", ["x", "-1", str(2**64), "%F0%9F%98%80", "1~2"])
def test_a_cursor_that_is_none_leads_to_the_beginning(site: Office, cursor: str) -> None:
    code = f"reply = chief.get(PAGE + '?c={cursor}'); answer = reply.status_code, reply['Location']"
    assert does(site, code) == [302, PAGE]


def test_a_user_that_cannot_be_is_no_error(site: Office) -> None:
    code = """
        answer = [chief.get(PAGE + "end-user/" + query).status_code
                  for query in ("", "?user=", "?user=x", "?user=999999999999999999999")]
        """
    assert does(site, code) == [404, 404, 200, 200]


# --- Where it hangs ------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/backstage/", "/late/"])
def test_it_hangs_on_every_admin_site(site: Office, prefix: str) -> None:
    """One makes its own list and URLs, one was given its class late; both made by the URLconf."""
    code = f"""
        signed_in("clerk")
        index = chief.get({prefix!r}).content.decode()
        page = chief.get({prefix!r} + "django_split/sessions/").content.decode()
        handle = button_of(page, "clerk")
        reply = chief.post({prefix!r} + "django_split/sessions/end/", {{"session": handle}})
        answer = index, page, reply["Location"], len(store.keys())
        """
    index, page, back, left = does(site, code)
    assert f'href="{prefix}django_split/sessions/"' in index
    assert PAGE not in page, "all of its links stay in the site"
    assert (back, left) == (f"{prefix}django_split/sessions/", 1)


def test_the_sites_own_say_on_who_may_enter_is_kept(site: Office) -> None:
    code = """
        path = "/backstage/django_split/sessions/"
        own = chief.get("/backstage/numbers/").content.decode()
        answer = own, chief.get(path, HTTP_X_TOKEN="none").status_code, chief.get(path).status_code
        """
    assert does(site, code) == ["1, 2, 3", 302, 200]


def test_entries_are_of_the_kind_that_the_admin_has(site: Office) -> None:
    code = """
        from django.contrib import admin
        from django.contrib.auth.models import User
        from django.test import RequestFactory
        request = RequestFactory().get("/")
        request.user = User.objects.get(username="chief")
        apps, auth = admin.site.get_app_list(request), admin.site.get_app_list(request, "auth")
        ours, others = apps[-1], apps[:-1]
        answer = [ours["app_label"], set(others[0]) - set(ours),
                  set(others[0]["models"][0]) - set(ours["models"][0]),
                  ours["models"][0]["model"]._meta.label, [app["app_label"] for app in auth]]
        """
    label, app, model, name, only = does(site, code)
    assert (label, name, only) == ("django_split", "django_split.Session", ["auth"])
    assert (app, model) == ("set()", "set()")


def test_database_does_not_know_of_it(site: Office) -> None:
    """No migration, no table, no content type, no permission."""
    made = site.manage("admin", "makemigrations", "--check", "--dry-run", "--skip-checks")
    assert "No changes detected" in made
    assert "No migrations to apply" in site.manage("admin", "migrate", "--skip-checks")
    code = """
        from django.apps import apps
        from django.contrib.auth.models import Permission
        from django.contrib.contenttypes.models import ContentType
        from django.db import connection
        answer = [
            list(apps.get_app_config("django_split").get_models()),
            ContentType.objects.filter(app_label="django_split").count(),
            Permission.objects.filter(content_type__app_label="django_split").count(),
            [name for name in connection.introspection.table_names() if "split" in name],
        ]
        """
    assert does(site, code) == [[], 0, 0, []]


def test_a_session_of_the_pages_own_costs_no_query_of_the_index(site: Office) -> None:
    code = """
        from django.db import connection
        from django.test.utils import CaptureQueriesContext
        with CaptureQueriesContext(connection) as queries:
            chief.get("/admin/")
        answer = [query["sql"] for query in queries if "session" in query["sql"]]
        """
    assert does(site, code) == []


def test_words_are_translated_where_django_has_them(site: Office) -> None:
    german = site.also("german", "LANGUAGE_CODE = 'de'")
    page = json.dumps(does(site, "answer = shown(chief)", german), ensure_ascii=False)
    assert "Start" in page
    assert "Suchen" in page
