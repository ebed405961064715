"""SITE-watch on real stores: it says what is near its end, and fails then."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from template_cases import Render
from test_template_store import folder, moved, needs_memcached, needs_redis, redis_store, running

from tests.sessions.test_store_network import free_port
from tests.support.authority import Authority

__all__ = ["folder"]


def watch(text: str, place: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the rendered script with its stores below ``place``."""
    text = text.replace("/run/{SITE}", str(place)).replace("/etc/django-split/{SITE}", str(place))
    script = place / "watch"
    script.write_text(text)
    words = [sys.executable, str(script), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    rows = json.loads(done.stdout)
    plain = subprocess.run(words[:2], capture_output=True, text=True, timeout=60, check=False)
    assert plain.returncode == done.returncode
    assert plain.stdout.count("NOT WELL") == sum(not row["ok"] for row in rows)
    return done.returncode, {row["name"]: row for row in rows}


@pytest.fixture
def lenient(plain: Render) -> str:
    """This machine's own disks are not what is tried."""
    return plain("bin/watch.py.j2", watch_disk_percent=101)


def fill(client: redis.Redis) -> None:
    for number in range(400):
        client.set(f"gazette:session:{number}", "x" * 4096, ex=600)


@needs_redis
def test_a_store_that_fills_up_is_told(plain: Render, lenient: str, folder: Path) -> None:
    text = plain("redis/store.conf.j2", session_store_memory="16mb")
    with redis_store(folder, text) as (client, _):
        status, rows = watch(lenient, folder)
        assert status == 0, rows
        assert rows["store.memory"]["seen"].endswith("% of 16 MB")
        assert rows["store.log"]["seen"].startswith("written")
        for number in range(130):
            client.set(f"gazette:session:{number}", "x" * 100_000, ex=600)
        status, rows = watch(lenient, folder)
        assert status == 1
        assert not rows["store.memory"]["ok"]
        assert rows["store.log"]["ok"]


@needs_redis
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to fill a disk of its own")
def test_a_log_that_does_not_reach_the_disk_is_told(
    plain: Render, lenient: str, folder: Path
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder / "data")]
    subprocess.run(mount, check=True)
    try:
        with redis_store(folder, plain("redis/store.conf.j2")) as (client, _):
            with (
                contextlib.suppress(OSError),
                (folder / "data" / "full").open("wb", buffering=0) as full,
            ):
                while full.write(b"x" * 4096):
                    pass
            refused = pytest.raises((redis.ResponseError, redis.ConnectionError))
            with refused:
                fill(client)
            status, rows = watch(lenient, folder)
            assert status == 1
            assert "aof_last_write_status: err" in rows["store.log"]["seen"]
    finally:
        subprocess.run(["umount", "--lazy", str(folder / "data")], check=True)


@needs_redis
def test_who_watches_sees_no_session(plain: Render, folder: Path) -> None:
    with redis_store(folder, plain("redis/store.conf.j2", store_name="store")) as (client, _):
        client.set("gazette:session:a", "x", ex=600)
        url = f"unix://{folder}/store/store.sock?db=0"
        watcher = redis.Redis.from_url(url, username="watch")
        assert watcher.info("memory")["maxmemory"] > 0
        for words in ("GET gazette:session:a", "SCAN 0", "DEL gazette:session:a", "CONFIG GET dir"):
            with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
                watcher.execute_command(*words.split())
        watcher.close()


@needs_redis
def test_a_store_that_others_reach_is_asked_by_tls(plain: Render, folder: Path) -> None:
    authority = Authority(folder)
    issued = authority.issue("127.0.0.1")
    (folder / "tls").mkdir()
    shutil.copy(authority.file, folder / "tls" / "ca.pem")
    (folder / "watch-password").write_text("of-who-watches\n")
    users = (
        "user default reset off\n"
        "user watch reset on >of-who-watches resetchannels -@all +info +auth\n"
    )
    (folder / "store.acl").write_text(users)
    port = free_port()
    (folder / "node.conf").write_text(
        f"port 0\ntls-port {port}\nbind 127.0.0.1\nunixsocket {folder}/store/store.sock\n"
        f"tls-cert-file {issued.certificate}\ntls-key-file {issued.key}\n"
        f"tls-ca-cert-file {authority.file}\ntls-auth-clients no\n"
        f"aclfile {folder}/store.acl\nmaxmemory 64mb\nappendonly yes\ndir {folder}\n"
    )
    node = {"address": "127.0.0.1", "port": port}
    text = plain("bin/watch.py.j2", watch_stores=[], watch_node=node, watch_disk_percent=101)
    with running(["redis-server", str(folder / "node.conf")], folder):
        deadline = time.monotonic() + 20
        while (seen := watch(text, folder))[0] != 0:
            assert time.monotonic() < deadline, seen
        assert seen[1]["store.memory"]["seen"].endswith("% of 64 MB")
        assert seen[1]["store.log"]["seen"].startswith("written")
        (folder / "watch-password").write_text("another\n")
        status, rows = watch(text, folder)
        assert status == 1
        assert "WRONGPASS" in rows["store.memory"]["seen"]
    assert "does not answer" in watch(text, folder)[1]["store.memory"]["seen"]


@needs_memcached
def test_memcached_is_asked_too(plain: Render, lenient: str, folder: Path) -> None:
    script = folder / "start"
    script.write_text(moved(plain("memcached/store.sh.j2"), folder))
    user = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder / "store", "nobody", "nogroup")
    with running(["sh", str(script)], folder, **user):
        status, rows = watch(lenient, folder)
        assert status == 0, rows
        assert rows["store.memory"]["seen"] == "0% of 64 MB"
        assert "store.log" not in rows


def test_a_store_that_is_away_and_a_full_disk_are_told(plain: Render, folder: Path) -> None:
    status, rows = watch(plain("bin/watch.py.j2", watch_disk_percent=1), folder)
    assert status == 1
    assert "does not answer" in rows["store.memory"]["seen"]
    assert not rows["disk.space"]["ok"]


def test_the_certificate_counts(plain: Render, folder: Path) -> None:
    script = folder / "certificate"
    script.write_text("#!/bin/sh\necho 'localhost: the certificate ends within 14 days'\nexit 1\n")
    script.chmod(0o755)
    text = plain(
        "bin/watch.py.j2", watch_stores=[], watch_disk_percent=101, watch_certificate=str(script)
    )
    status, rows = watch(text, folder)
    assert status == 1
    assert rows["certificate"]["seen"].endswith("within 14 days")
