"""Main on a laptop: `runserver`, though a migration depends on an app that main does not have."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.support.developing import runserver
from tests.support.trial import Site

COMMAND = """
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    requires_migrations_checks = True

    def handle(self, *args, **options):
        self.check_migrations()
        print("served")
"""


@pytest.fixture(scope="module")
def laptop(make_site: Callable[..., Site]) -> Site:
    """Planned without hosts. Its own plan.toml lies in the site's directory."""
    site = make_site("desk", "\nDEBUG = True\n")
    deploy = site.place / "deploy.json"
    deploy.write_text(json.dumps({"main_anonymous_views": ["*"]}))
    plan = ["plan", "--settings", "desk.settings", "--deploy", str(deploy)]
    site.run(["-m", "django_split", *plan, "--output", "plan.toml"])
    site.environment["DJANGO_SPLIT_PLAN"] = "plan.toml"
    site.run(["-m", "django", "migrate", "-v0"], settings="django_split.instances.admin")
    return site


def test_migration_depends_on_what_main_does_not_have(laptop: Site) -> None:
    """Or what follows shows nothing."""
    code = (
        "import django; django.setup(); from django.db import connection;"
        "from django.db.migrations.loader import MigrationLoader; MigrationLoader(connection)"
    )
    done = laptop.run(["-c", code], settings="django_split.instances.main", check=False)
    assert "NodeNotFoundError" in done.stderr
    laptop.run(["-c", code], settings="django_split.instances.admin")


def test_command_that_looks_at_migrations_runs(laptop: Site) -> None:
    """Whichever it is: Django's runserver, a package's, the site's own (FACTS A24)."""
    folder = laptop.source / "desk" / "management" / "commands"
    folder.mkdir(parents=True)
    (folder / "serve.py").write_text(COMMAND)
    done = laptop.run(["-m", "django", "serve"], settings="django_split.instances.main")
    assert done.stdout == "served\n"


@pytest.mark.slow
def test_runserver_serves_and_reloads(laptop: Site) -> None:
    environment = laptop._environment("django_split.instances.main")
    with runserver(laptop.python, laptop.source, environment, "main") as server:
        assert server.get("/").body == "public"
        assert server.get("/static/admin/css/base.css").status == 404
        assert server.get("/office/login/").status == 404
        server.reload(laptop.source / "desk" / "views.py")
        assert server.get("/").body == "public"
