"""Looking at a site's pages queues no task and reports no error: with real Celery and Sentry."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.stores import redis_store
from tests.support.trial import REPOSITORY, Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

PRESS = REPOSITORY / "tests" / "unit" / "projects" / "press"

SETTINGS = """
import os, celery, sentry_sdk
sentry_sdk.init(dsn=f"http://key@127.0.0.1:{os.environ['SENTRY_PORT']}/1")
queue = celery.Celery("press", broker=os.environ["BROKER"])
queue.set_default()
"""
VIEW = """

import celery


@celery.shared_task
def work():
    pass


def says(request):
    return HttpResponse(f"queued {bool(work.delay().id)}")
"""
CRAWL = """
import json
from django_split.analysis import steps
limits = {"pages": 150, "seconds": 20}
answer = steps.base({"settings": "press.settings", "deploy": {}, **limits})
print(json.dumps({page["path"]: page["status"] for page in answer["pages"]["pages"]}))
"""
QUEUED = """
import os, redis
print(redis.from_url(os.environ["BROKER"]).keys("*"))
"""


@pytest.fixture
def reported() -> Iterator[tuple[int, list[str]]]:
    """A server in Sentry's place: its port, and what it was sent."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, seen
        server.shutdown()


def test_tasks_and_errors_of_a_crawl_stay_inside(
    tmp_path: Path, reported: tuple[int, list[str]]
) -> None:
    python = virtualenv(
        ["Django~=5.2.0", "celery==5.7.0", "sentry-sdk==2.75.0", "redis", "packaging"]
    )
    shutil.copytree(PRESS, tmp_path / "src")
    for name, text in {"settings.py": SETTINGS, "views.py": VIEW}.items():
        with (tmp_path / "src" / "press" / name).open("a") as file:
            file.write(text)
    port, seen = reported
    with redis_store(tmp_path / "broker.sock") as broker:
        environment = {"BROKER": f"redis+socket://{broker}", "SENTRY_PORT": str(port)}
        site = Site(
            tmp_path / "src", "press.settings", tmp_path, str(python), environment=environment
        )
        statuses = json.loads(site.run(["-c", CRAWL]).stdout)
        site.environment["BROKER"] = f"unix://{broker}"
        queued = site.run(["-c", QUEUED]).stdout
    assert (statuses["/says/"], statuses["/wrong/"]) == (200, 500)
    assert queued.strip() == "[]"
    assert seen == []
