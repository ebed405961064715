"""Every engine that a site may have: where it keeps sessions, and what is wrong with that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import MakeShop

BACKENDS = "django.contrib.sessions.backends"
CACHES = "django.core.cache.backends"
REDIS = f"""{{"BACKEND": "{CACHES}.redis.RedisCache",
 "LOCATION": "redis://:hunter2@store.example:6379/1",
 "OPTIONS": {{"serializer": "django_split.sessions.serializers.JSONSerializer"}}}}"""
PICKLES = f'{{"BACKEND": "{CACHES}.redis.RedisCache", "LOCATION": "redis://store.example/1"}}'


def cached(entry: str, alias: str = "sessions", engine: str = "cache") -> str:
    local = f'"default": {{"BACKEND": "{CACHES}.locmem.LocMemCache"}}, ' * (alias != "default")
    return (
        f'SESSION_ENGINE = "{BACKENDS}.{engine}"\nSESSION_CACHE_ALIAS = "{alias}"\n'
        f'CACHES = {{{local}"{alias}": {entry}}}\n'
    )


GOOD_COOKIE = "SESSION_COOKIE_SECURE = True\n"
ENGINES = {
    "database": "",
    "cached_database": cached(REDIS, engine="cached_db"),
    "redis_cache": cached(REDIS) + GOOD_COOKIE,
    "pickling_cache": cached(PICKLES),
    "memcached": cached(
        f'{{"BACKEND": "{CACHES}.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:11211"}}'
    ),
    "default_cache": cached(REDIS, alias="default"),
    "local_memory": cached(f'{{"BACKEND": "{CACHES}.locmem.LocMemCache"}}'),
    "dummy": cached(f'{{"BACKEND": "{CACHES}.dummy.DummyCache"}}'),
    "table_cache": cached(f'{{"BACKEND": "{CACHES}.db.DatabaseCache", "LOCATION": "kept"}}'),
    "file_cache": cached(f'{{"BACKEND": "{CACHES}.filebased.FileBasedCache", "LOCATION": "/x"}}'),
    "no_cache": cached('{"BACKEND": "shop.nowhere.Cache"}'),
    "files": f'SESSION_ENGINE = "{BACKENDS}.file"\nSESSION_FILE_PATH = BASE_DIR / "kept"\n',
    "cookies": f'SESSION_ENGINE = "{BACKENDS}.signed_cookies"\n',
    "ours": """
SESSION_ENGINE = "django_split.sessions.redis"
DJANGO_SPLIT_SESSIONS = {"url": "unix:///run/shop/store.sock?db=0", "prefix": "shop:session:"}
""",
    "ours_and_database": """
