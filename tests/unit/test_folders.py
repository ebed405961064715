"""A base may make folders beside itself; a release has them without being writable."""

from __future__ import annotations

from pathlib import Path

from django_split.folders import made_by


def source_with(tmp_path: Path, text: str) -> Path:
    source = tmp_path / "source"
    (source / "kept").mkdir(parents=True)
    (source / "settings.py").write_text("from pathlib import Path\nimport os\n" + text)
    return source


def test_folders_that_settings_make_are_named_and_not_made(tmp_path: Path) -> None:
    source = source_with(
        tmp_path,
        "HERE = Path(__file__).parent\n"
        "os.makedirs(HERE / 'logs' / 'deep')\n"
        "(HERE / 'kept' / 'cache').mkdir()\n"
        "(HERE / 'kept').mkdir(exist_ok=True)\n",
    )
    assert made_by("settings", source) == [Path("kept/cache"), Path("logs")]
    assert sorted(path.name for path in source.iterdir()) == ["kept", "settings.py"]


def test_what_a_broken_base_made_before_it_broke_counts(tmp_path: Path) -> None:
    source = source_with(tmp_path, "(Path(__file__).parent / 'logs').mkdir()\nraise ValueError\n")
    assert made_by("settings", source) == [Path("logs")]


def test_base_in_a_folder_of_the_source(tmp_path: Path) -> None:
    source = source_with(tmp_path, "")
    (source / "site").mkdir()
    (source / "site" / "conf.py").write_text("import os\nos.mkdir('var')\nprint('hello')\n")
    assert made_by("conf", source, "site") == [Path("site/var")]
