"""What a run puts on a host."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from .conftest import Host, changes
from .plugin import TreeError, action


def test_files_links_and_directories_arrive_with_owner_and_mode(host: Host) -> None:
    result = host.run(
        host.file("etc/app.conf", "a = 1\n", "0640", owner="daemon", group="daemon"),
        host.directory("data", "2770", group="daemon"),
        host.link("etc/current", "app.conf"),
    )
    daemon = pwd.getpwnam("daemon")
    status = os.stat(host.path("etc/app.conf"))
    assert (status.st_uid, status.st_gid, host.mode("etc/app.conf")) == (
        daemon.pw_uid,
        daemon.pw_gid,
        0o640,
    )
    assert host.mode("data") == 0o2770
    assert os.readlink(host.path("etc/current")) == "app.conf"
    assert changes(result, host) == {
        "etc": "created",
        "etc/app.conf": "created",
        "data": "created",
        "etc/current": "created",
    }


def test_a_second_run_changes_nothing_and_touches_nothing(host: Host) -> None:
    files = [host.file("etc/a", "a\n"), host.link("l", "etc/a"), host.directory("d", "0750")]
    host.run(*files)
    inodes = {name: os.lstat(host.path(name)).st_ino for name in ("etc/a", "l", "d")}
    written = host.manifest().stat().st_mtime_ns
    result = host.run(*files)
    assert result["changed"] is False
    assert changes(result, host) == {}
    assert {name: os.lstat(host.path(name)).st_ino for name in inodes} == inodes
    assert host.manifest().stat().st_mtime_ns == written


def test_each_file_says_how_it_changed(host: Host) -> None:
    host.run(host.file("a", "1\n"), host.file("b", "1\n"), host.file("c", "1\n"))
    result = host.run(host.file("a", "2\n"), host.file("b", "1\n", "0600"), host.file("d", "1\n"))
    assert changes(result, host) == {
        "a": "updated",
        "b": "permissions",
        "c": "removed",
        "d": "created",
    }
    assert host.mode("b") == 0o600


def test_setgid_survives_the_change_of_owner(host: Host) -> None:
    host.run(host.file("tool", "x\n", "2755", group="daemon"))
    assert host.mode("tool") == 0o2755


def test_a_link_at_the_path_is_replaced_and_its_target_left_alone(host: Host) -> None:
    host.write("precious", "do not touch\n")
    os.symlink(host.path("precious"), host.path("app.conf"))
    host.run(host.file("app.conf", "ours\n"))
    assert host.read("precious") == "do not touch\n"
    assert not os.path.islink(host.path("app.conf"))
    assert host.read("app.conf") == "ours\n"


def test_a_link_that_points_elsewhere_is_turned(host: Host) -> None:
    host.run(host.link("current", "releases/1"))
    assert changes(host.run(host.link("current", "releases/2")), host) == {"current": "updated"}
    assert os.readlink(host.path("current")) == "releases/2"


def test_a_reader_sees_the_old_file_or_the_new_one_never_half(host: Host) -> None:
    host.run(host.file("a", "old\n"))
    with open(host.path("a")) as reader:
        host.run(host.file("a", "new\n"))
        assert reader.read() == "old\n"
    assert host.read("a") == "new\n"


def test_missing_parents_are_roots_whatever_the_umask(host: Host) -> None:
    os.umask(0o077)
    host.run(host.file("a/b/c.conf", "x\n", "0600", owner="daemon"))
    for name in ("a", "a/b"):
        assert (os.stat(host.path(name)).st_uid, host.mode(name)) == (0, 0o755)
    assert host.manifests.stat().st_mode & 0o777 == 0o755


def test_parents_that_exist_keep_their_owner_and_mode(host: Host) -> None:
    os.mkdir(host.path("a"), 0o700)
    os.chown(host.path("a"), 1, 1)
    host.run(host.file("a/b", "x\n"))
    assert (os.stat(host.path("a")).st_uid, host.mode("a")) == (1, 0o700)


@pytest.mark.parametrize(
    ("there", "listed"),
    [("directory", "file"), ("directory", "link"), ("link", "directory"), ("fifo", "file")],
)
def test_what_is_not_ours_to_replace_stops_the_run_before_anything(
    host: Host, there: str, listed: str
) -> None:
    if there == "directory":
        os.mkdir(host.path("x"))
    elif there == "link":
        os.symlink("/var", host.path("x"))
    else:
        os.mkfifo(host.path("x"))
    entry = {
        "file": host.file("x", "x"),
        "link": host.link("x", "y"),
        "directory": host.directory("x"),
    }[listed]
    before = host.everything()
    with pytest.raises(TreeError, match="move it away"):
        host.run(host.file("first", "x"), entry)
    assert host.everything().keys() - before.keys() == {
        str(path) for path in (host.manifests, host.manifests / "site", host.manifest().parent)
    }


def test_a_parent_that_is_a_file_is_named(host: Host) -> None:
    host.write("etc", "a file\n")
    with pytest.raises(TreeError, match=r"host/etc is not a directory"):
        host.run(host.file("etc/app.conf", "x"))


def test_a_file_of_ours_may_become_a_directory(host: Host) -> None:
    host.run(host.file("include", "x\n"))
    host.run(host.directory("include"), host.file("include/a", "x\n"))
    assert host.read("include/a") == "x\n"


def test_unknown_owners_end_a_real_run_and_count_as_a_change_in_check_mode(host: Host) -> None:
    entry = host.file("a", "x", owner="nobody-of-that-name", group="no-such-group")
    host.write("a", "x")
    assert changes(host.run(entry, check=True), host) == {"a": "permissions"}
    with pytest.raises(TreeError) as caught:
        host.run(entry)
    assert "no user nobody-of-that-name" in str(caught.value)
    assert "no group no-such-group" in str(caught.value)
    assert not host.manifests.exists()


def test_the_digest_follows_path_content_and_mode_and_not_the_order(host: Host) -> None:
    a, b = host.file("a", "1"), host.file("b", "2")
    digest = host.run(a, b)["digest"]
    assert host.run(b, a)["digest"] == digest
    assert host.run(a, b, check=True)["digest"] == digest
    other = {
        host.run(host.file("a", "9"), b)["digest"],
        host.run(host.file("a", "1", "0600"), b)["digest"],
        host.run(host.file("c", "1"), b)["digest"],
        host.run(host.link("a", "1"), b)["digest"],
    }
    assert len(other | {digest}) == 5


def test_a_full_disk_leaves_every_file_as_it_was(host: Host, tmp_path: Path) -> None:
    """The last file does not fit: the ones before it are not installed either."""
    small = tmp_path / "host" / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=256k none {small}") != 0:  # noqa: S605
        pytest.skip("may not mount a small file system")
    try:
        host.run(host.file("small/a", "old\n"))
        with pytest.raises(TreeError, match="No space left"):
            host.run(host.file("small/a", "new\n"), host.file("small/z", "x" * 400_000))
        assert host.read("small/a") == "old\n"
        assert os.listdir(small) == ["a"]
    finally:
        os.system(f"umount {small}")  # noqa: S605


def test_content_travels_unharmed(host: Host) -> None:
    content = "Grüße 🗞\n\ttab 'quote' \"double\" {{ not rendered }} \\n back\\slash\n\n"
    host.run(host.file("a", content))
    assert host.read("a") == content
    assert len(action.pack([host.file("big", "line\n" * 100_000)])) < 5_000
