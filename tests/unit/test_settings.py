"""load() and the deployment settings: the base, changed by rule and never copied."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from django_split.findings import Finding
from django_split.plan import Ghost, Plan, PlanError, apply, copied, lies_inside
from django_split.plan_file import FINDINGS, GHOSTS, read_data
from tests.support.trial import Site

MakeSite = Callable[..., Site]

BULK = (FINDINGS, GHOSTS)


@pytest.fixture(scope="module")
def plan(paper: Site) -> Plan:
    return Plan.read(paper.place / "plan.toml")


def in_force(site: Site, instance: str, expression: str) -> object:
    return site.ask(instance, f"from django.conf import settings\nanswer = {expression}")


def test_loading_imports_the_base_and_nothing_of_anybody_elses(paper: Site) -> None:
    """FACTS A14: the project's middleware raises when it is imported before the apps are ready."""
    code = (
        "import sys; before = set(sys.modules); import split_main;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "strange = new - set(sys.stdlib_module_names) - {'tomli'};"
        "print(*sorted(strange), *sorted(n for n in sys.modules if n.startswith('paper.')),"
        " *sorted(n for n in sys.modules if n in ('django.conf', 'django.apps', 'django.db')))"
    )
    seen = paper.run(["-c", code]).stdout.split()
    assert seen == ["django", "django_split", "paper", "split_main", "paper.settings"]


def test_base_is_not_changed(paper: Site) -> None:
    code = (
        "import copy, paper.settings as base;"
        "before = copy.deepcopy({k: v for k, v in vars(base).items() if k.isupper()});"
        "import split_main, split_admin;"
        "print(before == {k: v for k, v in vars(base).items() if k.isupper()})"
    )
    assert paper.run(["-c", code]).stdout.strip() == "True"


def test_value_from_the_environment_keeps_working(paper: Site) -> None:
    code = "import split_main; print(split_main.SECRET_KEY)"
    done = paper.run(
        ["-c", f"import os; os.environ['PAPER_SECRET_KEY'] = 'from the environment'; {code}"]
    )
    assert done.stdout.strip() == "from the environment"


def test_settings_of_startproject_are_made_fit_to_deploy(paper: Site) -> None:
    """FACTS A23."""
    for instance in ("main", "admin"):
        assert in_force(paper, instance, "settings.DEBUG") is False
        assert in_force(paper, instance, "settings.ALLOWED_HOSTS") == ["trial.example"]
        assert in_force(paper, instance, "settings.CSRF_TRUSTED_ORIGINS") == [
            "http://trial.example:8080"
        ]
        assert in_force(paper, instance, "settings.STATIC_ROOT") == f"{paper.place}/static"


@pytest.mark.parametrize(
    ("expression", "where"),
    [
        ("settings.DATABASES['default']['NAME']", "data/db.sqlite3"),
        ("settings.MEDIA_ROOT", "media"),
        ("settings.LOGGING['handlers']['paper.file']['filename']", "var/paper.log"),
    ],
)
def test_what_a_site_keeps_is_not_in_its_source(paper: Site, expression: str, where: str) -> None:
    for instance in ("main", "admin"):
        assert in_force(paper, instance, expression) == f"{paper.place}/{where}"


def test_file_cache_is_each_instances_own(paper: Site) -> None:
    """Django makes its folder 0700: what one user has made, the other cannot read."""
    for instance in ("main", "admin"):
        location = in_force(paper, instance, "settings.CACHES['pages']['LOCATION']")
        assert location == f"{paper.place}/var/cache-{instance}"


def test_error_of_a_site_without_logging_is_written_somewhere(make_site: MakeSite) -> None:
    site = make_site("paper", "\nLOGGING = {}\n")
    site.plan()
    code = "import django; django.setup(); import logging; logging.getLogger({!r}).error('seen')"
    for logger in ("django.request", "paper.views"):
        done = site.run(["-c", code.format(logger)], settings="split_main")
        assert "seen" in done.stderr


def test_folder_that_is_a_link_to_a_shared_one_is_in_the_source(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "src" / "media").symlink_to(tmp_path / "var")
    assert lies_inside(tmp_path / "src" / "media", str(tmp_path / "src"))
    assert not lies_inside(tmp_path / "var", str(tmp_path / "src"))


def test_uploads_are_writable_by_the_group(paper: Site) -> None:
    for name, value in (("", 0o664), ("DIRECTORY_", 0o2775)):
        assert in_force(paper, "main", f"settings.FILE_UPLOAD_{name}PERMISSIONS") == value


def test_permissions_that_the_base_chose_stay(make_site: MakeSite) -> None:
    site = make_site("paper", "\nFILE_UPLOAD_PERMISSIONS = 0o600\n")
    site.plan()
    assert in_force(site, "main", "settings.FILE_UPLOAD_PERMISSIONS") == 0o600


