"""Backups of what is being written to, and restores that leave all of one state or of another."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load
from tests.support.stores import Server, redis_server

load("modules", "split_backup")
from ansible.module_utils.split_backup import archive, log, parts, restore, sqlite  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: owners are kept")


class Quiet:
    """No process of a site runs here; what is started and stopped is written down."""

    name = "systemd"

    def __init__(self) -> None:
        self.done: list[str] = []

    def instances(self, template: str) -> list[str]:
        return [f"{template}1"]

    def running(self, name: str) -> bool:
        return not name.endswith("-purge")

    def stop(self, name: str) -> None:
        self.done.append(f"stop {name}")

    def start(self, name: str) -> None:
        self.done.append(f"start {name}")


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Quiet:
    quiet = Quiet()
    monkeypatch.setattr(restore, "manager_for", lambda site: quiet)
    return quiet


@pytest.fixture
def site(tmp_path: Path) -> dict[str, Any]:
    """The module's arguments for a site that is below a folder of the test's."""
    tmp_path.chmod(0o755)
    # pytest's own are closed to the database's owner; with xdist there is one more.
    for above in tmp_path.parents:
        if not above.name.startswith(("pytest-", "popen-")):
            break
        above.chmod(0o755)
    for name in ("data", "var", "media", "conf", "state/manifests", "state/store", "releases/1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/1")
    return {
        "site": "gazette",
        "directory": str(tmp_path / "backups"),
        "keep": 2,
        "folders": {name: str(tmp_path / name) for name in ("data", "var", "media")},
        "conf": str(tmp_path / "conf"),
        "state_folder": str(tmp_path / "state"),
        "releases": str(tmp_path / "releases"),
        "current": str(tmp_path / "current"),
        "stores": ["store"],
        "store_program": "redis",
        "database": {},
    }


@pytest.fixture
def database(site: dict[str, Any]) -> Path:
    """The site's SQLite, as its own user has it."""
    path = Path(site["folders"]["data"], "db.sqlite3")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE letter (number INTEGER, twice INTEGER)")
        connection.execute("INSERT INTO letter VALUES (0, 0)")
    connection.close()
    for each in (path.parent, *path.parent.iterdir()):
        shutil.chown(each, "nobody", "nogroup")
    path.chmod(0o660)
    return path


def members(path: str) -> list[str]:
    with tarfile.open(path) as read:
        return read.getnames()


