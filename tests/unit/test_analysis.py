"""What `django-split plan` says of a site, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from django_split.plan import Plan
from tests.support.trial import PlanFailedError, Site

MakeSite = Callable[..., Site]


def failed(trial: Site, /, **changes: object) -> PlanFailedError:
    with pytest.raises(PlanFailedError) as caught:
        trial.plan(**changes)
    return caught.value


def test_default_site_can_be_split(paper: Site) -> None:
    plan = Plan.read(paper.place / "plan.toml")
    assert (plan.verdict.is_, plan.verdict.reasons) == ("split", ["django admin at /admin/"])
    assert (plan.admin.path, plan.admin.login) == ("/admin/", "/admin/login/")
    assert plan.wsgi == "paper.wsgi.application"
    assert plan.proxy.closed_prefixes == ["/closed/"]
    assert (plan.proxy.static_url, plan.proxy.media_url) == ("/static/", "/media/")


def test_plan_as_json_is_the_same_plan(paper: Site, tmp_path: Path) -> None:
    command = ["-m", "django_split", "plan", "--settings", "paper.settings", "--json"]
    deploy = str(paper.place / "deploy.json")
    done = paper.run([*command, "--deploy", deploy, "--output", str(tmp_path / "plan.toml")])
    assert Plan.from_data(json.loads(done.stdout)) == Plan.read(tmp_path / "plan.toml")


def test_table_says_what_goes_what_replaces_it_and_why(paper: Site) -> None:
    command = ["-m", "django_split", "plan", "--settings", "paper.settings"]
    shown = paper.run([*command, "--main-anonymous-views", "*"]).stdout
    assert shown.startswith("paper.settings: split\n")
    for words in ("what goes", "what replaces it", "why", "nginx sends /admin/ to the admin"):
        assert words in shown


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        ("CSRF_USE_SESSIONS = True", "CSRF_USE_SESSIONS is True"),
        (
            "MIDDLEWARE.append('paper.private.LoginRequiredMiddleware')",
            "MIDDLEWARE has paper.private.LoginRequiredMiddleware: every page demands a login",
        ),
    ],
)
def test_site_that_needs_public_sessions_is_not_split(
    make_site: MakeSite, added: str, reason: str
) -> None:
    """FACTS A6, A8: removing what demands a login opens a private site."""
    site = make_site("paper", f"\n{added}\n")
    (site.source / "paper" / "private.py").write_text("class LoginRequiredMiddleware: pass\n")
    failure = failed(site)
    assert failure.status == 3
    assert "paper.settings: public sessions" in failure.output
    assert reason in failure.output
    assert "answer with public_sessions" in failure.output


def test_plan_that_needs_a_decision_cannot_be_loaded(make_site: MakeSite) -> None:
    site = make_site("paper", "\nCSRF_USE_SESSIONS = True\n")
    failed(site)
    load = "from django_split.settings import load; load(plan='%s', instance='main')"
    done = site.run(["-c", load % (site.place / "plan.toml")], check=False)
    assert done.returncode == 1
    said = "says 'public sessions': CSRF_USE_SESSIONS is True: every form needs a session"
    assert said in done.stderr


@pytest.mark.parametrize(
    ("route", "status", "words"),
    [
        ('path("", admin.site.urls)', 4, "the whole site is the admin: it is mounted at /"),
        ('path("x/", admin.site.login)', 4, "no admin is mounted in paper.urls"),
        ('path("<slug:office>/admin/", admin.site.urls)', 3, "/<slug:office>/admin/, a path with"),
        ('re_path("^(a|b)/", admin.site.urls)', 3, "a path with parameters"),
        ('path("é/", admin.site.urls)', 3, "a prefix can have letters, digits"),
    ],
)
def test_place_of_the_admin_decides(
    make_site: MakeSite, route: str, status: int, words: str
) -> None:
    site = make_site("paper", "\nROOT_URLCONF = 'paper.places'\n")
    (site.source / "paper" / "places.py").write_text(
        "from django.contrib import admin\nfrom django.urls import path, re_path\n"
        f"urlpatterns = [{route}]\n".replace("paper.urls", "paper.places")
    )
    failure = failed(site)
    assert failure.status == status
    assert words.replace("paper.urls", "paper.places") in " ".join(failure.output.split())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            "paper.setings",
            '"paper.setings": no module of that name on sys.path (did you mean paper.settings?)',
        ),
        ("papper.settings", "(did you mean paper.settings?)"),
        ("nowhere_at_all", '"nowhere_at_all": no module of that name on sys.path\n'),
    ],
)
def test_misspelt_settings_module_is_named_with_the_nearest(
    paper: Site, settings: str, words: str
) -> None:
    done = paper.run(["-m", "django_split", "plan", "--settings", settings], check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("if True", "SyntaxError: expected ':'"),
        ("raise SystemExit('no key')", "SystemExit: no key"),
        ("INSTALLED_APPS += ('missing',)", "ModuleNotFoundError: No module named 'missing'"),
    ],
)
def test_broken_base_ends_in_one_line_with_its_place(
    make_site: MakeSite, added: str, words: str
) -> None:
    failure = failed(make_site("paper", f"\n{added}\n"))
    assert failure.status == 1
    assert f'django-split: --settings is "paper.settings" does not start: {words}' in failure.output
    assert failure.output.count("\n") == 1


def test_place_of_an_error_is_the_sites_own_line(make_site: MakeSite) -> None:
    site = make_site("paper", "\nimport json\njson.loads('{')\n")
    line = len((site.source / "paper" / "settings.py").read_text().splitlines())
    assert f"{site.source}/paper/settings.py:{line})" in failed(site).output


def test_base_that_hangs_is_ended(make_site: MakeSite) -> None:
    site = make_site("paper", "\nimport time\ntime.sleep(600)\n")
    command = ["-m", "django_split", "plan", "--settings", "paper.settings", "--timeout", "1.5"]
    done = site.run(command, check=False)
    assert done.returncode == 1
    assert "was not set up after 1.5 s" in done.stderr


def test_base_that_ends_the_process_is_told(make_site: MakeSite) -> None:
    assert (
        "ended the analysis with status 7"
        in failed(make_site("paper", "\nimport os\nos._exit(7)\n")).output
    )


def test_what_a_base_prints_is_not_in_the_plan(make_site: MakeSite) -> None:
    site = make_site("paper", "\nprint('{')\n")
    command = ["-m", "django_split", "plan", "--settings", "paper.settings", "--json"]
    done = site.run([*command, "--main-anonymous-views", "*"])
    assert json.loads(done.stdout)["base"] == "paper.settings"


def test_log_file_in_a_source_that_nobody_writes_does_not_stop_the_analysis(
    make_site: MakeSite,
) -> None:
    handler = "{'class': 'logging.FileHandler', 'filename': BASE_DIR / 'nowhere' / 'site.log'}"
    make_site("paper", f"\nLOGGING = {{'version': 1, 'handlers': {{'file': {handler}}}}}\n").plan()


def test_reason_is_told_beside_a_plan_as_json_too(make_site: MakeSite) -> None:
    """The playbook reads the plan; what it shows is what stands on standard error."""
    site = make_site("paper", "\nCSRF_USE_SESSIONS = True\n")
    command = ["-m", "django_split", "plan", "--settings", "paper.settings", "--json"]
    done = site.run(command, check=False)
    assert done.returncode in (3, 4)
    assert "CSRF_USE_SESSIONS is True" in done.stderr


def test_bad_deployment_ends_in_one_line(paper: Site, tmp_path: Path) -> None:
    failure = failed(Site(paper.source, paper.settings, tmp_path), admin_path="/adminn/")
    assert (failure.status, failure.output) == (
        1,
        "django-split: --deploy: admin_path: '/adminn/' is not an admin's path: "
        "the admin is mounted at /admin/\n",
    )


def test_extra_prefix_goes_to_the_admin_and_is_closed_on_main(make_site: MakeSite) -> None:
    site = make_site("paper")
    plan = site.plan(admin_extra_prefixes=["/accounts/"])
    assert plan.verdict.is_ == "split with extra admin prefixes"
    assert plan.proxy.admin_prefixes == ["/admin/", "/accounts/"]
    assert plan.admin.settings["SESSION_COOKIE_PATH"] == "/"
    assert site.get("main", "/accounts/login/").status == 404
    assert site.get("admin", "/accounts/login/").status == 200


def test_plan_holds_no_value_of_the_base(paper: Site) -> None:
    text = (paper.place / "plan.toml").read_text()
    assert "for-the-tests-only" not in text
    assert "LocMemCache" not in text
