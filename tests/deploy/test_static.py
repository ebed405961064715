"""Static files on their way to visitors: what each step shows, and what it leaves as it was."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load

from .conftest import RunModule

static = load("module_utils", "split_static")
module = load("modules", "split_static")

OLD, NEW = "a" * 12, "b" * 12
DAYS = 2 * 24 * 60 * 60


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One release serves, another is built. Their site has a file with a digest in its name, one
    without, one that is the same in both, and the manifest.
    """
    (tmp_path / "shared" / "static").mkdir(parents=True)
    write(tmp_path, OLD, {"app.1111.css": "old", "app.css": "old", "img/logo.svg": "logo"})
    module.bring(*folders(tmp_path, OLD), "current", False)
    write(tmp_path, NEW, {"app.2222.css": "new", "app.css": "new", "img/logo.svg": "logo"})
    return tmp_path


def write(home: Path, release: str, files: dict[str, str]) -> Path:
    folder = home / "releases" / release
    for name, text in files.items():
        path = folder / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / ".complete").touch()
    return folder


def folders(home: Path, release: str) -> tuple[str, str]:
    return str(home / "releases" / release / "static"), str(home / "shared" / "static")


def shown(home: Path) -> dict[str, str]:
    folder = home / "shared" / "static"
    return {name: (folder / name).read_text() for name in static.names(str(folder))}


BEFORE = {"app.1111.css": "old", "app.css": "old", "img/logo.svg": "logo"}


def test_before_the_flip_only_names_that_nobody_knows_are_added(home: Path) -> None:
    done = module.bring(*folders(home, NEW), "added", False)
    assert shown(home) == BEFORE | {"app.2222.css": "new"}
    assert done == {"added": 1, "replaced": 0, "linked": 1, "closed": 0, "removed": 0}


def test_at_the_flip_names_show_what_serves_and_older_ones_stay(home: Path) -> None:
    module.bring(*folders(home, NEW), "added", False)
    module.bring(*folders(home, NEW), "current", False)
    assert shown(home) == BEFORE | {"app.2222.css": "new", "app.css": "new"}


def test_a_rollback_shows_what_it_went_back_to(home: Path) -> None:
    for release, state in ((NEW, "added"), (NEW, "current"), (OLD, "added"), (OLD, "current")):
        module.bring(*folders(home, release), state, False)
    assert shown(home)["app.css"] == "old"
    # And neither release has lost its own.
    assert (home / "releases" / NEW / "static" / "app.css").read_text() == "new"


def test_a_file_is_on_the_disk_once(home: Path) -> None:
    module.bring(*folders(home, NEW), "added", False)
    module.bring(*folders(home, NEW), "current", False)
    places = [home / "releases" / NEW / "static", home / "shared" / "static"]
    for name in ("app.2222.css", "app.css", "img/logo.svg"):
        one, other = (place / name for place in places)
        assert one.samefile(other), name
    # Also the one that both releases have: a third name.
    assert (places[1] / "img" / "logo.svg").stat().st_nlink == 3


@pytest.mark.parametrize("state", ["added", "current"])
def test_a_second_run_changes_nothing(home: Path, state: str) -> None:
    module.bring(*folders(home, NEW), state, False)
    assert not any(module.bring(*folders(home, NEW), state, False).values())
    assert not any(module.bring(*folders(home, NEW), state, True).values())


def test_check_mode_says_as_much_and_changes_nothing(home: Path) -> None:
    said = module.bring(*folders(home, NEW), "current", True)
    assert shown(home) == BEFORE
    assert said == module.bring(*folders(home, NEW), "current", False)


