"""What a process has loaded is compared with its files at every run, whatever was changed in
between.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plugins import load

loaded = load("module_utils", "split_loaded")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "sites").mkdir()
    (tmp_path / "nginx.conf").write_text("events {}\n")
    (tmp_path / "sites" / "one.conf").write_text("server {}\n")
    return tmp_path


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed"])
def test_any_change_below_a_folder_is_another_digest(conf: Path, change: str) -> None:
    before = loaded.files_digest([str(conf)])
    one = conf / "sites" / "one.conf"
    if change == "content":
        one.write_text("server { }\n")
    elif change == "added":
        (conf / "sites" / "two.conf").write_text("")
    elif change == "removed":
        one.unlink()
    else:
        one.rename(conf / "sites" / "two.conf")
    assert loaded.files_digest([str(conf)]) != before


def test_the_same_files_are_the_same_digest(conf: Path) -> None:
    paths = [str(conf / "nginx.conf"), str(conf / "sites")]
    assert loaded.files_digest(paths) == loaded.files_digest(paths[::-1])


def test_a_file_that_is_not_there_yet_counts_as_absent(conf: Path) -> None:
    path = conf / "later.conf"
    before = loaded.files_digest([str(path)])
    path.write_text("")
    assert loaded.files_digest([str(path)]) != before
