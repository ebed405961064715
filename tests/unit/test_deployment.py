"""deploy.json: a mistake in it names its place."""

from __future__ import annotations

import pytest

from django_split.analysis.deployment import Deployment, DeploymentError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"admin_pth": "/x/"}, "admin_pth: no such key. Did you mean admin_path?"),
        ({"session": {"engin": "x"}}, "session.engin: no such key. Did you mean session.engine?"),
        (
            {"session": {"engine": "db"}},
            "session.engine: 'db' is not one of redis, redis_db, cache",
        ),
        (
            {"session": {"engine": "redis", "store": "memcached"}},
            "session.engine: 'redis' keeps sessions in Redis, and the store is memcached: there it "
            "is 'cache'",
        ),
        ({"session": []}, "session: must be dict, not list"),
        ({"hosts": "a.example"}, "hosts: must be list, not str"),
        ({"port": "80"}, "port: must be int, not str"),
        ({"port": True}, "port: must be int, not bool"),
        ({"scheme": "ftp"}, "scheme: 'ftp' is not one of http, https"),
        ({"main_closed_prefixes": ["x/"]}, "main_closed_prefixes: 'x/' must be a path"),
        ({"main_closed_prefixes": ["/a b/;"]}, "must be a path that begins with /"),
        ({"main_closed_prefixes": [7]}, "main_closed_prefixes: 7 must be a path"),
        ({"admin_extra_prefixes": ["/"]}, "admin_extra_prefixes: / is the whole site"),
        ({"public_sessions": "db"}, "public_sessions: 'db' is not one of none, redis, redis_db"),
        (
            {"public_sessions": "redis_db", "public_session": {"store": "memcached"}},
            "public_sessions: 'redis_db' keeps sessions in Redis, and the store is memcached: "
            "there it is 'cached_db'",
        ),
        ({"admin_cookie_samesite": "None"}, "admin_cookie_samesite: 'None' is not one of Lax, St"),
        ({"admin_secret_key": "mine"}, "admin_secret_key: 'mine' is not one of shared, own"),
        ({"session_preset": "strict"}, "session_preset: 'strict' is not one of default, hardened"),
        ({"session_idle_timeout": -1}, "session_idle_timeout: -1 is less than no time"),
        ({"session_absolute_timeout": "9"}, "session_absolute_timeout: must be int, not str"),
        ({"session_record_client": 1}, "session_record_client: must be bool, not int"),
        ({"admin_cache": "mine"}, "admin_cache: 'mine' is not one of shared, own"),
        ({"main_closed_views": "x"}, "main_closed_views: must be list, not str"),
        ({"public_session": {"stor": "x"}}, "public_session.stor: no such key. Did you mean"),
        ({"site": "a b"}, "site: 'a b' may hold"),
        ([], "deploy: must be an object"),
    ],
)
def test_mistake_names_its_place(changes: dict[str, object], words: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        Deployment.read(changes, default_site="paper")
    assert words in str(caught.value)


def test_what_is_left_out_follows_from_the_site() -> None:
    deployment = Deployment.read({"site": None, "hosts": ["a.example"]}, default_site="paper")
    assert deployment.site == deployment.session.key_prefix == "paper"
    assert deployment.session.url == "unix:///run/paper/store/store.sock?db=0"
    assert deployment.public_session.url == "unix:///run/paper/public/store.sock?db=0"
    assert (deployment.session.engine, deployment.has_public_sessions) == ("redis", False)
    # The store of this playbook has a user for the Sessions page; one that is named may not.
    assert deployment.session.page == deployment.session.url
    named = {"hosts": ["a.example"], "session": {"url": "unix:///elsewhere"}}
    assert Deployment.read(named, default_site="paper").session.page == ""
    memcached = {"hosts": ["a.example"], "session": {"store": "memcached"}}
    assert Deployment.read(memcached, default_site="paper").session.engine == "cache"


def test_without_hosts_it_is_a_laptop_that_has_no_store() -> None:
    session = Deployment.read({}, default_site="paper").session
    assert (session.store, session.engine, session.url, session.page) == ("local", "", "", "")


@pytest.mark.parametrize(("said", "kept"), [("redis", "cache"), ("redis_db", "cached_db")])
def test_laptop_does_with_djangos_engines_what_a_host_does_with_ours(said: str, kept: str) -> None:
    deployment = Deployment.read({"public_sessions": said}, default_site="paper")
    assert deployment.public_session.engine == kept


@pytest.mark.parametrize(
    ("said", "timeouts"),
    [
        ({}, (0, 0)),
        ({"session_preset": "hardened"}, (1800, 43200)),
        ({"session_preset": "hardened", "session_idle_timeout": 60}, (60, 43200)),
        ({"session_absolute_timeout": 3600}, (0, 3600)),
    ],
)
def test_what_is_said_of_time_wins_over_the_preset(
    said: dict[str, object], timeouts: tuple[int, int]
) -> None:
    assert Deployment.read(said, default_site="paper").timeouts == timeouts


@pytest.mark.parametrize(
    ("scheme", "port", "origin"),
    [
        ("http", 80, "http://a.example"),
        ("http", 8080, "http://a.example:8080"),
        ("https", 443, "https://a.example"),
        ("https", 80, "https://a.example:80"),
    ],
)
def test_port_belongs_to_the_origin(scheme: str, port: int, origin: str) -> None:
    data = {"hosts": ["a.example", "*"], "scheme": scheme, "port": port}
    assert Deployment.read(data, default_site="a").origins() == [origin]
