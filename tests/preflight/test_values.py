"""The rules of each variable, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import ROOT

from preflight_checks import table, values  # isort: skip

TABLE = table.read_table(ROOT / "roles" / "preflight" / "meta" / "argument_specs.yml")
SOUND = {
    "site_name": "gazette",
    "site_source": "/srv/news",
    "site_settings": "news.settings",
    "site_hosts": ["news.example"],
}


def found(**changes: Any) -> list[str]:
    """The sentences that a set of variables earns."""
    taken = {name: row.default for name, row in TABLE.items() if not row.required}
    taken.update(
        {name: table.taken(value, TABLE[name]) for name, value in {**SOUND, **changes}.items()}
    )
    return [finding.what for finding in values.check(taken, set(changes))]


def test_the_defaults_of_the_table_pass_their_own_rules() -> None:
    assert found() == []
    for row in TABLE.values():
        if not row.required:
            table.taken(row.default, row)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("site_name", "News", "a lower-case letter, then at most 19"),
        ("site_name", "my_site", "(my-site would do)"),
        ("site_name", "a" * 21, "at most 19"),
        ("site_name", "a" * 80, "the system takes 107"),
        # Debian has a group of that name.
        ("site_name", "news", "the system has a user, a group or a folder of that name"),
        ("site_name", "nginx", "the system has a user, a group or a folder of that name"),
        ("site_name", "django-split", "the system has"),
        ("site_name", "gazette-main-http", 'that of a user of the site "gazette'),
        ("site_hosts", [], "site_hosts is empty"),
        ("site_hosts", ["a.example:8080"], "a port does not belong here"),
        ("site_hosts", ["https://a.example/"], '("a.example")'),
        ("site_hosts", ["*.example"], "patterns are not served"),
        ("site_hosts", [".example"], "patterns are not served"),
        ("site_hosts", ["A.example"], '("a.example")'),
        ("site_hosts", ["bücher.example"], '("xn--bcher-kva.example")'),
        ("site_hosts", ["a b.example"], "no host name"),
        ("site_hosts", ["-a.example"], "no host name"),
        ("site_hosts", ["a.example."], "leave the last dot out"),
        ("site_hosts", ["127.0.0.300"], "no IPv4 address"),
        ("site_hosts", ["::1"], 'in brackets ("[::1]")'),
        ("site_hosts", ["a.example", "a.example"], "twice"),
        ("site_port", 0, "a port is 1 to 65535"),
        ("site_port", 65536, "a port is 1 to 65535"),
        ("proxy_listen", [], "proxy_listen is empty"),
        ("proxy_listen", ["::1"], "IPv6 address in brackets"),
        ("proxy_listen", ["127.0.0.1:80"], "the port is site_port's"),
        ("site_python", "python3", "write the whole path"),
        ("site_packages", ["libpq5; rm"], "no Debian package"),
        ("site_keep_releases", 0, "at least the one that serves"),
        ("site_serial", 0, "a number of hosts, at least 1"),
        ("site_serial", "0%", '("25%")'),
        ("site_serial", "half", '("25%")'),
        ("site_serial", [1, 5], "a number of hosts"),
        ("site_serial", True, "a number of hosts"),
        ("site_gate_path", "health", 'begins with "/"'),
        ("site_gate_status", 503, "200 to 499"),
        ("main_workers", 0, "at least 1"),
        ("session_store_memory", "64", '"64mb"'),
        ("session_store_port", 0, "a port is 1 to 65535"),
        ("session_store_down_after", 0, "seconds"),
        ("session_store_min_replicas", -1, "replicas"),
        ("site_address", "10.0.0.1:6379", "without a port"),
        ("site_address", "[fd00::1]", "without brackets"),
        ("main_memory", "512", '"512M"'),
        ("main_memory", "101%", '"25%"'),
        ("admin_memory", "1.5G", '"512M"'),
        ("main_networks", ["10.0.0.1/8"], "has host bits set"),
        ("admin_networks", ["db.example"], "an address or a network"),
        ("site_unit_relax", ["all"], "setgid or netlink"),
        ("proxy_max_body", "20 megabytes", '"20m"'),
        ("site_env", {"A-B": "x"}, "letters, digits"),
        ("site_env", {"DJANGO_SETTINGS_MODULE": "x"}, "Take it out"),
        ("main_env", {"A": "x\ny"}, "a line break"),
        # systemd leaves such a variable out without a word.
        ("main_env", {"A": "x\x01y"}, "a control character"),
        ("admin_env", {"A": True}, "write it in quotes"),
        ("admin_env", {"A": None}, "write a text"),
        ("site_processes", [{"name": "main", "command": "x"}], "one of django-split's own"),
        ("site_processes", [{"name": "W 1", "command": "x"}], "a lower-case letter"),
        ("site_processes", [{"name": "w", "command": "x"}] * 2, "twice"),
        ("site_processes", [{"name": "w", "command": " "}], "no command of one line"),
        ("site_processes", [{"name": "w", "command": "x", "stop_seconds": 0}], "waits so long"),
        ("site_processes", [{"name": "w", "command": "x", "stop_seconds": 3601}], "1 to 3600"),
        ("site_first_commands", ["load\nx"], "a command of one line"),
        ("site_superuser", {"username": "a b", "email": "a@b"}, "has a space"),
        ("site_superuser", {"username": "a", "email": "b"}, "no address"),
        ("site_requirements", ["Django=5"], "no requirement that pip knows"),
        ("site_requirements", [5], "is no text"),
        ("site_requirements", 5, "neither the path"),
        ("admin_path", "admin", '("/admin/")'),
        ("admin_path", "/", "the whole site"),
        ("admin_host", "news.example", "one of site_hosts too"),
        ("admin_host", "https://desk.example", '("desk.example")'),
        ("admin_host", "desk.example:8443", "a port does not belong here"),
        ("admin_host", "*.example", "patterns are not served"),
        ("admin_urlconfs", ["news/desk/urls.py"], "no dotted name of a module"),
        ("admin_urlconfs", ["news.*.urls"], "no dotted name of a module"),
        ("admin_urlconfs", [""], "no dotted name of a module"),
        ("admin_cache", "both", "shared or own"),
        ("main_closed_views", ["/accounts/login/"], "that is a path; name the view"),
        ("main_closed_views", ["*"], "that is every view"),
        ("main_closed_views", ["login"], 'a dotted name ("news.views.edit")'),
        ("main_closed_views", [""], 'a dotted name ("news.views.edit")'),
        ("main_anonymous_views", ["*.*"], "that is every view"),
        ("main_anonymous_views", ["news.views.edit()"], "a dotted name"),
        ("main_anonymous_views", ["news views.edit"], "a dotted name"),
        ("public_sessions", "db", "keeps every session in the database"),
        ("public_sessions", "signed_cookies", "where nobody can end them"),
        ("public_sessions", "yes", "no engine of ours"),
        ("site_processes", [{"name": "public", "command": "x"}], "one of django-split's own"),
        ("site_processes", [{"name": "purge", "command": "x"}], "one of django-split's own"),
        ("site_processes", [{"name": "rotate", "command": "x"}], "one of django-split's own"),
        ("site_name", "gazette-public", 'that of a user of the site "gazette'),
        ("admin_extra_prefixes", ["/accounts"], '("/accounts/")'),
        ("main_closed_prefixes", ["/a b/"], "between single slashes"),
        ("session_engine", "db", '"redis_db" keeps a copy there'),
        ("session_engine", "sqlite", "With session_store redis: cache or cached_db or redis or"),
        ("session_preset", "strict", "default or hardened"),
        ("session_idle_timeout", -1, "a number of seconds"),
        ("session_absolute_timeout", -1, "a number of seconds"),
        ("admin_cookie_samesite", "None", "Lax or Strict"),
        ("admin_secret_key", "both", "shared or own"),
        # Main would know it, too.
        ("site_env", {"DJANGO_SPLIT_ADMIN_SECRET_KEY": "x"}, "Take it out"),
        ("session_store", "keydb", "memcached, redis or valkey"),
        ("site_database", "postgres", "url or postgresql"),
        ("site_database_port", 0, "1 to 65535"),
        ("main_grants", {"search": ["DROP"]}, "SELECT, INSERT, UPDATE, DELETE"),
        ("main_grants", {"search": "SELECT"}, "write a list"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name: str, value: Any, sentence: str) -> None:
    sentences = found(**{name: value})
    assert len(sentences) == 1, sentences
    assert sentences[0].startswith(name)
    assert sentence in sentences[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site_name", "a" * 20),
        ("site_hosts", ["localhost", "127.0.0.1", "[::1]", "xn--bcher-kva.example", "a_b.example"]),
        ("proxy_listen", ["*", "10.0.0.1", "[2001:db8::1]"]),
        ("site_packages", ["libpq5", "libfoo2:amd64", "g++"]),
        ("site_env", {"DATABASE_URL": "postgres://u:p@h/d?x=1#y", "_X": ""}),
        (
            "site_processes",
            [{"name": "worker", "command": "celery -A news worker", "user": "main"}],
        ),
        ("site_requirements", ["Django>=5,<6", "news @ https://news.example/news.tar.gz"]),
        ("admin_path", "/de/admin/"),
        ("admin_extra_prefixes", ["/accounts/", "/oauth/callback/"]),
        ("session_engine", "cached_db"),
        ("session_preset", "hardened"),
        ("session_idle_timeout", 1800),
        ("site_address", "fd00::1"),
        ("site_address", "store1.internal"),
        ("session_record_client", True),
        ("session_purge", False),
        ("main_memory", "100%"),
        ("admin_memory", "2G"),
        ("main_networks", ["localhost", "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]),
        ("site_unit_relax", ["setgid", "netlink"]),
        ("admin_cookie_samesite", "Strict"),
        ("admin_secret_key", "own"),
        ("site_serial", 10),
        ("site_serial", "2"),  # as -e gives it
        ("site_serial", "100%"),
        ("admin_host", "desk.news.example"),
        ("admin_urlconfs", ["wagtail.admin.urls", "desk_urls"]),
        ("admin_cache", "own"),
        ("main_closed_views", ["allauth.account.views.*", "*.logout", "n.make.<locals>.view"]),
        ("main_anonymous_views", ["news.views.Profile", "news.feeds.<lambda>"]),
        ("public_sessions", "cached_db"),
    ],
)
def test_a_value_that_can_be_meant_is_taken(name: str, value: Any) -> None:
    assert found(**{name: value}) == []


@pytest.mark.parametrize(
    ("closed", "served"), [("/api/", "/api/docs/"), ("/api/docs/", "/api/"), ("/a/", "/a/")]
)
def test_a_path_is_not_both_closed_and_served(closed: str, served: str) -> None:
    extra = found(main_closed_prefixes=[closed], admin_extra_prefixes=[served])
    own = found(main_closed_prefixes=[closed], admin_path=served)
    assert "a path cannot be both" in extra[0]
    assert "a path cannot be both" in own[0]
    assert found(main_closed_prefixes=["/apis/"], admin_extra_prefixes=["/api/"]) == []


def test_a_view_is_not_both_closed_and_anonymous() -> None:
    both = ["news.views.edit"]
    [sentence] = found(main_closed_views=both, main_anonymous_views=both)
    assert "it is closed or served" in sentence
    assert found(main_closed_views=["news.*"], main_anonymous_views=both) == []


def test_every_choice_of_the_table_is_taken() -> None:
    for name in (
        *("admin_cache", "admin_cookie_samesite", "admin_secret_key"),
        *("public_sessions", "session_preset"),
    ):
        assert TABLE[name].choices
        for choice in TABLE[name].choices:
            assert found(**{name: choice}) == []


def test_one_mistake_is_one_sentence() -> None:
    """A path that is no path is not also compared with others."""
    sentences = found(main_closed_prefixes=["/api"], admin_extra_prefixes=["/api/docs/"])
    assert len(sentences) == 1
    assert '("/api/")' in sentences[0]


def test_every_pair_of_engine_and_store_is_served_or_refused() -> None:
    for engine in TABLE["session_engine"].choices:
        for store in TABLE["session_store"].choices:
            served = (engine, store) in values.SERVES
            for name in ("session_engine", "public_sessions"):
                assert (found(**{name: engine}, session_store=store) == []) is served


@pytest.mark.parametrize("name", ["session_engine", "public_sessions"])
def test_what_memcached_cannot_serve_is_told_what_it_can(name: str) -> None:
    [sentence] = found(**{name: "redis_db"}, session_store="memcached")
    assert sentence.startswith(f'{name} is "redis_db": memcached cannot serve it.')
    assert sentence.endswith("With session_store memcached: cache or cached_db")
    # Unsaid, the engine follows the store.
    assert found(session_store="memcached") == []


def test_persistence_is_refused_of_memcached_only_when_asked_for() -> None:
    assert found(session_store="memcached") == []
    assert found(session_store="memcached", session_persistent=False) == []
    assert "memcached forgets" in found(session_store="memcached", session_persistent=True)[0]


def test_the_longest_name_that_is_taken_has_sockets_that_can_be_bound() -> None:
    for path in values.socket_paths("a" * 20):
        assert len(path) <= values.SOCKET_BYTES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site_port", True),
        ("site_port", 80.5),
        ("site_port", "80a"),
        ("site_name", 5),
        ("site_version", 1.1),
        ("site_hosts", "a.example"),
        ("site_hosts", [5]),
        ("site_env", ["A=b"]),
        ("session_persistent", "maybe"),
        ("session_persistent", 1),
        ("site_processes", [{"name": "a"}]),
        ("site_processes", [{"name": "a", "command": "b", "user": "root"}]),
        ("site_processes", [{"name": "a", "command": "b", "before_migrations": "wait"}]),
        ("site_processes", [{"name": "a", "command": "b", "stop_seconds": "soon"}]),
        ("site_processes", [{"name": "a", "command": "b", "stop_signal": "KILL"}]),
        ("site_processes", [{"name": "a", "command": "b", "stop_signal": "SIGUSR1"}]),
        ("site_processes", ["celery"]),
        ("site_port", None),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(table.WrongTypeError):
        table.taken(value, TABLE[name])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("site_prot", "site_port"),
        ("site_host", "site_hosts"),
        ("main_port", "site_port"),
        ("session_persistant", "session_persistent"),
        ("admin_worker", "admin_workers"),
        ("main_worker", "main_workers"),
        ("public_session", "public_sessions"),
        ("main_close_views", "main_closed_views"),
    ],
)
def test_a_misspelling_is_told_the_nearest_name(wrong: str, right: str) -> None:
    assert table.nearest(wrong, TABLE) == f" (did you mean {right}?)"


def test_what_begins_with_public_is_ours_only_when_it_is_near() -> None:
    names = {"public_sesions", "public_ip", "public_hosts", "site_ip", "public_sessions"}
    assert list(table.unknown(names, TABLE, [])) == ["public_sesions", "site_ip"]


@pytest.mark.parametrize("name", ["site_zone", "admin_phone", "main_colour"])
def test_a_name_that_is_near_nothing_gets_no_guess(name: str) -> None:
    assert table.nearest(name, TABLE) == ""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"site_env": {"DATABASE_URL": "x"}}, "Take it out, or say site_database: url"),
        ({"admin_env": {"DATABASE_URL": "x"}}, 'admin_env has "DATABASE_URL"'),
        (
            {"site_database_env": {"PGUSER": "{user}"}, "main_env": {"PGUSER": "x"}},
            'main_env has "PGUSER"',
        ),
        ({"site_database_env": {"PGHOST": "{host}"}}, "has {user} nowhere"),
        ({"site_database_env": {}}, "names no variable"),
        ({"main_writes_users": True, "main_reads_passwords": False}, "Take one of them out"),
    ],
)
def test_a_database_of_ours_is_told_in_one_place(changes: dict[str, Any], sentence: str) -> None:
    sentences = found(site_database="postgresql", **changes)
    assert len(sentences) == 1, sentences
    assert sentence in sentences[0]


def test_a_database_of_the_sites_own_is_told_as_it_likes() -> None:
    assert found(site_env={"DATABASE_URL": "postgres://u:p@h/d"}) == []
    assert found(site_database="postgresql", site_env={"OTHER_URL": "x"}) == []