def test_database_outside_the_source_stays_where_it_is(make_site: MakeSite) -> None:
    site = make_site("paper", "\nDATABASES['default']['NAME'] = '/var/lib/paper.sqlite3'\n")
    assert not [place for place in site.plan().deploy if place.startswith("DATABASES")]
    assert (
        in_force(site, "main", "settings.DATABASES['default']['NAME']") == "/var/lib/paper.sqlite3"
    )


def test_database_of_another_environment_is_left_alone(plan: Plan) -> None:
    base = {"DATABASES": {"default": {"ENGINE": "postgresql", "NAME": "paper"}}}
    plan = copy.deepcopy(plan)
    plan.deploy["DATABASES.default.NAME"].inside = "/srv/paper"
    values, _ = apply(plan, "main", {**base, "DATABASES": {"default": {"NAME": "/var/paper"}}})
    assert values["DATABASES"]["default"]["NAME"] == "/var/paper"


def test_hosts_of_the_base_stay(make_site: MakeSite) -> None:
    site = make_site("paper", "\nALLOWED_HOSTS = ('.paper.example',)\n")
    site.plan(hosts=["trial.example", ".trial.example"], scheme="https", port=443)
    assert in_force(site, "main", "settings.ALLOWED_HOSTS") == [
        ".paper.example",
        "trial.example",
        ".trial.example",
    ]
    assert in_force(site, "main", "settings.CSRF_TRUSTED_ORIGINS") == [
        "https://trial.example",
        "https://*.trial.example",
    ]


def test_cookies_are_secure_where_there_is_tls_only(make_site: MakeSite) -> None:
    site = make_site(
        "paper", "\nSESSION_COOKIE_SECURE = True\nSESSION_COOKIE_DOMAIN = 'x.example'\n"
    )
    plain, tls = site.plan(), site.plan(scheme="https")
    assert plain.admin.settings["SESSION_COOKIE_SECURE"] is False
    assert "SECURE_PROXY_SSL_HEADER" not in plain.deploy
    assert tls.admin.settings["SESSION_COOKIE_SECURE"] is True
    assert in_force(site, "admin", "settings.SECURE_PROXY_SSL_HEADER") == [
        "HTTP_X_FORWARDED_PROTO",
        "https",
    ]
    assert in_force(site, "admin", "settings.SESSION_COOKIE_DOMAIN") is None
    # A browser takes a cookie of that prefix from https only.
    assert plain.admin.session.cookie == "trial_admin_sessionid"
    assert tls.admin.session.cookie == "__Secure-trial_admin_sessionid"
    assert in_force(site, "admin", "settings.SESSION_COOKIE_NAME") == tls.admin.session.cookie
    for instance in ("main", "admin"):
        assert in_force(site, instance, "settings.CSRF_COOKIE_SECURE") is True


def test_drift_from_the_plan_is_a_warning(make_site: MakeSite) -> None:
    site = make_site("paper")
    site.plan()
    settings = site.source / "paper" / "settings.py"
    settings.write_text(settings.read_text() + "\nINSTALLED_APPS += ('django.contrib.humanize',)\n")
    done = site.run(["-c", "import split_main; print(split_main.INSTALLED_APPS[-1])"])
    assert done.stdout.strip() == "django.contrib.humanize"
    assert "PlanDriftWarning" in done.stderr
    assert "paper.settings: INSTALLED_APPS is not what it was" in done.stderr


def test_settings_without_ansible_take_the_plan_from_the_environment(paper: Site) -> None:
    code = (
        "import os; os.environ['DJANGO_SPLIT_PLAN'] = '%s';"
        "from django_split.instances import main, admin;"
        "print(main.SESSION_ENGINE, admin.SESSION_ENGINE)"
    )
    assert paper.run(["-c", code % (paper.place / "plan.toml")]).stdout.split() == [
        "django_split.runtime.main.sessions",
        "django_split.sessions.redis",
    ]


