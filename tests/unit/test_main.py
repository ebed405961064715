"""What a visitor, and the site's own code, find on main."""

from __future__ import annotations

import pytest

from tests.support.trial import Site


def test_urlconf_that_uses_the_admin_imports_without_it(paper: Site) -> None:
    """FACTS A1: autodiscover, site_header, unregister and import django.contrib.auth.admin."""
    assert paper.get("main", "/").status == 200
    assert paper.ask(
        "main", "from django.contrib import admin; answer = admin.site.site_header"
    ) == ("The Paper")


def test_admin_modules_are_not_even_imported(paper: Site) -> None:
    """They may import what main has not (LogEntry), though urls.py calls admin.autodiscover()."""
    paper.get("main", "/")
    assert paper.ask("main", "import sys; answer = 'paper.admin' in sys.modules") is False
    assert paper.ask("admin", "import sys; answer = 'paper.admin' in sys.modules") is True


def test_admin_and_sessions_are_really_gone(paper: Site) -> None:
    gone = paper.ask(
        "main",
        """
        from django.apps import apps
        names = ("django.contrib.admin", "django.contrib.sessions")
        answer = [apps.is_installed(name) for name in names]
        """,
    )
    assert gone == [False, False]


def test_page_without_a_form_sets_no_cookie_and_varies_by_none(paper: Site) -> None:
    page = paper.get("main", "/")
    assert page.body == "Hello, reader"
    assert page.cookies == []
    assert "Vary" not in page.headers


def test_browser_with_a_session_cookie_is_answered(paper: Site) -> None:
    """FACTS A2: half a removal was a 500 for whoever has a `sessionid`, that is for the staff."""
    page = paper.get("main", "/", cookie="sessionid=0123456789abcdef; messages=x")
    assert (page.status, page.body) == (200, "Hello, reader")
    assert "Vary" not in page.headers


def test_session_is_read_and_written_within_a_request(paper: Site) -> None:
    """FACTS A3, A4: middleware between session and user, get_expiry_date, write then read."""
    page = paper.get("main", "/basket/")
    assert (page.status, page.body, page.cookies) == (200, "paper", [])
    assert paper.get("main", "/basket/").body == "paper"


def test_template_tags_still_find_user_and_messages(paper: Site) -> None:
    """FACTS A5: context processors stay."""
    page = paper.get("main", "/byline/")
    assert (page.status, page.body.strip()) == (200, "False")
    assert page.cookies == []


def test_message_shows_after_a_form_without_a_session(paper: Site) -> None:
    names, shown = paper.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example")
        sent = client.post("/contact/")
        answer = sorted(sent.cookies), client.get(sent.url).content.decode()
        """,
    )
    assert names == ["trial_main_messages"]
    assert "[Thank you]" in shown


def test_form_is_still_protected(paper: Site) -> None:
    page = paper.get("main", "/contact/")
    assert [cookie.partition("=")[0] for cookie in page.cookies] == ["csrftoken"]
    assert page.headers["Vary"] == "Cookie"
    refused = paper.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)
        answer = client.post("/contact/").status_code
        """,
    )
    assert refused == 403


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin",
        "/admin/login/",
        "/admin/paper/article/1/change/",
        "/admin/nothing/",
        "/admin/doc/",
        "/closed/page/",
        "/closed/anything",
    ],
)
def test_admin_and_closed_paths_are_404(paper: Site, path: str) -> None:
    page = paper.get("main", path)
    assert (page.status, page.body) == (404, "The Paper has no such page")


def test_post_to_the_admin_is_404_and_not_a_missing_token(paper: Site) -> None:
    status = paper.ask(
        "main",
        """
        from django.test import Client
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)
        answer = client.post("/admin/login/").status_code
        """,
    )
    assert status == 404


def test_paths_beside_a_closed_one_are_open(paper: Site) -> None:
    assert paper.get("main", "/tree/admin/").body == "tree: tree/admin/"


def test_admin_names_still_reverse(paper: Site) -> None:
    assert paper.get("main", "/edit/7/").body == (
        "/admin/paper/article/7/change/ /admin/paper/article/7/proof/ /admin/paper/"
    )
    names = """
        from django.urls import reverse
        answer = [reverse(name) for name in ("admin:index", "closed", "doc")]
        """
    assert paper.ask("main", names) == ["/admin/", "/closed/page/", "/admin/doc/"]


def test_every_name_of_the_admin_reverses_alike_on_both_instances(paper: Site) -> None:
    code = """
        from django.urls import get_resolver
        resolver = get_resolver().namespace_dict["admin"][1]
        patterns = {}
        for name in resolver.reverse_dict:
            if isinstance(name, str):
                forms = resolver.reverse_dict.getlist(name)
                patterns[name] = sorted(path for form in forms for path, _ in form[0])
        answer = patterns
        """
    on_main, on_admin = paper.ask("main", code), paper.ask("admin", code)
    # Our own page on the admin is no name that a site could have written down.
    ours = [name for name in on_admin if name.startswith("django_split")]
    assert ours
    assert on_main == {name: paths for name, paths in on_admin.items() if name not in ours}
    assert len(on_main) > 20


