"""The three database roles of a deployed site, on a PostgreSQL of a test's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.postgresql import postgresql_server
from tests.support.trial import Site

ROLES = ("owner", "main", "admin")


@dataclass
class Database:
    """One database that `site_owner` owns, and `site_main` and `site_admin` may connect to."""

    host: Path

    def url(self, role: str) -> str:
        return f"postgres://site_{role}@/site?host={self.host}"

    def run(self, role: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as a role (or as postgres), and give the rows of the last."""
        user = role if role == "postgres" else f"site_{role}"
        with psycopg.connect(host=str(self.host), user=user, dbname="site") as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def refuses(self, role: str, statement: str) -> bool:
        """Whether a role may not; what it may is taken back."""
        user = f"site_{role}"
        with psycopg.connect(host=str(self.host), user=user, dbname="site") as connection:
            try:
                connection.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                return True
            finally:
                connection.rollback()
        return False

    def act(self, site: Site, role: str) -> None:
        """The role of the processes that the site starts from now on."""
        site.environment["DATABASE_URL"] = self.url(role)

    def grant(self, site: Site, *options: str, role: str = "owner") -> dict[str, Any]:
        """Grant by the site's plan, as the playbook does."""
        self.act(site, role)
        words = ["-m", "django_split.grants.apply", "--plan", str(site.place / "plan.toml")]
        words += [word for each in ROLES for word in (f"--{each}-role", f"site_{each}")]
        done = site.run([*words, *options], "split_admin", check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        said: dict[str, Any] = json.loads(done.stdout)
        return said


@contextmanager
def database() -> Iterator[Database]:
    """As the role `postgresql` makes it."""
    with postgresql_server() as host:
        made = [f"CREATE ROLE site_{role} LOGIN" for role in ROLES]
        with psycopg.connect(
            host=str(host), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            for statement in (
                *made,
                "CREATE DATABASE site OWNER site_owner",
                "REVOKE CONNECT, TEMPORARY ON DATABASE site FROM PUBLIC",
                "GRANT CONNECT ON DATABASE site TO site_main, site_admin",
            ):
                connection.execute(statement)
        yield Database(host)
