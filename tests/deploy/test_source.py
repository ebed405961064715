"""A release is named by what goes into it, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.support.plugins import REPOSITORY, load

source = load("action", "split_source")

WHO = ("-c", "user.name=t", "-c", "user.email=t@example.org")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    top = tmp_path / "site"
    (top / "mysite").mkdir(parents=True)
    (top / "manage.py").write_text("#!/usr/bin/env python\n")
    (top / "manage.py").chmod(0o755)
    (top / "mysite" / "settings.py").write_text("DEBUG = True\n")
    return top


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(source, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *WHO, "-C", folder, *words],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_a_copy_of_the_source_is_the_same_release(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "copy", symlinks=True)
    assert source.tree_digest(site) == source.tree_digest(tmp_path / "copy")


@pytest.mark.parametrize("change", ["content", "name", "executable bit", "link"])
def test_every_change_of_the_source_is_another_release(site: Path, change: str) -> None:
    (site / "link").symlink_to("manage.py")
    before = source.tree_digest(site)
    if change == "content":
        (site / "mysite" / "settings.py").write_text("DEBUG = False\n")
    elif change == "name":
        (site / "manage.py").rename(site / "managed.py")
    elif change == "executable bit":
        (site / "manage.py").chmod(0o644)
    else:
        (site / "link").unlink()
        (site / "link").symlink_to("mysite/settings.py")
    assert source.tree_digest(site) != before


def test_databases_caches_history_and_virtualenvs_are_no_part_of_a_release(site: Path) -> None:
    before = source.tree_digest(site)
    (site / "db.sqlite3").write_bytes(b"rows")
    (site / "db.sqlite3-wal").write_bytes(b"rows")
    (site / "mysite" / "__pycache__").mkdir()
    (site / "mysite" / "__pycache__" / "settings.cpython-311.pyc").write_bytes(b"code")
    (site / "env" / "lib").mkdir(parents=True)
    (site / "env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (site / "env" / "lib" / "thing.py").write_text("")
    assert source.tree_digest(site) == before


def test_what_git_ignores_is_no_part_of_a_release(site: Path) -> None:
    git(site, "init", "-q")
    (site / ".gitignore").write_text("local.py\n")
    before = source.tree_digest(site)
    (site / "local.py").write_text("PASSWORD = 'x'\n")
    assert source.tree_digest(site) == before
    (site / "new.py").write_text("")
    assert source.tree_digest(site) != before, "a file that is not committed yet counts"


def test_a_folder_that_the_repository_around_it_ignores_is_still_a_source(site: Path) -> None:
    git(site.parent, "init", "-q")
    (site.parent / ".gitignore").write_text("site/\n")
    assert [str(name) for name in source.source_files(site)] == ["manage.py", "mysite/settings.py"]


def test_the_archive_says_nothing_of_whose_files_they_were(site: Path, cache: Path) -> None:
    archive = source.pack("directory", str(site), source.tree_digest(site))
    with tarfile.open(archive) as tar:
        entries = {entry.name: entry for entry in tar}
    assert set(entries) == {"manage.py", "mysite/settings.py"}
    assert entries["manage.py"].mode == 0o750
    assert entries["mysite/settings.py"].mode == 0o640
    assert {entry.uid for entry in entries.values()} == {0}


def test_the_trial_and_the_release_unpack_one_archive(site: Path, cache: Path) -> None:
    digest = source.tree_digest(site)
    first = Path(source.pack("directory", str(site), digest))
    made = first.stat()
    assert (made.st_mode & 0o777, first.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert Path(source.pack("directory", str(site), digest)).stat().st_ino == made.st_ino
    # What nobody has used for a day goes; what somebody uses stays.
    (site / "manage.py").write_text("changed")
    os.utime(first, (0, 0))
    second = source.pack("directory", str(site), source.tree_digest(site))
    assert [str(path) for path in first.parent.iterdir()] == [second]


def test_a_git_version_is_the_commit_that_it_names(site: Path, cache: Path) -> None:
    git(site, "init", "-q", "-b", "main")
    git(site, "add", ".")
    git(site, "commit", "-qm", "one")
    first = git(site, "rev-parse", "HEAD")
    git(site, "tag", "-a", "v1", "-m", "annotated")
    (site / "new.py").write_text("")
    git(site, "add", ".")
    git(site, "commit", "-qm", "two")
    # A name that another one ends in: git's own pattern "main" means both.
    git(site, "branch", "feature/main", first)
    url = site.as_uri()
    assert source.git_commit(url, "v1") == first, "a tag object is not a commit"
    assert source.git_commit(url, "main") == git(site, "rev-parse", "HEAD")
    assert source.git_commit(url, first) == first
    with pytest.raises(OSError, match="no branch, tag or full commit"):
        source.git_commit(url, "v2")

    with tarfile.open(source.pack("git", url, first)) as tar:
        assert sorted(tar.getnames()) == ["manage.py", "mysite/settings.py"]


def test_a_folder_that_has_changed_is_not_packed_as_what_it_was(site: Path, cache: Path) -> None:
    before = source.tree_digest(site)
    (site / "new.py").write_text("")
    with pytest.raises(source.ChangedError, match="changed since the release was named"):
        source.pack("directory", str(site), before)
    assert list((cache / "sources").iterdir()) == []
    # Where it was packed in time, that is what every host of the run gets.
    packed = source.pack("directory", str(site), source.tree_digest(site))
    named = source.tree_digest(site)
    (site / "newer.py").write_text("")
    assert source.pack("directory", str(site), named) == packed


def test_the_wheel_goes_with_what_the_release_was_named_by(cache: Path) -> None:
    with pytest.raises(source.ChangedError, match="django-split itself has changed"):
        source.own_wheel("another")


def test_a_branch_that_moves_during_the_run_does_not_change_what_is_packed(
    site: Path, tmp_path: Path
) -> None:
    """The role's own tasks: named, then packed, and somebody pushes in between."""
    git(site, "init", "-q", "-b", "main")
    git(site, "add", ".")
    git(site, "commit", "-qm", "one")
    roles = REPOSITORY / "roles" / "release" / "tasks"
    named = yaml.safe_load((roles / "name.yml").read_text())[0]
    packed = yaml.safe_load((roles / "place.yml").read_text())[0]
    push = f"cd {site} && touch new.py && git add . && git {' '.join(WHO)} commit -qm two"
    shown = {"content": "{{ release_packed.archive }}", "dest": str(tmp_path / "said")}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "release_source": site.as_uri(),
            "release_version": "main",
            "release_inputs": {},
            "ansible_python_interpreter": "/usr/bin/python3",
        },
        "tasks": [
            named,
            {"ansible.builtin.shell": push},
            packed,
            {"ansible.builtin.copy": shown},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-playbook"),
            *("-i", "localhost,", "-c", "local", tmp_path / "play.yml"),
        ],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with tarfile.open((tmp_path / "said").read_text()) as tar:
        assert sorted(tar.getnames()) == ["manage.py", "mysite/settings.py"]


