"""The site's database in Debian's PostgreSQL, saved and put back by PostgreSQL's own programs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import IO, Any

from .parts import BackupError

SECONDS = 6 * 3600


class Database:
    """One database; every program runs as postgres, over the socket."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.name = str(params["name"])
        self._owner = params["owner"]
        self._others = ", ".join(params["others"])
        self._place = ["-h", "/run/postgresql", "-p", str(params["port"])]

    def _run(self, *words: str, **how: Any) -> str:
        done = subprocess.run(
            [
                *("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"),
                *("--inh-caps=-all", words[0], *self._place, *words[1:]),
            ],
            cwd="/",
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": SECONDS, **how},
            check=False,
        )
        if done.returncode:
            said = (done.stderr or b"").decode(errors="replace").strip()
            raise BackupError(f"{words[0]}: {said[-2000:]}")
        return (done.stdout or b"").decode(errors="replace").strip()

    def _psql(self, text: str) -> str:
        options = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
        return self._run("psql", *options, input=text.encode())

    def size(self) -> int:
        """Bytes on the disk; a dump is smaller."""
        return int(self._psql(f"SELECT pg_database_size('{self.name}')"))

    def save(self, target: IO[bytes]) -> None:
        """A consistent copy of the moment at which it begins; nobody waits for it."""
        self._run("pg_dump", "--format=custom", f"--dbname={self.name}", stdout=target)

    def load(self, source: IO[bytes]) -> None:
        """Into a database of its own, beside the one that serves."""
        name = f"{self.name}_restoring"
        self._psql(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"
            f"CREATE DATABASE {name} OWNER {self._owner} TEMPLATE template0 ENCODING 'UTF8' "
            "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8';\n"
            f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC;\n"
            f"GRANT CONNECT ON DATABASE {name} TO {self._others};"
        )
        # Comments on extensions are for their owners to write, and nobody reads them.
        options = ["--no-owner", f"--role={self._owner}", "--no-comments", "--exit-on-error"]
        self._run("pg_restore", *options, f"--dbname={name}", stdin=source)

    def swap(self) -> None:
        """What was loaded takes the place of what was there."""
        self._psql(
            f"DROP DATABASE IF EXISTS {self.name}_before WITH (FORCE);\n"
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname IN ('{self.name}', '{self.name}_restoring');\n"
            "BEGIN;\n"
            f"ALTER DATABASE {self.name} RENAME TO {self.name}_before;\n"
            f"ALTER DATABASE {self.name}_restoring RENAME TO {self.name};\n"
            "COMMIT;\n"
            f"DROP DATABASE {self.name}_before WITH (FORCE);"
        )

    def give_up(self) -> None:
        """What was loaded, and is not wanted, goes."""
        self._psql(f"DROP DATABASE IF EXISTS {self.name}_restoring WITH (FORCE);")