def test_staff_page_redirects_to_the_admins_login(paper: Site) -> None:
    """FACTS A12: it was a 500 as soon as admin:login did not reverse."""
    page = paper.get("main", "/staff/")
    assert (page.status, page.headers["Location"]) == (302, "/admin/login/?next=/staff/")


def test_urlconf_that_a_middleware_chooses_has_no_admin_either(paper: Site) -> None:
    """FACTS A15: ROOT_URLCONF is not the only one."""
    other = {"urlconf": "paper.other_urls"}
    assert paper.get("main", "/other/", **other).status == 200
    for path in ("/admin/login/", "/backstage/login/", "/closed/page/"):
        assert paper.get("admin", path, **other).status == 200
        assert paper.get("main", path, **other).status == 404


def test_user_with_a_log_entry_can_be_deleted(paper: Site) -> None:
    """FACTS A9, A19: an unmanaged shadow of django_admin_log cascades."""
    user = paper.ask(
        "admin",
        """
        from django.contrib.admin.models import LogEntry
        from django.contrib.auth.models import User
        from django.contrib.contenttypes.models import ContentType
        user = User.objects.create_user("editor")
        LogEntry.objects.create(
            user=user, content_type=ContentType.objects.get_for_model(User), object_id=1,
            object_repr="x", action_flag=1,
        )
        answer = user.pk
        """,
    )
    delete = f"""
        from django.contrib.auth.models import User
        answer = User.objects.get(pk={user}).delete()[1]
        """
    deleted = paper.ask("main", delete)
    assert deleted == {"django_split.LogEntry": 1, "auth.User": 1}
    left = "from django.contrib.admin.models import LogEntry; answer = LogEntry.objects.count()"
    assert paper.ask("admin", left) == 0


def test_shadow_is_in_no_migration_and_no_content_type(paper: Site) -> None:
    changes = """
        from django.apps import apps
        from django.db.migrations.autodetector import MigrationAutodetector
        from django.db.migrations.loader import MigrationLoader
        from django.db.migrations.state import ProjectState
        before = MigrationLoader(None).project_state()
        found = MigrationAutodetector(before, ProjectState.from_apps(apps))
        answer = sorted(found.changes(graph=MigrationLoader(None).graph))
        """
    assert paper.ask("main", changes) == []
    labels = (
        "from django.contrib.contenttypes.models import ContentType;"
        "answer = list(ContentType.objects.values_list('app_label', flat=True))"
    )
    assert "django_split" not in paper.ask("admin", labels)


def test_system_checks_pass_on_both_instances(paper: Site) -> None:
    for instance in ("main", "admin"):
        assert "no issues" in paper.manage(instance, "check", "--fail-level", "WARNING")


@pytest.mark.parametrize(
    "command",
    [
        "migrate",
        "createsuperuser --noinput",
        "collectstatic --noinput",
        "clearsessions",
        "remove_stale_contenttypes --include-stale-apps",
        "flush --noinput",
        "makemigrations --check",
        "showmigrations",
        "sqlmigrate paper 0001",
        "squashmigrations paper 0001",
        "optimizemigration paper 0001",
    ],
)
def test_command_that_writes_is_refused_with_what_to_type(paper: Site, command: str) -> None:
    """FACTS A11."""
    name = command.split()[0]
    said = paper.ask(
        "main",
        f"""
        from django.core.management import CommandError, call_command
        try:
            call_command(*{command.split()!r})
        except CommandError as error:
            answer = str(error)
        """,
    )
    assert f"{name} runs with the admin's settings" in said
    assert f"Type: trial-manage {name}" in said


def test_refused_command_ends_with_a_status(paper: Site) -> None:
    """Also where the site's own command of that name has options that Django's does not know."""
    command = ["-m", "django", "migrate", "--tenant", "x"]
    done = paper.run(command, settings="split_main", check=False)
    assert done.returncode == 1
    assert "Type: trial-manage migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_async_request_gets_the_stand_in_too(paper: Site) -> None:
    body = paper.ask(
        "main",
        """
        import asyncio
        from django.test import AsyncClient, override_settings
        async def ask():
            reply = await AsyncClient().get("/basket/")
            return reply.content.decode(), sorted(reply.cookies)
        with override_settings(ALLOWED_HOSTS=["testserver"]):
            answer = asyncio.run(ask())
        """,
    )
    assert body == ["paper", []]


def test_sites_own_wsgi_callable_runs_under_the_instances_settings(paper: Site) -> None:
    """Its wsgi.py sets os.environ["DJANGO_SETTINGS_MODULE"] to the base, as many do."""
    seen = paper.run(
        [
            "-c",
            "import os; from django_split.runtime.wsgi import application; import paper.wsgi;"
            "from django.conf import settings;"
            "print(application is paper.wsgi.application, settings.SETTINGS_MODULE,"
            " os.environ['DJANGO_SETTINGS_MODULE'])",
        ],
        settings="split_main",
    )
    assert seen.stdout.split() == ["True", "split_main", "split_main"]


def test_gunicorn_application_refuses_the_base(paper: Site) -> None:
    done = paper.run(
        ["-c", "import django_split.runtime.wsgi"], settings="paper.settings", check=False
    )
    assert done.returncode == 1
    assert "paper.settings are not the settings of a django-split instance" in done.stderr
