"""A real MariaDB of a test's own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Lines of settings: a database driver without C, in the place of the one that Django wants.
DRIVER = """
import pymysql
pymysql.version_info, pymysql.__version__ = (2, 2, 1, "final", 0), "2.2.1"
pymysql.install_as_MySQLdb()
"""


@contextmanager
def mariadb_server(*statements: str) -> Iterator[str]:
    """A server on a unix socket only, on which the statements were run; gives the socket's path.

    Its user is root, without a password.
    """
    pytest.importorskip("pymysql", reason="needs PyMySQL: pip install -r requirements-test.txt")
    if shutil.which("mariadbd") is None:
        pytest.skip("needs MariaDB: apt-get install mariadb-server")
    with tempfile.TemporaryDirectory(prefix="split-my-") as place:
        shutil.chown(place, "mysql")
        data, socket = f"--datadir={place}/data", f"{place}/s"
        plain = ["--no-defaults", "--user=mysql", data]
        subprocess.run(
            ["mariadb-install-db", *plain, "--auth-root-authentication-method=normal"],
            check=True,
            capture_output=True,
        )
        quiet = subprocess.DEVNULL
        server = subprocess.Popen(
            ["mariadbd", *plain, f"--socket={socket}", "--skip-networking"],
            stdout=quiet,
            stderr=quiet,
        )
        try:
            ask = ["mariadb", "--no-defaults", f"--socket={socket}", "-e", ";".join(statements)]
            deadline = time.monotonic() + 60
            while subprocess.run(ask, capture_output=True).returncode:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            yield socket
        finally:
            server.terminate()
            server.wait(timeout=60)
