"""A site that counts visits in its session, over a store that a test may end."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.trial import Site

PROJECT = Path(__file__).with_name("project")

# A browser that stays from one question to the next, and what the operator gets to see of each.
PRELUDE = """
import asyncio, time
import counter
from django.core import mail
from django.test import AsyncClient, Client

def get(path, client=None):
    client = client or counter.browser
    begun = time.monotonic()
    reply = client.get(path)
    if asyncio.iscoroutine(reply):
        reply = asyncio.run(reply)
    return {"status": reply.status_code, "body": reply.content.decode(),
            "cookies": sorted(reply.cookies), "headers": dict(reply.headers),
            "seconds": time.monotonic() - begun, "log": log.getvalue().splitlines(),
            "mails": len(mail.outbox), "key": client.cookies["sessionid"].value}

mail.outbox = []
"""
SIGN_IN = """
counter.browser = {kind}(raise_request_exception=False)
assert get("/enter/?name=ada")["body"] == "signed in"
answer = get("/count/")
"""


class Counter(Site):
    def does(self, code: str) -> Any:
        return self.ask("admin", PRELUDE + textwrap.dedent(code))

    def signs_in(self, kind: str = "Client") -> dict[str, Any]:
        """With a new browser; what the first visit gives."""
        first: dict[str, Any] = self.does(SIGN_IN.format(kind=kind))
        assert first["body"] == "1"
        return first

    def gets(self, path: str) -> dict[str, Any]:
        reply: dict[str, Any] = self.does(f"answer = get({path!r})")
        return reply


@contextmanager
def counter(place: Path, engine: str, store: str) -> Iterator[Counter]:
    environment = {"COUNTER_PLACE": str(place), "COUNTER_ENGINE": engine, "COUNTER_STORE": store}
    (place / "settings").mkdir()
    (place / "settings" / "split_admin.py").write_text("from counter.settings import *\n")
    with Counter(PROJECT, "counter.settings", place, environment=environment) as site:
        site.manage("admin", "migrate", "-v0")
        site.ask(
            "admin",
            "from django.contrib.auth.models import User; User.objects.create(username='ada')",
        )
        yield site
