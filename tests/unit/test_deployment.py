"""deploy.json: a mistake in it names its place."""

from __future__ import annotations

import pytest

from django_split.analysis.deployment import Deployment, DeploymentError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"admin_pth": "/x/"}, "admin_pth: no such key. Did you mean admin_path?"),
        ({"session": {"engin": "x"}}, "session.engin: no such key. Did you mean session.engine?"),
        ({"session": {"engine": "redis"}}, "session.engine: 'redis' is not one of cache, cached"),
        ({"session": []}, "session: must be dict, not list"),
        ({"hosts": "a.example"}, "hosts: must be list, not str"),
        ({"port": "80"}, "port: must be int, not str"),
        ({"port": True}, "port: must be int, not bool"),
        ({"scheme": "ftp"}, "scheme: 'ftp' is not one of http, https"),
        ({"main_closed_prefixes": ["x/"]}, "main_closed_prefixes: 'x/' must be a path"),
        ({"main_closed_prefixes": ["/a b/;"]}, "must be a path that begins with /"),
        ({"main_closed_prefixes": [7]}, "main_closed_prefixes: 7 must be a path"),
        ({"admin_extra_prefixes": ["/"]}, "admin_extra_prefixes: / is the whole site"),
        ({"public_sessions": "redis"}, "public_sessions: 'redis' is not one of none, cache, cac"),
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
    assert (deployment.session.engine, deployment.has_public_sessions) == ("cache", False)


def test_without_hosts_it_is_a_laptop_that_has_no_store() -> None:
    session = Deployment.read({}, default_site="paper").session
    assert (session.store, session.engine, session.url) == ("local", "", "")


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
