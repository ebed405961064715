"""Redis is killed while people sign in: what was acknowledged stays, and nobody is signed out."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.sessions.counters import counter
from tests.support.stores import redis_server

# In the site's process: one browser after the other signs in, and one that has done so before comes
# back, while the main thread waits for the next question.
VISITORS = """
import threading
from django.db import connections

counter.going, counter.acknowledged, counter.replies = True, [], []

def visit():
    while counter.going:
        new = Client(raise_request_exception=False)
        reply = new.get("/enter/?name=ada")
        if reply.status_code == 200:
            counter.acknowledged.append(new.cookies["sessionid"].value)
        old = Client(raise_request_exception=False)
        old.cookies["sessionid"] = counter.acknowledged[len(counter.acknowledged) // 2]
        back = old.get("/count/")
        who = old.get("/who/")
        counter.replies += [
            (reply.status_code, reply.content.decode(), sorted(reply.cookies)),
            (back.status_code, "", sorted(back.cookies)),
            (who.status_code, who.content.decode(), sorted(who.cookies)),
        ]
    connections.close_all()

first = Client()
first.get("/enter/?name=ada")
counter.acknowledged.append(first.cookies["sessionid"].value)
counter.visitors = [threading.Thread(target=visit) for _ in range(2)]
for visitor in counter.visitors:
    visitor.start()
"""
AFTERWARDS = """
counter.going = False
for visitor in counter.visitors:
    visitor.join()
lost = []
for key in counter.acknowledged:
    browser = Client()
    browser.cookies["sessionid"] = key
    if browser.get("/who/").content != b"ada":
        lost.append(key)
answer = lost, len(counter.acknowledged), counter.replies
"""


@pytest.mark.slow
def test_twenty_kills_of_redis_lose_no_session_and_sign_nobody_out(tmp_path: Path) -> None:
    # In memory: what a dying process has given to the kernel stays; a slow disk would be the test's
    # own trouble.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    options = ("--appendonly", "yes", "--appendfsync", "everysec")
    with (
        redis_server(*options, under=memory) as server,
        counter(tmp_path, "redis", server.url) as site,
    ):
        site.does(VISITORS)
        for _ in range(20):
            time.sleep(0.15)
            server.restart(signal.SIGKILL)
        server.wait_until_loaded()
        lost, acknowledged, replies = site.does(AFTERWARDS)
    assert lost == []
    assert acknowledged > 40
    outages = [reply for reply in replies if reply[0] == 503]
    assert outages, "Redis was never away: the test shows nothing"
    assert all(cookies == [] for _, _, cookies in outages)
    others = {(status, body) for status, body, _ in replies if status != 503}
    assert others == {(200, "signed in"), (200, ""), (200, "ada")}
