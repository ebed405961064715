"""Main's rights on a real PostgreSQL: all its pages work, and what it may not is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sites import making
from tests.support.browsing import crawl, make_superuser, signed_in
from tests.support.plugins import PLUGINS
from tests.support.roles import Database, database
from tests.support.trial import REPOSITORY, Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

GAZETTE = REPOSITORY / "tests" / "sites" / "gazette"
WAGTAIL = ["wagtail==8.0.1", "Django==5.2.19", "redis==8.1.0", "dj-database-url", "psycopg[binary]"]

AUTH = (
    "auth_user",
    "auth_group",
    "auth_permission",
    "auth_user_groups",
    "auth_user_user_permissions",
    "auth_group_permissions",
)
DELETE = "DELETE FROM {} WHERE false"
WRITES = ("INSERT INTO {} SELECT * FROM {} WHERE false", DELETE)
READ = "SELECT 1 FROM {} WHERE false"
# None of them is main's business; each is tried.
REFUSED = [
    *(READ.format(table) for table in ("django_session", "django_admin_log")),
    "UPDATE django_session SET expire_date = now() WHERE false",
    "UPDATE auth_user SET is_superuser = true WHERE false",
    "UPDATE django_admin_log SET change_message = '' WHERE false",
    *(
        write.format(table, table)
        for table in (
            *AUTH,
            "django_session",
            "django_admin_log",
            "django_migrations",
            "django_content_type",
        )
        for write in WRITES
    ),
    "TRUNCATE news_article CASCADE",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION auth_user() RETURNS int LANGUAGE sql AS 'select 1'",
    "SET ROLE site_owner",
    "SET ROLE site_admin",
]
REFUSED_ADMIN = [
    "CREATE TABLE mine (id int)",
    "TRUNCATE news_article CASCADE",
    "SET ROLE site_owner",
]
SOMEBODY_LOGGED = (
    "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email,"
    " is_staff, is_active, date_joined) VALUES ('gone', '', false, '', '', '', true, true, now())",
    "INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)"
    " SELECT now(), 'x', 1, '', id FROM auth_user WHERE username = 'gone'",
)
DELETE_USER = """
from django.contrib.auth.models import User
answer = User.objects.get(username="gone").delete()[0]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with database() as made:
        yield made


@pytest.fixture(scope="module")
def gazette(
    tmp_path_factory: pytest.TempPathFactory, store: Path, server: Database
) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("gazette")
    ignored = shutil.ignore_patterns("*.sqlite3", "__pycache__", "media")
    shutil.copytree(GAZETTE, place / "src", ignore=ignored)
    requirements = (GAZETTE / "requirements.txt").read_text().splitlines()
    python = virtualenv([*requirements, "redis"])
    with Site(place / "src", "gazette.settings", place, python=str(python)) as site:
        server.act(site, "owner")
        site.plan(session={"url": f"unix://{store}?db=0"})
        site.manage("admin", "migrate", "-v0")
        server.grant(site)
        server.act(site, "admin")
        site.manage("admin", "load_articles", "--count", "40")
        make_superuser(site)
        server.act(site, "main")
        assert site.ask("main", "answer = 1") == 1  # its process, with main's role
        yield site


def test_every_page_of_main_works_with_what_it_may(gazette: Site) -> None:
    pages = crawl(gazette, "main", skipped=("/static/",))
    assert len(pages) >= 40
    assert {page.status for page in pages.values()} == {200}


