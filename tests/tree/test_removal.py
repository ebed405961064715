"""What a run takes away, and what it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from .conftest import Host, changes
from .plugin import TreeError, manifest


def test_what_is_no_longer_listed_goes_with_its_empty_directories(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("sites/s/b", "x\n"), host.link("sites/l", "b"))
    result = host.run(host.file("a", "x\n"))
    assert changes(result, host) == {
        "sites/s/b": "removed",
        "sites/s": "removed",
        "sites/l": "removed",
        "sites": "removed",
    }
    assert os.listdir(host.path("")) == ["a"]


def test_check_mode_foretells_the_removal_exactly(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("sites/s/b", "x\n"), host.directory("d"))
    before = host.everything()
    foretold = host.run(host.file("a", "x\n"), check=True)
    assert host.everything() == before
    assert foretold["files"] == host.run(host.file("a", "x\n"))["files"]


def test_a_file_that_somebody_changed_stays_and_is_named(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("b", "x\n"))
    host.write("b", "mended by hand\n")
    result = host.run(host.file("a", "x\n"))
    assert changes(result, host) == {"b": "kept"}
    assert result["changed"] is False
    assert [host.path("b") in warning for warning in result["warnings"]] == [True]
    assert host.read("b") == "mended by hand\n"
    # It stays in the manifest: once it is as we wrote it, it goes.
    host.write("b", "x\n")
    assert changes(host.run(host.file("a", "x\n")), host) == {"b": "removed"}


def test_a_link_that_somebody_turned_stays(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.link("l", "a"))
    os.unlink(host.path("l"))
    os.symlink("elsewhere", host.path("l"))
    assert changes(host.run(host.file("a", "x\n")), host) == {"l": "kept"}


def test_a_directory_with_something_of_others_in_it_stays(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.directory("data"))
    host.write("data/db.sqlite3", "rows\n")
    result = host.run(host.file("a", "x\n"))
    assert changes(result, host) == {"data": "kept"}
    assert host.read("data/db.sqlite3") == "rows\n"


def test_a_path_that_nobody_listed_is_never_touched(host: Host) -> None:
    host.write("sites/foreign.conf", "x\n")
    host.run(host.file("sites/a", "x\n"))
    host.remove()
    assert host.read("sites/foreign.conf") == "x\n"


def test_a_file_that_was_there_before_us_is_not_ours_to_remove(host: Host) -> None:
    host.write("mime.types", "x\n")
    host.run(host.file("mime.types", "x\n"), host.file("a", "x\n"))
    assert changes(host.remove(force=True), host) == {"mime.types": "kept", "a": "removed"}
    assert host.read("mime.types") == "x\n"


def test_what_another_manifest_lists_stays_until_its_last_owner_goes(host: Host) -> None:
    shared = host.file("nginx.conf", "1\n")
    host.run(shared, site="one")
    host.run(shared, host.file("two", "x\n"), site="two")
    assert changes(host.remove(site="one"), host) == {"nginx.conf": "kept"}
    assert changes(host.remove(site="two"), host) == {"nginx.conf": "removed", "two": "removed"}


def test_the_last_owner_may_remove_what_another_wrote_last(host: Host) -> None:
    """Site one brings a newer nginx.conf than two has seen, then goes."""
    host.run(host.file("nginx.conf", "1\n"), site="one")
    host.run(host.file("nginx.conf", "1\n"), site="two")
    host.run(host.file("nginx.conf", "2\n"), site="one")
    host.remove(site="one")
    assert changes(host.remove(site="two"), host) == {"nginx.conf": "removed"}


def test_a_parent_made_for_one_site_goes_with_the_last(host: Host) -> None:
    host.run(host.file("etc/split/one.conf", "x\n"), site="one")
    host.run(host.file("etc/split/two.conf", "x\n"), site="two")
    host.remove(site="one")
    host.remove(site="two")
    assert os.listdir(host.path("")) == []


def test_manifests_beside_ours_count_too(host: Host) -> None:
    host.run(host.file("a", "x\n"), role="redis")
    host.run(host.file("a", "x\n"), host.file("b", "x\n"), role="nginx")
    assert changes(host.run(host.file("b", "x\n"), role="nginx"), host) == {"a": "kept"}
    assert host.read("a") == "x\n"


def test_while_another_manifest_cannot_be_read_nothing_is_removed(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("b", "x\n"))
    broken = host.manifest(site="other")
    broken.parent.mkdir(parents=True)
    broken.write_text("{ half a mani")
    result = host.run(host.file("a", "x\n"))
    assert changes(result, host) == {"b": "kept"}
    assert str(broken) in result["warnings"][0]
    broken.unlink()
    assert changes(host.run(host.file("a", "x\n")), host) == {"b": "removed"}


def test_other_json_beside_a_manifest_is_not_taken_for_one(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("b", "x\n"))
    (host.manifest().parent / "plan.json").write_text('{"format": 1, "verdict": {}}')
    (host.manifest().parent / "list.json").write_text("[]")
    assert changes(host.run(host.file("a", "x\n")), host) == {"b": "removed"}


def test_a_broken_manifest_of_our_own_stops_the_run_and_says_the_mend(host: Host) -> None:
    host.run(host.file("a", "x\n"))
    host.manifest().write_text("")
    with pytest.raises(TreeError, match=f"mv {host.manifest()} "):
        host.run(host.file("a", "y\n"))
    assert host.read("a") == "x\n"


def test_a_manifest_of_a_later_version_is_not_guessed_at(host: Host) -> None:
    host.run(host.file("a", "x\n"))
    content = json.loads(host.manifest().read_text())
    host.manifest().write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(TreeError, match="format 2, this version knows 1"):
        host.run(host.file("a", "y\n"))


def test_uninstall_leaves_nothing(host: Host, tmp_path: Path) -> None:
    host.run(host.file("etc/a", "x\n"), host.directory("d/e", "0700"), host.link("etc/l", "a"))
    host.remove()
    assert os.listdir(host.path("")) == []
    assert [path.name for path in tmp_path.iterdir()] == ["host"]
    assert host.remove()["changed"] is False


def test_uninstall_keeps_changed_files_unless_forced(host: Host) -> None:
    host.run(host.file("a", "x\n"), host.file("b", "x\n"))
    host.write("b", "changed\n")
    result = host.remove()
    assert changes(result, host) == {"a": "removed", "b": "kept"}
    assert changes(host.remove(force=True), host) == {"b": "removed"}
    assert not host.manifest().exists()


def test_force_removes_no_directory_that_stands_where_our_file_was(host: Host) -> None:
    host.run(host.file("a", "x\n"))
    os.unlink(host.path("a"))
    host.write("a/precious", "x\n")
    host.remove(force=True)
    assert host.read("a/precious") == "x\n"


def test_force_removes_no_file_that_stands_where_our_directory_was(host: Host) -> None:
    host.run(host.directory("d"), host.file("a", "x\n"))
    os.rmdir(host.path("d"))
    host.write("d", "precious\n")
    assert changes(host.remove(force=True), host) == {"a": "removed", "d": "kept"}
    assert host.read("d") == "precious\n"


def test_the_manifest_is_roots_alone(host: Host) -> None:
    host.run(host.file("a", "x\n"))
    assert host.manifest().stat().st_mode & 0o777 == 0o600


def test_two_runs_at_once_wait_for_each_other(host: Host) -> None:
    host.run(host.file("a", "x\n"))
    with (
        manifest.locked(str(host.manifests)),
        pytest.raises(TreeError, match="another run"),
        manifest.locked(str(host.manifests), seconds=0.2),
    ):
        pass