def rows(path: Path) -> list[tuple[int, int]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT number, twice FROM letter").fetchall()
    finally:
        connection.close()


def test_a_database_is_saved_while_it_is_written(
    site: dict[str, Any], database: Path, manager: Quiet
) -> None:
    stop = threading.Event()

    def write() -> None:
        connection = sqlite3.connect(database, timeout=60)
        number = 0
        while not stop.is_set():
            number += 1
            with connection:  # both, or neither
                connection.execute("INSERT INTO letter VALUES (?, 0)", (number,))
                connection.execute("UPDATE letter SET twice = 2 * number")
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        saved = archive.save(site)
    finally:
        stop.set()
        writer.join()
    assert members(saved["path"]) == ["backup.json", "data/db.sqlite3"]
    assert not [each for each in database.parent.iterdir() if each.name.startswith(parts.OURS)]
    restore.restore({**site, "path": saved["path"]})
    found = rows(database)
    assert found
    assert all(twice == 2 * number for number, twice in found)
    assert sorted(each.name for each in database.parent.iterdir()) == ["db.sqlite3"]


def test_what_sqlite_makes_beside_a_database_is_its_owners(
    site: dict[str, Any], database: Path
) -> None:
    """Root's -wal and -shm would keep the site from writing for ever."""
    reader = sqlite3.connect(database)
    reader.execute("SELECT * FROM letter").fetchall()
    for each in database.parent.iterdir():
        shutil.chown(each, "nobody", "nogroup")
    with sqlite.copied(str(database)) as copy:
        owners = {os.stat(each).st_uid for each in [*database.parent.iterdir(), Path(copy)]}
    reader.close()
    assert owners == {os.stat(database).st_uid}


@pytest.fixture
def store(site: dict[str, Any]) -> Iterator[Server]:
    folder = Path(site["state_folder"], "store")
    with redis_server("--appendonly", "yes", "--dir", str(folder), "--save", "") as server:
        yield server


def test_sessions_are_saved_while_redis_writes_its_log_anew(
    site: dict[str, Any], store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        store.ask("SET", f"gazette:{number}", "x" * 1000)
    copy2, copied = shutil.copy2, []

    def rewritten_first(source: str, target: str) -> None:
        """Before the first file is copied, all of them are replaced."""
        copied.append(os.path.basename(source))
        if len(copied) == 1:
            store.ask("BGREWRITEAOF")
            store.ask("SET", "gazette:late", "x")
            while store.ask("INFO", "persistence")["aof_rewrite_in_progress"]:
                time.sleep(0.02)
            while os.path.exists(source):  # deleted by a thread of Redis'
                time.sleep(0.02)
        copy2(source, target)

    monkeypatch.setattr(log.shutil, "copy2", rewritten_first)
    folder = Path(site["state_folder"], "store", "appendonlydir")
    log.copy_log(str(folder), str(tmp_path / "copy" / "appendonlydir"))
    assert copied[0] not in os.listdir(tmp_path / "copy" / "appendonlydir")
    again = ("--appendonly", "yes", "--dir", str(tmp_path / "copy"), "--save", "")
    with redis_server(*again) as copy:
        copy.wait_until_loaded()
        assert copy.ask("DBSIZE") == 501


def test_a_folder_comes_back_as_it_was(site: dict[str, Any], manager: Quiet) -> None:
    media = Path(site["folders"]["media"])
    (media / "a" / "b").mkdir(parents=True)
    (media / "a").chmod(0o2775)
    (media / "a" / "letter.txt").write_text("Dear")
    shutil.chown(media / "a" / "letter.txt", "nobody", "nogroup")
    (media / "a" / "letter.txt").chmod(0o640)
    (media / "a" / "twin.txt").hardlink_to(media / "a" / "letter.txt")
    (media / "away").symlink_to("/etc/hostname")
    saved = archive.save(site)
    (media / "a" / "letter.txt").write_text("changed")
    (media / "late").mkdir()
    (media / "away").unlink()
    restore.restore({**site, "path": saved["path"]})
    found = sorted(str(each.relative_to(media)) for each in media.rglob("*"))
    assert found == ["a", "a/b", "a/letter.txt", "a/twin.txt", "away"]
    assert (media / "a" / "letter.txt").read_text() == "Dear"
    assert (media / "a" / "twin.txt").read_text() == "Dear"
    assert os.readlink(media / "away") == "/etc/hostname"
    status = os.stat(media / "a" / "letter.txt")
    assert (status.st_mode & 0o7777, status.st_uid) == (0o640, os.stat(media / "a/twin.txt").st_uid)
    assert os.stat(media / "a").st_mode & 0o7777 == 0o2775
    assert manager.done == [
        *("stop gazette-main@1", "stop gazette-admin@1", "stop gazette-store"),
    ]


def test_only_what_was_made_on_the_host_is_a_secret(site: dict[str, Any]) -> None:
    conf = Path(site["conf"])
    for name in ("superuser", "admin-secret-key", "store.conf"):
        (conf / name).write_text(f"{name}\n")
    (conf / "supervisor").mkdir()
    (conf / "supervisor" / "supervisord.conf").touch()
    written = [str(conf / "store.conf"), str(conf / "supervisor" / "supervisord.conf")]
    manifest = Path(site["state_folder"], "manifests", "store.json")
    manifest.write_text(json.dumps({"format": 1, "files": {path: {} for path in written}}))
    saved = archive.save(site)
    assert [name for name in members(saved["path"]) if name.startswith("secrets")] == [
        "secrets/admin-secret-key",
        "secrets/superuser",
    ]
    assert os.stat(saved["path"]).st_mode & 0o777 == 0o600
    assert os.stat(site["directory"]).st_mode & 0o777 == 0o700


def test_a_restored_key_is_in_the_environments_that_have_it(
    site: dict[str, Any], manager: Quiet
) -> None:
    key, release = Path(site["conf"], "admin-secret-key"), Path(site["releases"], "1")
    key.write_text("old-key\n")
    saved = archive.save(site)
    key.write_text("new-key\n")
    for name, text in (("admin", 'DJANGO_SPLIT_ADMIN_SECRET_KEY="new-key"\nA="1"\n'), ("main", "")):
        (release / f"{name}.env").write_text(text)
        (release / f"{name}.env").chmod(0o400)
        shutil.chown(release / f"{name}.env", "nobody", "root")
    restore.restore({**site, "path": saved["path"]})
    admin = release / "admin.env"
    assert admin.read_text() == 'DJANGO_SPLIT_ADMIN_SECRET_KEY="old-key"\nA="1"\n'
    assert (os.stat(admin).st_mode & 0o777, admin.owner()) == (0o400, "nobody")
    assert (release / "main.env").read_text() == ""


def test_what_deletes_expired_sessions_goes_on_where_no_timer_begins_it(manager: Quiet) -> None:
    restore.start(manager, ["gazette-purge", "gazette-store"])  # type: ignore[arg-type]
    assert manager.done == ["start gazette-store"]
    manager.name = "supervisor"
    restore.start(manager, ["gazette-purge"])  # type: ignore[arg-type]
    assert manager.done[1:] == ["start gazette-purge"]


def test_a_restore_that_fails_leaves_what_was_there(
    site: dict[str, Any], manager: Quiet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "media"):
        Path(site["folders"][name], "before").touch()
    saved = archive.save(site)
    for name in ("data", "media"):
        Path(site["folders"][name], "before").unlink()
        Path(site["folders"][name], "now").touch()
    rename, calls = os.rename, []

    def full(source: str, target: str) -> None:
        calls.append(source)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(restore.os, "rename", full)
    with pytest.raises(OSError, match="No space"):
        restore.restore({**site, "path": saved["path"]})
    for name in ("data", "media"):
        assert os.listdir(site["folders"][name]) == ["now"]
    assert manager.done[-3:] == [
        *("start gazette-store", "start gazette-admin@1", "start gazette-main@1"),
    ]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def smuggle(path: Path) -> None:
    with tarfile.open(path, "r:gz") as read:
        text = read.extractfile("backup.json")
        assert text is not None
        about = text.read()
    with tarfile.open(path, "w:gz") as write:
        for name, content in (("backup.json", about), ("media/../../etc/cron.d/x", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            write.addfile(member, io.BytesIO(content))


def something_else(path: Path) -> None:
    with tarfile.open(path, "w:gz") as write:
        write.add(__file__, "backup.json.py")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (cut, "not a whole one"),
        (spoil, "not a whole one"),
        (smuggle, "which no backup has"),
        (something_else, "no backup of django-split"),
        (Path.unlink, "not a whole one"),
    ],
)
def test_an_archive_that_is_no_use_is_refused_before_anything_changes(
    site: dict[str, Any], manager: Quiet, change: Callable[[Path], None], told: str
) -> None:
    media = Path(site["folders"]["media"], "large")
    media.write_bytes(os.urandom(200_000))
    saved = archive.save(site)
    change(Path(saved["path"]))
    media.write_text("kept")
    with pytest.raises(parts.BackupError, match=told):
        restore.restore({**site, "path": saved["path"]})
    assert media.read_text() == "kept"
    assert manager.done == []


def test_another_sites_backup_and_another_database_are_refused(site: dict[str, Any]) -> None:
    saved = archive.save(site)
    with pytest.raises(parts.BackupError, match='site "gazette", and site_name is "herald"'):
        archive.check(saved["path"], "herald")
    postgresql = {"name": "gazette", "owner": "x", "others": [], "port": 5432}
    with pytest.raises(parts.BackupError, match="site_database is postgresql"):
        restore.restore({**site, "path": saved["path"], "database": postgresql})


def test_sessions_of_another_program_stay_out(site: dict[str, Any], manager: Quiet) -> None:
    folder = Path(site["state_folder"], "store", "appendonlydir")
    folder.mkdir()
    (folder / "appendonly.aof.manifest").write_text("")
    saved = archive.save(site)
    told = restore.restore({**site, "path": saved["path"], "store_program": "valkey"})
    assert told["notes"] == [
        "sessions are not restored: they are of redis, and session_store is valkey"
    ]
    assert folder.is_dir()


def test_a_disk_without_room_is_told_and_nothing_is_left(
    site: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1000)
    Path(site["folders"]["media"], "large").write_bytes(b"x" * 5_000_000)
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(parts.BackupError, match="up to 5 MB to save"):
        archive.save(site)
    assert os.listdir(site["directory"]) == []


def test_old_archives_go_and_nobody_elses(site: dict[str, Any]) -> None:
    directory = Path(site["directory"])
    directory.mkdir()
    older = [f"gazette-2025010{day}T000000Z.tar.gz" for day in (1, 2, 3)]
    kept = ["gazette-two-20250101T000000Z.tar.gz", "gazette-2.txt"]
    for name in (*older, *kept):
        (directory / name).touch()
    saved = archive.save(site)
    assert saved["pruned"] == older[:2]
    left = {older[2], *kept, os.path.basename(saved["path"])}
    assert set(os.listdir(directory)) == left


def test_a_file_that_is_cut_off_meanwhile_spoils_nothing(site: dict[str, Any]) -> None:
    log_file = Path(site["folders"]["var"], "site.log")
    log_file.write_bytes(b"x" * 1000)

    class Shrinks:
        def read(self, size: int) -> bytes:
            return b"x" * 10

    assert len(archive._AsLong(Shrinks()).read(4096)) == 4096  # type: ignore[arg-type]
    assert "var/site.log" in members(archive.save(site)["path"])
