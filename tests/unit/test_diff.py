"""base -> instance, setting by setting, and never a secret."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import pytest

from django_split.diff import MASKED, Change, Differ, secret_names
from tests.support.trial import Site
from tests.unit.conftest import MakeSite

differ = Differ()


def lines(base: dict[str, object], instance: dict[str, object]) -> dict[str, list[str]]:
    return {
        change.setting: [f"{sign} {text}" for sign, text in change.lines]
        for change in differ.changes(base, instance)
    }


def test_only_what_changes_is_shown() -> None:
    same = {"A": 1, "B": ["x", ("y",)], "C": {"d": OrderedDict(e=[1])}, "D": Path("/x")}
    other = {"A": 1, "B": ("x", ["y"]), "C": {"d": {"e": (1,)}}, "D": "/x"}
    assert lines(same, other) == {}
    assert lines({"A": True}, {"A": 1}) == {"A": ["- True", "+ 1"]}


def test_entries_of_a_list_go_and_come_where_they_stand() -> None:
    base = {"MIDDLEWARE": ("security", "session", "auth", "own")}
    instance = {"MIDDLEWARE": ["security", "stand-in", "auth", "own", "filter"]}
    assert lines(base, instance) == {"MIDDLEWARE": ["- session", "+ stand-in", "+ filter"]}


def test_nested_settings_are_named_by_their_path() -> None:
    base = {
        "DATABASES": {"default": {"ENGINE": "x", "NAME": Path("/src/db")}, "old": {"NAME": "y"}},
        "TEMPLATES": [{"OPTIONS": {"context_processors": ["a", "b"]}}],
    }
    instance = {
        "DATABASES": {"default": {"ENGINE": "x", "NAME": "/data/db"}},
        "TEMPLATES": [{"OPTIONS": {"context_processors": ["a", "c"]}}],
        "CACHES": {"ours": {"BACKEND": "locmem", "OPTIONS": {"servers": ["one"]}}},
    }
    assert lines(base, instance) == {
        "DATABASES.default.NAME": ["- /src/db", "+ /data/db"],
        "DATABASES.old.NAME": ["- y"],
        "TEMPLATES.0.OPTIONS.context_processors": ["- b", "+ c"],
        "CACHES.ours.BACKEND": ["+ locmem"],
        "CACHES.ours.OPTIONS.servers": ["+ one"],
    }


SECRET = "hunter2"


@pytest.mark.parametrize(
    "settings",
    [
        {"SECRET_KEY": SECRET},
        {"SECRET_KEY_FALLBACKS": [SECRET]},
        {"EMAIL_HOST_PASSWORD": SECRET},
        {"DATABASES": {"default": {"PASSWORD": SECRET}}},
        {"DATABASES": {"default": {"OPTIONS": {"passwd": SECRET}}}},
        {"REST": {"tokens": {"default": {"x": [SECRET]}}}},
        {"DATABASE_URL": f"postgres://shop:{SECRET}@db/shop"},
        {"DATABASE_URL": f"postgres://shop:pa/ss@{SECRET}@db/shop"},
        {"BROKER": f"redis://:{SECRET}@cache:6379/0"},
        {"LOCATION": ["redis://one", f"rediss://x:{SECRET}@two"]},
        {"SERVERS": ({"url": f"https://{SECRET}@errors.example/1"},)},
        {"DB": f"host=db user=shop password={SECRET}"},
        {"DB": f"host=db password='{SECRET} and more'"},
        {"HOOK": f"https://hooks.example/x?token={SECRET}&y=1"},
        {"HOOK": f'{{"api_key": "{SECRET}"}}'},
        {"SENTRY_DSN": f"whatever {SECRET}"},
        {"THING": type("Thing", (), {"__repr__": lambda self: SECRET})()},
        {"THING": [{"deep": type("Thing", (), {"__repr__": lambda self: SECRET})()}]},
        {"TUPLES": [({"password": SECRET}, 1)]},
    ],
    ids=str,
)
def test_secret_is_shown_on_neither_side(settings: dict[str, object]) -> None:
    (name,) = settings
    for base, instance in (
        (settings, {name: "other"}),
        ({name: "other"}, settings),
        (settings, {}),
        ({}, settings),
    ):
        changes = differ.changes(base, instance)
        assert changes
        assert SECRET not in str(changes)


def test_masked_setting_is_shown_to_differ() -> None:
    assert lines({"SECRET_KEY": "a"}, {"SECRET_KEY": "b"}) == {
        "SECRET_KEY": [f"- {MASKED}", f"+ {MASKED}"]
    }


def test_what_stands_below_a_secret_name_is_masked() -> None:
    base = {"PASSWORDS": {"db": "a", "list": ["x"]}, "OLD": {"TOKENS": {"api": "b"}}}
    instance = {"PASSWORDS": {"db": "c", "list": ["y"]}, "OLD": {}, "NEW": {"KEYS": {"d": "e"}}}
    assert lines(base, instance) == {
        "PASSWORDS.db": [f"- {MASKED}", f"+ {MASKED}"],
        "PASSWORDS.list": [f"- {MASKED}", f"+ {MASKED}"],
        "OLD.TOKENS.api": [f"- {MASKED}"],
        "NEW.KEYS.d": [f"+ {MASKED}"],
    }


def test_host_of_a_url_is_shown() -> None:
    assert differ.shown("postgres://shop:x@db.example:5432/shop") == (
        f"postgres://{MASKED}@db.example:5432/shop"
    )
    assert differ.shown("unix:///run/shop/store.sock?db=0") == "unix:///run/shop/store.sock?db=0"


def test_names_that_django_hides_are_hidden() -> None:
    from django.views.debug import SafeExceptionReporterFilter

    names = secret_names()
    for word in SafeExceptionReporterFilter.hidden_settings.pattern.split("|"):
        assert names.search(f"X_{word}_Y".lower())


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    return make_site(
        "paper",
        "\nDATABASES['default']['PASSWORD'] = 'hunter2'\n"
        "CACHES['pages']['LOCATION'] = BASE_DIR / 'hunter2:cache'\n"
        "SESSION_COOKIE_DOMAIN = 'postgres://x:hunter2@host'\n",
    )


def command(site: Site, *more: str) -> list[str]:
    deploy = site.place / "deploy.json"
    deploy.write_text(json.dumps(site.deployment()))
    words = ["-m", "django_split", "plan", "--settings", site.settings, "--deploy", str(deploy)]
    return [*words, "--no-crawl", *more]


def test_difference_of_a_site_is_shown_for_both_instances(site: Site) -> None:
    shown = site.run(command(site, "--diff")).stdout
    main, admin = shown.partition("\nmain: ")[2].split("\nadmin: ")
    for words in (
        "DATABASES.default.NAME\n    - ",
        "    - django.contrib.sessions\n",
        "SESSION_ENGINE\n    + django_split.runtime.main.sessions\n",
    ):
        assert words in main
    assert "    + django_split.runtime.main" not in admin.partition("\nCode")[0]
    assert "SESSION_COOKIE_DOMAIN\n    - postgres://***@host\n" in admin
    assert "x:hunter2" not in shown


def test_difference_is_a_key_of_the_json_and_not_in_the_plan(site: Site) -> None:
    output = site.place / "plan.toml"
    done = site.run(command(site, "--diff", "--json", "--output", str(output)))
    diff = json.loads(done.stdout)["diff"]
    assert sorted(diff) == ["admin", "main"]
    main = {change["setting"]: change["lines"] for change in diff["main"]}
    assert main["ROOT_URLCONF"] == [["-", "paper.urls"], ["+", "django_split.runtime.main.urls"]]
    text = output.read_text()
    assert "x:hunter2" not in text + done.stdout
    assert "[diff" not in text
    assert "diff" not in json.loads(site.run(command(site, "--json")).stdout)


def test_change_reads_as_it_is_written() -> None:
    assert differ.changes({"A": 1}, {"A": 2}) == [Change("A", [("-", "1"), ("+", "2")])]
