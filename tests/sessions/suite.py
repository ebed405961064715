"""Runs Django's own tests of session backends against one of ours.

    python suite.py redis|redis_db URL FOLDER

FOLDER is `tests` of Django's source. A process of its own, because those tests want settings of
their own. Ends with 0 if all passed.
"""

from __future__ import annotations

import sys
import unittest
from importlib import import_module

import django
from django.conf import settings
from django.test import SimpleTestCase, TestCase
from django.test.utils import get_runner, override_settings


def main(name: str, url: str, folder: str) -> int:
    sys.path.insert(0, folder)
    engine = f"django_split.sessions.{name}"
    settings.configure(
        SECRET_KEY="django_tests_secret_key",
        USE_TZ=False,
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "sessions_tests",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SESSION_ENGINE=engine,
        DJANGO_SPLIT_SESSIONS={"url": url, "prefix": "suite:session:"},
    )
    django.setup()
    theirs = import_module("sessions_tests.tests")
    store = import_module(engine).SessionStore
    # SimpleTestCase lets nobody near a database.
    ground = TestCase if name == "redis_db" else SimpleTestCase
    backend = type("Backend", (theirs.SessionTestsMixin, ground), {"backend": store})
    zoned = override_settings(USE_TZ=True)(type("WithTimeZone", (backend,), {}))
    loader = unittest.defaultTestLoader
    if name == "redis":
        # It looks for the session in the table.
        del theirs.SessionMiddlewareTests.test_empty_session_saved
    suite = unittest.TestSuite(
        loader.loadTestsFromTestCase(case)
        for case in (backend, zoned, theirs.SessionMiddlewareTests)
    )
    runner = get_runner(settings)(verbosity=1)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    result = runner.run_suite(suite)
    runner.teardown_databases(databases)
    print(f"{result.testsRun} tests of Django {django.__version__}, {len(result.skipped)} skipped")
    return int(not result.wasSuccessful() or result.testsRun < 80)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
