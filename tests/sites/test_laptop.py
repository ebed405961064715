"""The README's four commands, from the directory and virtualenv of a site just begun.

`pip install django-split` is its wheel here, and the ports are free ones; nothing else differs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.browsing import PASSWORD
from tests.support.developing import Browser, Page, Server, runserver
from tests.support.installing import (
    build_wheel,
    fresh_virtualenv,
    pip,
    plain_environment,
    startproject,
)

pytestmark = pytest.mark.slow

PLAN = ["plan", "--settings", "mysite.settings", "--output", "plan.toml"]

COUNTER = """
from django.http import HttpResponse


def count(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(f"visit {request.session['visits']}")


urlpatterns.append(path("count/", count))
"""


@dataclass
class Laptop:
    python: Path
    project: Path

    def type(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python.with_name(words[0])), *words[1:]],
            cwd=self.project,
            env=plain_environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def plan(self, *answers: str) -> subprocess.CompletedProcess[str]:
        return self.type("django-split", *PLAN, *answers)

    def settings(self, added: str) -> None:
        """Write more into the site's settings."""
        file = self.project / "mysite" / "settings.py"
        file.write_text(file.read_text() + added)

    @property
    def urls(self) -> Path:
        return self.project / "mysite" / "urls.py"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = fresh_virtualenv(["Django~=5.2.0"], "", tmp_path_factory.mktemp("venv") / "venv")
    pip(python, "install", "--quiet", str(build_wheel(tmp_path_factory.mktemp("wheel"))))
    return python


def begun(python: Path, folder: Path) -> Laptop:
    """What `startproject` makes, migrated, with a superuser."""
    project = folder / "mysite"
    project.mkdir()
    startproject("mysite", project, python)
    laptop = Laptop(python, project)
    for command in (["migrate", "-v0"], ["createsuperuser", "--noinput", "-v0"]):
        superuser = {
            "DJANGO_SUPERUSER_USERNAME": "chief",
            "DJANGO_SUPERUSER_EMAIL": "chief@mysite.example",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }
        done = laptop.type("python", "manage.py", *command, **superuser)
        assert done.returncode == 0, done.stderr
    return laptop


def instance(laptop: Laptop, name: str) -> Iterator[Server]:
    environment = plain_environment(
        DJANGO_SPLIT_PLAN="plan.toml", DJANGO_SETTINGS_MODULE=f"django_split.instances.{name}"
    )
    with runserver(laptop.python, laptop.project, environment, name) as server:
        yield server


@pytest.fixture(scope="module")
def laptop(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    laptop = begun(python, tmp_path_factory.mktemp("laptop"))
    planned = laptop.plan()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return laptop


@pytest.fixture(scope="module")
def main(laptop: Laptop) -> Iterator[Server]:
    yield from instance(laptop, "main")


@pytest.fixture(scope="module")
def admin(laptop: Laptop) -> Iterator[Server]:
    yield from instance(laptop, "admin")


def sign_in(browser: Browser, admin: Server) -> Page:
    login = browser.get(f"{admin.url}/admin/")
    assert (login.status, login.url) == (200, f"{admin.url}/admin/login/?next=/admin/")
    return browser.submit(login, username="chief", password=PASSWORD, next="/admin/")


def test_main_answers_as_the_site_does(main: Server, admin: Server) -> None:
    """It greets who has just begun, as `manage.py runserver` does."""
    page = main.get("/")
    assert (page.status, page.body) == (200, admin.get("/").body)
    assert page.cookies == []
    assert "Cookie" not in page.headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/admin/", "/admin", "/admin/login/", "/admin/auth/user/"])
def test_main_has_no_admin(main: Server, path: str) -> None:
    assert main.get(path).status == 404


def test_login_page_has_its_static_files(admin: Server) -> None:
    login = admin.get("/admin/login/")
    assert '/static/admin/css/base.css"' in login.body
    style = admin.get("/static/admin/css/base.css")
    assert (style.status, style.headers["Content-Type"]) == (200, "text/css")


def test_admin_opens_after_a_login(admin: Server) -> None:
    browser = Browser()
    index = sign_in(browser, admin)
    assert (index.status, index.url) == (200, f"{admin.url}/admin/")
    changelist = browser.get(f"{admin.url}/admin/auth/user/")
    assert (changelist.status, "chief@mysite.example" in changelist.body) == (200, True)
    assert [cookie.name for cookie in browser.jar if "session" in cookie.name] == [
        "mysite_admin_sessionid"
    ]


def test_session_survives_a_reload(laptop: Laptop, admin: Server) -> None:
    browser = Browser()
    sign_in(browser, admin)
    admin.reload(laptop.urls)
    again = browser.get(f"{admin.url}/admin/auth/user/")
    assert (again.status, again.url) == (200, f"{admin.url}/admin/auth/user/")


def test_site_itself_goes_on_as_before(laptop: Laptop) -> None:
    """manage.py knows nothing of us."""
    assert "no issues" in laptop.type("python", "manage.py", "check").stdout
    assert sorted(path.name for path in laptop.project.iterdir()) == [
        "db.sqlite3",
        "manage.py",
        "mysite",
        "plan.toml",
    ]


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("plan.toml", '"plan.toml", and there is no such file in {}: give the whole path'),
        ("/nowhere/plan.toml", '"/nowhere/plan.toml", and there is no such file: give'),
    ],
)
def test_plan_that_is_not_there_is_told_with_where_it_was_looked_for(
    laptop: Laptop, tmp_path: Path, named: str, words: str
) -> None:
    """A path that is not whole counts from where the command is typed."""
    environment = plain_environment(
        DJANGO_SPLIT_PLAN=named,
        DJANGO_SETTINGS_MODULE="django_split.instances.main",
        PYTHONPATH=str(laptop.project),
    )
    command = [str(laptop.python), "-m", "django", "check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"PlanError: DJANGO_SPLIT_PLAN is {words.format(tmp_path)}" in done.stderr


def test_public_sessions_on_a_laptop(python: Path, tmp_path: Path) -> None:
    laptop = begun(python, tmp_path)
    laptop.urls.write_text(laptop.urls.read_text() + COUNTER)
    asked = laptop.plan()
    assert asked.returncode == 3, asked.stdout + asked.stderr
    assert "/count/" in asked.stdout
    assert "--public-sessions cached_db" in asked.stdout
    answered = laptop.plan("--public-sessions", "cached_db")
    assert answered.returncode == 0, answered.stdout + answered.stderr
    browser = Browser()
    for server in instance(laptop, "main"):
        assert browser.get(f"{server.url}/count/").body == "visit 1"
        server.reload(laptop.urls)
        assert browser.get(f"{server.url}/count/").body == "visit 2"
        assert [cookie.name for cookie in browser.jar] == ["sessionid"]
        assert server.get("/admin/").status == 404
    for server in instance(laptop, "admin"):
        assert sign_in(Browser(), server).url == f"{server.url}/admin/"


@pytest.mark.parametrize("engine", ["signed_cookies", "cache", "file"])
def test_sessions_that_are_not_in_the_database_stay_the_sites(
    python: Path, tmp_path: Path, engine: str
) -> None:
    """Such a site may never have made the table."""
    laptop = begun(python, tmp_path)
    laptop.settings(
        "\nINSTALLED_APPS.remove('django.contrib.sessions')\n"
        f"SESSION_ENGINE = 'django.contrib.sessions.backends.{engine}'\n"
        f"SESSION_FILE_PATH = {str(tmp_path)!r}\n"
    )
    (laptop.project / "db.sqlite3").unlink()
    begun_again = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    laptop.type("python", "manage.py", "migrate", "-v0")
    who = ["--username", "chief", "--email", "chief@mysite.example"]
    laptop.type("python", "manage.py", "createsuperuser", "--noinput", *who, **begun_again)
    planned = laptop.plan()
    assert planned.returncode == 0, planned.stdout + planned.stderr
    for server in instance(laptop, "admin"):
        browser = Browser()
        assert sign_in(browser, server).url == f"{server.url}/admin/"
        assert browser.get(f"{server.url}/admin/auth/user/").status == 200