SESSION_ENGINE = "django_split.sessions.redis_db"
DJANGO_SPLIT_SESSIONS = {"url": "unix:///run/shop/store.sock?db=0", "prefix": "shop:session:"}
""",
    "own": 'SESSION_ENGINE = "shop.engine"\n',
    "own_table": 'SESSION_ENGINE = "shop.table_engine"\n',
    "missing": 'SESSION_ENGINE = "shop.nowhere"\n',
}
KINDS = {
    "database": "database",
    "cached_database": "cached database",
    "redis_cache": "cache",
    "pickling_cache": "cache",
    "memcached": "cache",
    "default_cache": "cache",
    "local_memory": "cache",
    "dummy": "cache",
    "table_cache": "cache",
    "file_cache": "cache",
    "no_cache": "cache",
    "files": "files",
    "cookies": "cookies",
    "ours": "redis",
    "ours_and_database": "redis and database",
    "own": "other",
    "own_table": "database",
    "missing": "broken",
}


@pytest.fixture(scope="module")
def sites(make_shop: MakeShop) -> dict[str, Any]:
    shop = make_shop()
    shop.write(
        "engine.py",
        "from django.contrib.sessions.backends.base import SessionBase\n"
        "class SessionStore(SessionBase): pass\n",
    )
    shop.write(
        "table_engine.py",
        f"from {BACKENDS}.db import SessionStore as Django\nclass SessionStore(Django): pass\n",
    )
    (shop.place / "kept").mkdir()
    (shop.place / "kept" / "sessionidabc").write_text("1234")
    (shop.place / "kept" / "other").write_text("1234")
    modules = [shop.settings(name, added) for name, added in ENGINES.items()]
    done = shop.audit(*modules, options=("--json", "--no-pages"))
    assert done.status == 0, done.errors
    return done.sites


@pytest.mark.parametrize("engine", ENGINES)
def test_kind(sites: dict[str, Any], engine: str) -> None:
    assert sites[engine]["broken"] == ""
    assert sites[engine]["store"]["kind"] == KINDS[engine]


@pytest.mark.parametrize(
    ("engine", "pickles", "reach", "alone"),
    [
        ("redis_cache", "", "shared", True),
        ("pickling_cache", "pickles", "shared", True),
        ("memcached", "pickles", "shared", True),
        ("default_cache", "", "shared", False),
        ("local_memory", "", "process", True),
        ("dummy", "", "nobody", True),
        ("table_cache", "is a table of pickles", "table", True),
        ("file_cache", "is a folder of pickles", "shared", True),
    ],
)
def test_cache(sites: dict[str, Any], engine: str, pickles: str, reach: str, alone: bool) -> None:
    cache = sites[engine]["store"]["cache"]
    assert (cache["pickles"], cache["reach"], cache["alone"]) == (pickles, reach, alone)


def test_place_of_a_cache_has_no_password(sites: dict[str, Any]) -> None:
    assert sites["redis_cache"]["store"]["cache"]["place"] == "redis://***@store.example:6379/1"


def test_cache_that_cannot_be_imported_is_told(sites: dict[str, Any]) -> None:
    assert "shop.nowhere" in sites["no_cache"]["store"]["cache"]["error"]


def test_files_are_counted_in_their_folder(sites: dict[str, Any]) -> None:
    files = sites["files"]["store"]["files"]
    assert files["folder"].endswith("/kept")
    assert (files["count"], files["bytes"], files["complete"]) == (1, 4, True)


def test_engine_that_cannot_be_imported_is_told(sites: dict[str, Any]) -> None:
    assert "No module named 'shop.nowhere'" in sites["missing"]["store"]["error"]


@pytest.mark.parametrize(
    ("condition", "holds", "not_of"),
    [
        (
            "database-sessions",
            ["database", "own_table", "table_cache"],
            ["cached_database", "ours"],
        ),
        ("pickle", ["pickling_cache", "memcached", "file_cache"], ["redis_cache", "local_memory"]),
        ("unshared-sessions", ["local_memory", "dummy"], ["redis_cache", "database"]),
        ("shared-cache", ["default_cache"], ["redis_cache", "database"]),
        ("insecure-cookie", ["database"], ["redis_cache"]),
        ("no-cleanup", ["database", "cached_database"], []),
    ],
)
def test_condition(
    sites: dict[str, Any], condition: str, holds: list[str], not_of: list[str]
) -> None:
    assert {name: sites[name]["conditions"][condition] for name in holds} == dict.fromkeys(
        holds, True
    )
    assert not any(sites[name]["conditions"][condition] for name in not_of)


def test_each_condition_that_holds_comes_with_a_change(sites: dict[str, Any]) -> None:
    for site in sites.values():
        held = [name for name, holds in site["conditions"].items() if holds]
        assert [change["condition"] for change in site["changes"]] == held


def test_settings_to_type_are_python(sites: dict[str, Any]) -> None:
    for site in sites.values():
        for change in site["changes"]:
            compile("\n".join(change["settings"]), "settings", "exec")


def test_settings_that_are_told_end_what_they_are_told_for(
    sites: dict[str, Any], make_shop: MakeShop
) -> None:
    """Typed as they are printed: the conditions that settings can mend no longer hold."""
    shop = make_shop()
    typed = {
        name: "\n".join(line for change in sites[name]["changes"] for line in change["settings"])
        for name in ("database", "pickling_cache", "local_memory", "default_cache")
    }
    modules = [shop.settings(name, ENGINES[name] + text) for name, text in typed.items()]
    found = shop.audit(*modules, options=("--json", "--no-pages")).sites
    for name, site in found.items():
        held = {condition for condition, holds in site["conditions"].items() if holds}
        assert held == set(), name


def test_folder_that_cannot_be_read_is_told(make_shop: MakeShop, tmp_path: Path) -> None:
    shop = make_shop()
    added = f'SESSION_ENGINE = "{BACKENDS}.file"\nSESSION_FILE_PATH = "{tmp_path}/nowhere"\n'
    site = shop.audit(shop.settings("lost", added), options=("--json", "--no-pages")).sites["lost"]
    assert site["store"]["files"]["error"] == "No such file or directory"
