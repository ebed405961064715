"""A site's own tests, run with main's settings: what they lose is an exception there."""

from __future__ import annotations

import re

import pytest

from tests.support.postgresql import postgresql_server
from tests.support.trial import Site
from tests.support.variants import variant

TESTS = """
from django.contrib.auth.models import User
from django.db import connection
from django.test import TestCase, TransactionTestCase


class Pages(TestCase):
    def test_page(self):
        self.assertEqual(self.client.get("/").content, b"public")

    def test_lost(self):
        self.client.get("/basket/")

    def test_lost_login(self):
        self.client.force_login(User.objects.create_user("reader"))

    def test_delete_cascades(self):
        with connection.cursor() as cursor:
            user = User.objects.create_user("editor")
            cursor.execute("INSERT INTO django_admin_log (user_id) VALUES (%s)", [user.pk])
            user.delete()
            cursor.execute("SELECT count(*) FROM django_admin_log")
            self.assertEqual(cursor.fetchone(), (0,))


class Emptied(TransactionTestCase):
    serialized_rollback = True

    def test_first(self):
        User.objects.create_user("reader")

    def test_second(self):
        self.assertFalse(User.objects.exists())
"""


def test_sites_tests_run_on_main_and_show_what_is_lost(desk: Site) -> None:
    """Though a migration depends on sessions, and the admin's log has no model on main."""
    assert_only_losses_fail(desk, "main")


@pytest.mark.slow
def test_tables_of_dropped_apps_are_emptied_between_tests(desk: Site) -> None:
    """PostgreSQL empties no table that another one has a constraint on."""
    with postgresql_server() as folder:
        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres",
            "USER": "postgres",
            "HOST": str(folder),
        }
        added = f"DATABASES['default'].update({database!r})"
        assert_only_losses_fail(desk, variant(desk, "on_postgresql", added=added))


def assert_only_losses_fail(site: Site, instance: str) -> None:
    (site.source / "desk" / "tests.py").write_text(TESTS)
    command = ["-m", "django", "test", "desk", "--noinput"]
    done = site.run(command, settings=f"split_{instance}", check=False)
    failed = re.findall(r"^(?:ERROR|FAIL): (\w+)", done.stderr, re.MULTILINE)
    assert sorted(failed) == ["test_lost", "test_lost_login"], done.stderr
    assert "Ran 6 tests" in done.stderr
    assert "LossError: GET /basket/ (desk.views.basket" in done.stderr