@pytest.mark.parametrize(
    ("said", "version", "kind"),
    [
        ("git@example.org:team/site.git", "", "git"),
        ("https://example.org/team/site.git", "", "git"),
        ("git+ssh://example.org/site", "", "git"),
        ("https://example.org/team/site", "main", "git"),
        ("mysite==1.4", "", "requirement"),
        ("/nonexistent/site", "", "requirement"),
    ],
)
def test_what_kind_of_source_it_is(said: str, version: str, kind: str) -> None:
    assert source.source_kind(said, version) == kind


def test_inputs_are_part_of_the_name_and_the_order_of_their_keys_is_not() -> None:
    one = source.release_id("digest", "own", {"a": 1, "b": {"c": 2, "d": 3}})
    assert one == source.release_id("digest", "own", {"b": {"d": 3, "c": 2}, "a": 1})
    assert one != source.release_id("digest", "own", {"a": 1, "b": {"c": 2, "d": 4}})
    assert one != source.release_id("digest", "another", {"a": 1, "b": {"c": 2, "d": 3}})
    assert len(one) == 12


def test_everything_of_ours_that_a_process_loads_is_there_to_be_counted() -> None:
    for name in source.OWN:
        assert (source.ROOT / name).exists(), name
        assert source.source_files(source.ROOT, (name,)), name
