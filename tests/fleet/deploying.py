"""A server that is deployed to again and again, by SSH, from a source that the test changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import paths
from .hosts import CommandError, Host
from .remote import reached
from .test_newcomer import SECONDS
from .visitor import Visitor

SITE = paths.REPOSITORY / "tests" / "sites" / "gazette"
CROWD_VIEW = Path(__file__).with_name("crowd_view.py")
ROUTE = 'urlpatterns = [\n    path("load/", load.view),'

STORAGE = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
HASHED = f"""
STORAGES = {{
    "default": {{"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    "staticfiles": {{"BACKEND": "{STORAGE}"}},
}}
"""


@dataclass
class Server:
    """A host, a source of its own, and the controller's commands for both."""

    host: Host
    port: int
    variables: Path
    source: Path
    # What the newest change of the source is called; a page says it.
    version: int = 0
    # What the controller's commands are put behind.
    behind: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def visitor(self) -> Visitor:
        return Visitor(self.address)

    def set(self, **changed: Any) -> None:
        """Variables of the inventory, from now on."""
        self.variables.write_text(json.dumps(json.loads(self.variables.read_text()) | changed))

    def words(self, playbook: str, *words: str) -> list[str]:
        ansible = str(Path(sys.executable).with_name("ansible-playbook"))
        own = ["-i", "inventory/local", "-e", f"@{self.variables}", playbook, *words]
        return [*self.behind, ansible, *own]

    def start(self, playbook: str, *words: str) -> subprocess.Popen[str]:
        """Begin a run, in a process group of its own, so that it can be killed with what it has."""
        return subprocess.Popen(
            self.words(playbook, *words),
            cwd=paths.REPOSITORY,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, playbook: str, *words: str, timeout: float = SECONDS) -> str:
        """Run a playbook to its end, and return what it said. Raises CommandError."""
        code, said = self.end(self.start(playbook, *words), timeout)
        if code:
            raise CommandError(f"{playbook} {words} exits {code}: {said[-8000:]}")
        return said

    def refused(self, playbook: str, *words: str, timeout: float = SECONDS) -> str:
        """Run a playbook that has to fail, and return what it said."""
        code, said = self.end(self.start(playbook, *words), timeout)
        assert code not in (None, 0), said[-4000:]
        return said

    @staticmethod
    def end(run: subprocess.Popen[str], timeout: float = SECONDS) -> tuple[int, str]:
        try:
            said, _ = run.communicate(timeout=timeout)
        finally:
            if run.poll() is None:
                os.killpg(run.pid, 9)
                run.communicate()
        return run.returncode, said

    def change(self) -> str:
        """Another version of sound code, and the text by which its pages are known."""
        self.version += 1
        mark = f"edition {self.version}."
        shutil.rmtree(self.source, ignore_errors=True)
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3")
        shutil.copytree(SITE, self.source, ignore=ignored)
        self.edit("templates/base.html", "</body>", f"<!-- {mark} --></body>")
        # Under its own name, and under one with a digest that the manifest knows.
        self.edit("static/gazette.css", "", f"/* {mark} */\n")
        self.edit("gazette/settings.py", "", HASHED)
        view = CROWD_VIEW.read_text().replace("edition 0.", mark)
        (self.source / "news" / "load.py").write_text(view)
        self.edit("gazette/urls.py", "urlpatterns = [", "from news import load\n\nurlpatterns = [")
        self.edit("gazette/urls.py", "urlpatterns = [", ROUTE)
        return mark

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the source; "" is the file's end."""
        path = self.source / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1) if old else text + new)

    def daemons(self) -> dict[int, str]:
        """Process ids and command lines of everything that serves the site."""
        every = self.host.processes()
        ours = re.compile(r"gunicorn|nginx|redis-server")
        return {pid: command for pid, command in every.items() if ours.search(command)}

    def links(self) -> str:
        """What serves: both instances' links and the release that is current."""
        home = "/srv/gazette"
        return self.host.run(
            f"readlink {home}/live/main.sock {home}/live/admin.sock {home}/current"
        ).stdout


@contextmanager
def server(place: Path, **given: Any) -> Iterator[Server]:
    """A fresh server for the bundled site's inventory, reached by SSH."""
    with reached("bookworm", place) as (host, port, variables):
        file, source = place / "variables.json", place / "site"
        own = {"ansible_connection": "ssh", "site_source": str(source)}
        file.write_text(json.dumps(variables | own | given))
        found = Server(host, port, file, source)
        found.change()
        yield found
