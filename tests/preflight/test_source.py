"""The source has to be there, and the settings in it, before anything is built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import Preflight

from preflight_checks import settings, source  # isort: skip

SECONDS = 20


def git(folder: Path, *words: str) -> str:
    identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(site: Path) -> Path:
    """The site with a history: the tag v1 on its first commit, the branch work on the second."""
    git(site, "init", "--quiet")
    git(site, "add", ".")
    git(site, "commit", "--quiet", "-m", "one")
    git(site, "tag", "-a", "v1", "-m", "first")
    (site / "news" / "later.py").write_text("X = 1\n")
    git(site, "add", ".")
    git(site, "commit", "--quiet", "-m", "two")
    git(site, "branch", "feature/later")
    git(site, "branch", "work")
    # As a server does that gives any commit.
    git(site, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(site, "config", "uploadpack.allowFilter", "true")
    return site


def said(found: source.Source, module: str, directory: str = "", requirements: str = "") -> str:
    findings = list(settings.check(found, directory, module, requirements))
    assert len(findings) <= 1, findings
    return findings[0].what if findings else ""


def directory(site: Path, module: str = "news.settings", below: str = "") -> source.Source:
    return source.find(str(site), "", settings.module_files(below, module), SECONDS)


def test_the_kinds_are_those_of_the_action_that_fetches(site: Path) -> None:
    assert directory(site).kind == "directory"
    assert source.find("django-news==1.2", "", [], SECONDS).kind == "requirement"
    assert source.find("news @ https://x.example/n.tar.gz", "", [], SECONDS).kind == "requirement"


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("{site}/no/such", "{site} is there, no is not in it"),
        ("./no-such", "no such directory on this machine"),
        ("mysite/src", "no such directory on this machine"),
        ("{site}/requirements.txt", "it is a file, not a directory"),
        ("https://x.example/news", "a git URL ends in .git, or has a site_version"),
        ("ftp://x.example/news", "a git URL ends in .git"),
        ("my site", "neither a directory of this machine, nor a git URL, and no requirement"),
        ("{site}/empty", "the directory is empty"),
    ],
)
def test_a_source_that_is_not_there_says_why(site: Path, location: str, sentence: str) -> None:
    (site / "empty").mkdir()
    with pytest.raises(source.NotThereError) as caught:
        source.find(location.format(site=site), "", [], SECONDS)
    assert sentence.format(site=site) in str(caught.value)


def test_a_home_is_written_out(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(site))
    with pytest.raises(source.NotThereError, match=f'write "{site}/news"'):
        source.find("~/news", "", [], SECONDS)


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("news.setings", "(did you mean news.settings?)"),
        ("nwes.settings", "(did you mean news.settings?)"),
        ("elsewhere.conf", "(did you mean news.settings?)"),
        ("news/settings.py", "no dotted name of a module (did you mean news.settings?)"),
        ("news..settings", "no dotted name of a module"),
    ],
)
def test_a_settings_module_that_is_not_there_is_told_the_nearest(
    site: Path, module: str, sentence: str
) -> None:
    assert sentence in said(directory(site, module), module)


def test_settings_in_a_folder_below_are_told_the_folder(site: Path) -> None:
    os.renames(site / "news", site / "backend" / "news")
    assert "(is site_directory backend?)" in said(directory(site), "news.settings")
    assert said(directory(site, below="backend"), "news.settings", "backend") == ""
    assert "no such folder in the source" in said(
        directory(site), "news.settings", "../site/backend"
    )


def test_a_package_of_settings_without_its_own_is_told_which(site: Path) -> None:
    (site / "news" / "settings.py").unlink()
    (site / "news" / "settings").mkdir()
    for name in ("base", "dev"):
        (site / "news" / "settings" / f"{name}.py").write_text("DEBUG = True\n")
    told = said(directory(site), "news.settings")
    assert "(did you mean news.settings.base or news.settings.dev?)" in told


def test_settings_that_git_ignores_are_no_part_of_a_release(repository: Path) -> None:
    (repository / ".gitignore").write_text("local.py\n")
    (repository / "news" / "local.py").write_text("X = 1\n")
    told = said(directory(repository, "news.local"), "news.local")
    assert "git ignores news/local.py" in told


def test_settings_not_yet_committed_are_part_of_a_directory(repository: Path) -> None:
    (repository / "news" / "new.py").write_text("X = 1\n")
    assert said(directory(repository, "news.new"), "news.new") == ""


def test_requirements_are_a_file_of_the_source(site: Path) -> None:
    found = directory(site)
    assert said(found, "news.settings", requirements="requirements.txt") == ""
    told = said(found, "news.settings", requirements="requirments.txt")
    assert "no such file in the source (did you mean requirements.txt?)" in told


def test_a_requirement_has_no_files_to_name() -> None:
    found = source.find("django-news", "", [], SECONDS)
    assert "has no files" in said(found, "news.settings", requirements="requirements.txt")
    assert "Take it out" in said(found, "news.settings", directory="src")
    assert said(found, "anything.at.all") == ""


@pytest.mark.parametrize("version", ["", "main", "v1", "work"])
def test_a_git_source_is_looked_into_at_its_version(repository: Path, version: str) -> None:
    url = f"git+file://{repository}"
    wanted = settings.module_files("", "news.settings")
    found = source.find(url, version, wanted, SECONDS)
    assert found.kind == "git"
    assert found.commit == git(repository, "rev-parse", f"{version or 'HEAD'}^{{commit}}")
    assert found.files is not None
    assert ("news/later.py" in found.files) == (version != "v1")
    assert found.texts["news/settings.py"].startswith(b"SECRET_KEY")
    assert "did you mean news.settings?" in said(found, "news.setings")


def test_a_full_commit_is_a_version(repository: Path) -> None:
    commit = git(repository, "rev-parse", "v1^{commit}")
    found = source.find(f"git+file://{repository}", commit, [], SECONDS)
    assert found.commit == commit
    assert "news/later.py" not in (found.files or ())


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("v2", "it has no branch and no tag of that name"),
        # There is feature/later, which git answers with.
        ("later", "it has no branch and no tag of that name"),
        ("abcdef1", "a commit is written with all its 40 digits"),
        ("0123456789" * 4, "it has no such commit"),
    ],
)
def test_a_version_that_is_not_there_is_site_versions_fault(
    repository: Path, version: str, sentence: str
) -> None:
    with pytest.raises(source.NotThereError, match=sentence) as caught:
        source.find(f"git+file://{repository}", version, [], SECONDS)
    assert caught.value.variable == "site_version"


def test_a_version_of_what_has_none_is_refused(site: Path) -> None:
    for location in (str(site), "django-news"):
        with pytest.raises(source.NotThereError, match="Take it out") as caught:
            source.find(location, "main", [], SECONDS)
        assert caught.value.variable == "site_version"


def test_a_git_server_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    """A listening socket that nobody accepts from: the connection opens, and nothing comes."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/news.git"
        with pytest.raises(source.NotThereError, match="git had no answer within 2 seconds"):
            source.find(url, "", [], 2)