def test_what_a_visitor_writes_is_kept(gazette: Site, server: Database) -> None:
    status = gazette.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example")
        letter = {"name": "A", "email": "a@b.example", "subject": "S", "text": "A letter to you."}
        answer = client.post("/contact/", letter).status_code
        """,
    )
    assert status == 302
    assert server.run("owner", "SELECT subject FROM contact_letter") == [("S",)]


@pytest.mark.parametrize("statement", REFUSED)
def test_main_is_refused(gazette: Site, server: Database, statement: str) -> None:
    assert server.refuses("main", statement)


@pytest.mark.parametrize("statement", REFUSED_ADMIN)
def test_the_admin_writes_every_row_and_owns_no_table(
    gazette: Site, server: Database, statement: str
) -> None:
    assert server.refuses("admin", statement)


def test_what_verify_tries_is_refused_to_main_and_harms_nobody(
    gazette: Site, server: Database
) -> None:
    rights = (PLUGINS / "module_utils" / "split_verify" / "rights.py").read_text()
    program = rights.split('PROGRAM = """')[1].split('"""')[0]
    before = server.run("owner", "SELECT count(*) FROM auth_user")
    for role, seen in (("main", {"refused"}), ("owner", {"allowed"})):
        server.act(gazette, role)
        said = json.loads(gazette.run(["-c", program], "split_main").stdout)
        assert set(said["tried"].values()) == seen
        assert len(said["tried"]) == 4
    assert server.run("owner", "SELECT count(*) FROM auth_user") == before != [(0,)]


def test_the_admin_works(gazette: Site) -> None:
    _, statuses = signed_in(gazette, "/admin/login/", ["/admin/", "/admin/news/article/"])
    assert set(statuses.values()) == {200}


def test_the_second_time_nothing_is_granted(gazette: Site, server: Database) -> None:
    said = server.grant(gazette)
    assert (said["changed"], said["statements"], said["absent"]) == (False, [], [])
    assert "auth_user: SELECT (who may what is for main to read)" in said["main"]


def test_what_was_granted_beside_is_taken_back(gazette: Site, server: Database) -> None:
    server.run(
        "owner",
        "GRANT SELECT, UPDATE ON django_session TO site_main",
        "GRANT SELECT (id) ON django_admin_log TO site_main",
        "CREATE TABLE later (id serial, name text)",
    )
    said = server.grant(gazette, "--only-add")["statements"]
    assert len(said) == 2
    assert all(
        each.endswith('public."later" TO "site_admin"') or "later_id" in each for each in said
    )
    assert server.grant(gazette)["changed"]
    for table in ("django_session", "django_admin_log", "later"):
        assert server.refuses("main", READ.format(table)), table
    assert not server.refuses("admin", "INSERT INTO later (name) VALUES ('a')")
    assert not server.grant(gazette)["changed"]
    # A table that no model names is main's when it is said.
    extra = ("--main-grants", '{"later": ["SELECT", "INSERT"]}')
    server.grant(gazette, *extra)
    assert not server.refuses("main", "INSERT INTO later (name) VALUES ('a')")
    server.run("owner", "DROP TABLE later")


def test_users_go_with_their_log_where_main_may_write_them(gazette: Site, server: Database) -> None:
    server.run("owner", *SOMEBODY_LOGGED)
    with pytest.raises(AssertionError, match="permission denied"):
        gazette.ask("main", DELETE_USER)
    said = server.grant(gazette, "--main-writes-users")
    assert any("make a superuser of anybody" in note for note in said["notes"])
    assert gazette.ask("main", DELETE_USER) >= 1
    left = "SELECT count(*) FROM django_admin_log WHERE object_repr = 'x'"
    assert server.run("owner", left) == [(0,)]
    assert server.refuses("main", "SELECT change_message FROM django_admin_log")
    assert server.refuses("main", "INSERT INTO django_admin_log SELECT * FROM django_admin_log")
    assert server.refuses("main", "UPDATE auth_group SET name = '' WHERE false")
    server.grant(gazette)
    assert server.refuses("main", "DELETE FROM auth_user WHERE false")
    assert server.refuses("main", "DELETE FROM django_admin_log WHERE false")


def test_passwords_can_be_hidden_at_a_price(gazette: Site, server: Database) -> None:
    server.grant(gazette, "--no-main-reads-passwords")
    whole = "from django.contrib.auth.models import User\nanswer = str(User.objects.get(pk=1))"
    with pytest.raises(AssertionError, match="permission denied"):
        gazette.ask("main", whole)
    assert gazette.ask("main", whole.replace("get(", "only('username').get("))
    server.grant(gazette)
    assert gazette.ask("main", whole)


def test_who_is_not_the_owner_is_told_what_to_say(gazette: Site, server: Database) -> None:
    with pytest.raises(AssertionError, match='connected as "site_admin", not as "site_owner"'):
        server.grant(gazette, role="admin")
    gazette.environment.pop("DATABASE_URL")
    words = ["-m", "django_split.grants.apply", "--plan", str(gazette.place / "plan.toml")]
    for role in ("owner", "main", "admin"):
        words += [f"--{role}-role", f"site_{role}"]
    done = gazette.run(words, "split_admin", check=False)
    assert done.returncode == 1
    assert "the site is on sqlite, not on PostgreSQL" in done.stderr
    assert "site_database_env" in done.stderr


def test_the_command_prints_what_main_may(gazette: Site) -> None:
    plan = str(gazette.place / "plan.toml")
    words = ["-m", "django_split", "grants", "--settings", "gazette.settings", "--plan", plan]
    said = gazette.run(words).stdout
    assert "nothing: sessions are the admin's\n  django_session\n" in said
    assert "news_article" in said.partition("SELECT, INSERT, UPDATE, DELETE: ")[2]
    wrong = gazette.run([*words, "--main-grants", '{"x": ["DROP"]}'], check=False)
    assert wrong.returncode == 2
    assert "x has 'DROP'" in wrong.stderr


@pytest.fixture(scope="module")
def wagtail(
    tmp_path_factory: pytest.TempPathFactory, store: Path
) -> Iterator[tuple[Site, Database]]:
    place = tmp_path_factory.mktemp("wagtail")
    python = virtualenv(WAGTAIL)
    making.run(python, "wagtail", "start", "mysite", making.fresh(place), cwd=place)
    settings = place / "src" / "mysite" / "settings" / "postgresql.py"
    settings.write_text(
        "from .dev import *\nimport dj_database_url\n"
        "DATABASES = {'default': dj_database_url.config()}\n"
    )
    with (
        database() as server,
        Site(place / "src", "mysite.settings.postgresql", place, python=str(python)) as site,
    ):
        server.act(site, "owner")
        making.set_up(
            site,
            content="""
            from home.models import HomePage
            home = HomePage.objects.get()
            for number in range(3):
                home.add_child(instance=HomePage(title=f"News {number}", slug=f"news-{number}"))
            """,
        )
        making.split(
            site,
            store,
            main_closed_prefixes=["/_util/", "/documents/authenticate_with_password/"],
        )
        server.grant(site)
        server.act(site, "main")
        assert site.ask("main", "answer = 1") == 1
        yield site, server


def test_wagtails_pages_work_with_what_main_may(wagtail: tuple[Site, Database]) -> None:
    site, server = wagtail
    starts = ["/", "/search/?query=news", "/nothing/", *(f"/news-{n}/" for n in range(3))]
    pages = crawl(site, "main", most=20, starts=starts, skipped=("/static/",))
    assert {path: page.status for path, page in pages.items()} == {
        path: 404 if path in ("/nothing/", "/admin/") else 200 for path in pages
    }
    assert len(pages) >= 6
    for table in ("wagtailcore_grouppagepermission", "auth_user", "django_session"):
        assert server.refuses("main", DELETE.format(table)), table
    assert not server.refuses("main", "UPDATE wagtailcore_page SET title = title WHERE false")