def test_where_there_can_be_no_links_files_are_copied(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(static.errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    done = module.bring(*folders(home, NEW), "current", False)
    assert done == {"added": 1, "replaced": 1, "linked": 0, "closed": 0, "removed": 0}
    assert shown(home)["app.css"] == "new"
    assert not any(module.bring(*folders(home, NEW), "current", False).values())


def test_what_a_killed_run_left_at_the_top_is_nobodys(home: Path) -> None:
    for place in folders(home, NEW):
        Path(place, static.NEW).write_text("half")
    module.bring(*folders(home, NEW), "current", False)
    assert "half" not in shown(home).values()
    assert not list(home.rglob(static.NEW))


def test_a_folder_where_a_file_was_and_the_other_way(home: Path) -> None:
    own = home / "releases" / NEW / "static"
    (own / "app.css").unlink()
    (own / "app.css").mkdir()
    (own / "app.css" / "part").write_text("new")
    shutil.rmtree(own / "img")
    (own / "img").write_text("a file now")
    module.bring(*folders(home, NEW), "added", False)
    assert shown(home) == BEFORE | {"app.2222.css": "new"}
    module.bring(*folders(home, NEW), "current", False)
    assert shown(home)["app.css/part"] == "new"
    assert shown(home)["img"] == "a file now"
    assert not any(module.bring(*folders(home, NEW), "current", False).values())


def test_a_link_is_shown_as_one_and_followed_nowhere(home: Path, tmp_path: Path) -> None:
    own, shared = (Path(each) for each in folders(home, NEW))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "app.css").write_text("not ours")
    (own / "newest.css").symlink_to("app.2222.css")
    # A folder's name in the shared folder leads elsewhere, where nothing may be written.
    shutil.rmtree(shared / "img")
    (shared / "img").symlink_to(outside)
    module.bring(*folders(home, NEW), "current", False)
    assert os.readlink(shared / "newest.css") == "app.2222.css"
    assert shown(home)["img/logo.svg"] == "logo"
    assert os.listdir(outside) == ["app.css"]
    assert not any(module.bring(*folders(home, NEW), "current", False).values())


def test_neither_folder_is_left_writable_for_the_group_that_main_is_in(home: Path) -> None:
    own, shared = (Path(each) for each in folders(home, NEW))
    (own / "app.2222.css").chmod(0o664)
    (own / "img").chmod(0o2775)
    (shared / "img").chmod(0o2777)
    (own / "elsewhere").symlink_to(home)
    home.chmod(0o775)
    assert module.bring(str(own), str(shared), "added", True)["closed"] == 3
    assert module.bring(str(own), str(shared), "added", False)["closed"] == 3
    modes = {path.stat().st_mode & 0o7777 for path in (own / "img", shared / "img")}
    assert modes == {0o2755}
    assert (shared / "app.2222.css").stat().st_mode & 0o7777 == 0o644
    assert home.stat().st_mode & 0o7777 == 0o775
    assert module.bring(str(own), str(shared), "added", False)["closed"] == 0


def test_what_no_release_has_goes_after_a_day_with_its_folder(home: Path) -> None:
    shared = home / "shared" / "static"
    (shared / "gone").mkdir()
    (shared / "gone" / "old.css").write_text("nobody's")
    (shared / "gone" / "older.css").write_text("nobody's")
    trees = module.known(str(home / "releases"), [OLD], [NEW])
    assert trees == [folders(home, OLD)[0]]
    now = (shared / "gone" / "old.css").stat().st_ctime
    assert module.clear(str(shared), trees, now + 60, False) == 0
    assert module.clear(str(shared), trees, now + DAYS, True) == 2
    assert "gone/old.css" in shown(home)
    assert module.clear(str(shared), trees, now + DAYS, False) == 3
    assert shown(home) == BEFORE
    assert not (shared / "gone").exists()
    assert module.clear(str(shared), trees, now + DAYS, False) == 0


def test_a_day_begins_when_the_last_release_that_had_it_goes(home: Path) -> None:
    shared = home / "shared" / "static"
    before = (shared / "app.1111.css").stat().st_ctime_ns
    shutil.rmtree(home / "releases" / OLD)
    assert (shared / "app.1111.css").stat().st_ctime_ns > before


def test_links_that_a_backup_has_not_kept_cost_nobody_a_file(home: Path) -> None:
    own, shared = folders(home, OLD)
    shutil.copytree(shared, f"{shared}.copy")
    shutil.rmtree(shared)
    os.rename(f"{shared}.copy", shared)
    trees = module.known(str(home / "releases"), [OLD, NEW], [])
    assert module.clear(shared, trees, Path(own).stat().st_ctime + DAYS, False) == 0
    assert module.bring(own, shared, "current", False)["linked"] == len(BEFORE)


def test_nothing_is_nobodys_while_a_kept_release_reads_the_shared_folder(home: Path) -> None:
    before = "c" * 12
    (home / "releases" / before).mkdir()
    assert module.known(str(home / "releases"), [OLD, NEW, before], []) == []
    # One that failed before it had any keeps nothing from going.
    assert len(module.known(str(home / "releases"), [OLD, NEW], [])) == 2


def bring(run_module: RunModule, home: Path, release: str, **more: object) -> dict[str, Any]:
    me = pwd.getpwuid(os.getuid()).pw_name
    words = {"home": str(home), "release": release, "state": "current", "user": me, **more}
    return run_module("split_static", **words)


def test_going_back_to_one_of_before_changes_nothing(home: Path, run_module: RunModule) -> None:
    before = home / "releases" / ("c" * 12)
    before.mkdir()
    (before / ".complete").touch()
    back = bring(run_module, home, before.name)
    assert (back["changed"], back["here"]) == (False, False)
    assert back["releases"] == [OLD, NEW, before.name]
    assert shown(home) == BEFORE


def test_a_host_with_static_files_alone_keeps_those_of_releases_that_are_kept(
    home: Path, run_module: RunModule
) -> None:
    releases = home / "releases"
    for name in (OLD, NEW):
        (releases / name / ".complete").unlink()
    guess = bring(run_module, home, NEW, releases=[OLD])
    assert guess["pruned"] == []
    seen = bring(run_module, home, NEW, releases=[NEW], state="added")
    assert (seen["pruned"], seen["changed"]) == ([], False)
    done = bring(run_module, home, NEW, releases=[NEW])
    assert (done["pruned"], done["changed"]) == ([OLD], True)
    assert os.listdir(releases) == [NEW]
    assert shown(home) == BEFORE | {"app.2222.css": "new", "app.css": "new"}
    assert bring(run_module, home, NEW, releases=[NEW])["changed"] is False


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_root_acts_as_the_owner_of_the_files(run_module: RunModule) -> None:
    """What the owner cannot write, a link of the owner's does not lead to either."""
    # Not pytest's own folder, which nobody else may look into.
    home = Path(tempfile.mkdtemp(prefix="static-", dir="/var/tmp"))
    try:
        home.chmod(0o755)
        (home / "shared" / "static").mkdir(parents=True)
        write(home, NEW, {"app.css": "new"})
        for folder in ("shared/static", f"releases/{NEW}/static"):
            subprocess.run(["chown", "-R", "nobody:nogroup", home / folder], check=True)
        assert bring(run_module, home, NEW, user="nobody")["added"] == 1
        (home / "shared" / "static" / "app.css").unlink()
        (home / "shared" / "static").chmod(0o755)
        os.chown(home / "shared" / "static", 0, 0)
        refused = bring(run_module, home, NEW, user="nobody")
        assert "/shared/static/.split-new: Permission denied" in refused["msg"]
        assert f"chown -R nobody {home}/shared/static" in refused["msg"]
        assert "run the same command again" in refused["msg"]
    finally:
        shutil.rmtree(home)