def test_plan_survives_writing_and_reading(plan: Plan, paper: Site) -> None:
    assert Plan.from_data(json.loads(plan.json())) == plan
    assert plan.toml() == (paper.place / "plan.toml").read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 1}, "has format 1"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"verdict": {}}, "verdict is incomplete"),
        ({"main": []}, "main must be a table, not list"),
    ],
)
def test_plan_that_is_not_one_is_refused(plan: Plan, change: dict[str, object], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        Plan.from_data({**json.loads(plan.json()), **change})


def test_settings_need_only_part_of_a_plan(plan: Plan, tmp_path: Path) -> None:
    """Findings and ghosts are most of it, in whichever way TOML writes them."""
    whole = copy.deepcopy(plan)
    whole.findings = [Finding("private", "[[findings]]", where=f"{n}") for n in range(3)]
    long = "x" * 200  # not written in one line
    whole.main.urls.mounts[0].ghosts.append(Ghost("long", route=long))
    short = copy.deepcopy(whole)
    short.findings = []
    for mount in short.main.urls.mounts:
        mount.ghosts = []
    path = tmp_path / "plan.toml"
    path.write_text(whole.toml())
    assert Plan.read(path) == whole
    assert Plan.read(path, without=[GHOSTS]).findings == whole.findings
    assert Plan.read(path, without=[FINDINGS]).main == whole.main
    assert Plan.read(path, without=BULK) == short
    whole.main.urls.mounts[0].ghosts = [Ghost("a", route="b/"), Ghost("c", regex="^d]$")]
    whole.findings.append(Finding("private", long))
    path.write_text(whole.toml())
    assert Plan.read(path, without=BULK) == short


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_text_over_several_lines_is_no_header(plan: Plan, tmp_path: Path, quotes: str) -> None:
    path = tmp_path / "plan.toml"
    text = f"reason = {quotes}\n[[findings]]\n{quotes}"
    path.write_text(plan.toml().replace('reason = "an instance', f"{text} # ", 1))
    assert Plan.read(path, without=BULK).deploy["DEBUG"].reason == "[[findings]]\n"


def test_old_django_is_refused_in_one_line(paper: Site) -> None:
    code = "import django; django.VERSION = (3, 2, 25, 'final', 0); import split_main"
    done = paper.run(["-c", code], check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "django_split.plan_file.PlanError: these settings are for a site on Django 3.2.25; "
        "django-split needs 4.2 or newer"
    )


def test_settings_module_says_when_no_plan_is_named(paper: Site) -> None:
    done = paper.run(["-c", "import django_split.instances.main"], check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith(
        "PlanError: DJANGO_SPLIT_PLAN in the environment must be the path of a plan"
    )


def test_plan_is_found_again_from_another_folder(paper: Site) -> None:
    """A relative path counts from where the process began."""
    (paper.source / "plan.toml").write_text((paper.place / "plan.toml").read_text())
    code = (
        "import os, django; os.environ['DJANGO_SPLIT_PLAN'] = 'plan.toml';"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'django_split.instances.main'; django.setup();"
        "os.chdir('/'); from django_split import runtime; runtime.plan.cache_clear();"
        "print(runtime.plan().site)"
    )
    assert paper.run(["-c", code]).stdout.strip() == "trial"


def test_settings_add_little_to_the_start(plan: Plan, tmp_path: Path) -> None:
    """A plan of a big site, of which most is for people and for main's URLs."""
    big = copy.deepcopy(plan)
    ghosts = [Ghost(f"app_model{n}_change", route=f"app/model{n}/<path:pk>/") for n in range(400)]
    big.main.urls.mounts[0].ghosts = ghosts
    big.findings = [Finding("private", "it demands a user", url=f"/{n}/") for n in range(400)]
    path = tmp_path / "plan.toml"
    path.write_text(big.toml())
    times = []
    for _ in range(5):
        before = time.perf_counter()
        read_data(str(path), without=BULK)
        times.append(time.perf_counter() - before)
    assert min(times) < 0.01


def test_plan_for_another_base_is_refused(paper: Site) -> None:
    load = "from django_split.settings import load; load(base='other', plan='%s', instance='main')"
    done = paper.run(["-c", load % (paper.place / "plan.toml")], check=False)
    assert "is for paper.settings, not for other" in done.stderr


def test_copies_are_apart_all_the_way_down() -> None:
    original = {"a": [{"b": ({"c": 1},)}]}
    copy = copied(original)
    copy["a"][0]["b"][0]["c"] = 2
    assert original == {"a": [{"b": ({"c": 1},)}]}


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/srv/src/db.sqlite3", True),
        ("db.sqlite3", True),
        ("/srv/src/../data/db", False),
        ("/srv/srcs/db", False),
        (":memory:", False),
        ("file:memory?mode=memory", False),
        ("", False),
        (None, False),
    ],
)
def test_path_inside_the_source(path: object, inside: bool) -> None:
    assert lies_inside(path, "/srv/src") is inside


def test_applying_a_plan_twice_is_applying_it_once(plan: Plan) -> None:
    plan = Plan.from_data(plan.data())
    plan.admin.add_apps = ["django.contrib.sessions"]
    base = {"INSTALLED_APPS": ["django.contrib.admin", "paper.news"], "MIDDLEWARE": ["a", "b"]}
    for instance in ("main", "admin"):
        once, _ = apply(plan, instance, base)
        twice, _ = apply(plan, instance, once)
        assert twice == once