def test_the_role_says_what_git_says(preflight: Preflight, tmp_path: Path) -> None:
    gone = f"git+file://{tmp_path}/gone.git"
    told = preflight({"site_source": gone}).problem(f'site_source is "{gone}"')
    assert "git cannot read it: fatal:" in told
    assert "inventory/group_vars/all.yml, line 2." in told


def test_the_role_takes_a_git_source(preflight: Preflight, repository: Path) -> None:
    outcome = preflight({"site_source": f"git+file://{repository}", "site_version": "work"})
    assert outcome.code == 0, outcome.message
    assert outcome.facts["source"]["commit"] == git(repository, "rev-parse", "work")


def test_settings_that_are_no_python_are_told_the_line(preflight: Preflight, site: Path) -> None:
    (site / "news" / "settings.py").write_text("SECRET_KEY = 'x'\n\nINSTALLED_APPS = [\n")
    told = preflight().problem('site_settings is "news.settings", which is not Python')
    assert "news/settings.py, line 3" in told


def test_settings_with_nothing_in_them_are_told_where_they_are(
    preflight: Preflight, site: Path
) -> None:
    """As `wagtail start` makes it: mysite.settings is an empty package beside .dev."""
    (site / "news" / "settings.py").unlink()
    (site / "news" / "settings").mkdir()
    (site / "news" / "settings" / "__init__.py").write_text('"""Settings."""\n')
    (site / "news" / "settings" / "dev.py").write_text("DEBUG = True\n")
    told = preflight().problem('site_settings is "news.settings", a module with nothing in it')
    assert "(did you mean news.settings.dev?)" in told
