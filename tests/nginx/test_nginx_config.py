"""The rendered configuration as nginx reads it: what the tests of the routing rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import crossplane  # type: ignore[import-untyped]
import pytest

from nginx.stage import Site, site

Directive = dict[str, Any]


def walk(block: list[Directive], file: str, above: tuple[str, ...] = ()) -> Iterator[Directive]:
    for directive in block:
        yield {**directive, "file": file, "above": above}
        yield from walk(directive.get("block", []), file, (*above, directive["directive"]))


def directives(built: Site) -> list[Directive]:
    parsed = crossplane.parse(str(built.config))
    assert (parsed["status"], parsed["errors"]) == ("ok", [])
    return [found for file in parsed["config"] for found in walk(file["parsed"], file["file"])]


@pytest.fixture(
    scope="module",
    params=[
        "one thread",
        "threads",
        "one prefix",
        "no admin",
        "own host",
        "logins on main",
        "microcache",
    ],
)
def written(request: pytest.FixtureRequest) -> Iterator[Site]:
    variables: dict[str, dict[str, Any]] = {
        "one thread": {},
        "threads": {"main_threads": 4, "admin_threads": 4},
        "one prefix": {"admin_prefixes": ["/django-admin/"], "admin_login": "/django-admin/login/"},
        "no admin": {"admin_prefixes": [], "admin_login": ""},
        "own host": {"admin_host": "desk.example.org", "admin_logins": ["/in/", "/sign-in"]},
        "microcache": {"main_microcache": 1},
        "logins on main": {"main_logins": ["/accounts/login/"]},
    }
    with site(**variables[request.param]) as built:
        built.write()
        yield built


@pytest.fixture(scope="module")
def lines(written: Site) -> list[Directive]:
    return directives(written)


def values(lines: list[Directive], name: str) -> list[list[str]]:
    return [line["args"] for line in lines if line["directive"] == name]


def test_nginx_accepts_it_in_a_stage(written: Site) -> None:
    tested = written.test()
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("underscores_in_headers", "off"),
        ("ignore_invalid_headers", "on"),
        ("merge_slashes", "on"),
        ("server_tokens", "off"),
        ("absolute_redirect", "off"),
        ("client_header_timeout", "10s"),
        ("worker_connections", "4096"),
        ("proxy_intercept_errors", "off"),
    ],
)
def test_said_once_for_everything(lines: list[Directive], name: str, value: str) -> None:
    assert values(lines, name) == [[value]]


def test_every_header_for_the_instances_is_in_one_file(lines: list[Directive]) -> None:
    """One proxy_set_header in a location would drop all the others there."""
    found = [line for line in lines if line["directive"] == "proxy_set_header"]
    assert found
    assert {line["file"].rpartition("/")[2] for line in found} == {"proxy_headers.conf"}
    including = [line for line in lines if line["args"] == ["proxy_headers.conf"]]
    assert [line["above"] for line in including] == [("http",)]


def test_url_goes_on_as_it_came(lines: list[Directive]) -> None:
    for (target,) in values(lines, "proxy_pass"):
        assert target in ("http://gazette-main", "http://gazette-admin")


def test_location_and_alias_end_with_a_slash_both(lines: list[Directive]) -> None:
    for line in lines:
        if line["directive"] == "location" and any(
            x["directive"] == "alias" for x in line["block"]
        ):
            [alias] = [x["args"][0] for x in line["block"] if x["directive"] == "alias"]
            assert line["args"][0] == "^~"
            assert line["args"][1].endswith("/")
            assert alias.endswith("/")


def test_admin_is_reached_by_its_locations_and_all_of_them_are_limited(
    written: Site, lines: list[Directive]
) -> None:
    locations = [line for line in lines if line["directive"] == "location"]
    to_admin = [
        line
        for line in locations
        if any(x["args"] == ["http://gazette-admin"] for x in line["block"])
    ]
    expected = [
        ["^~" if prefix.endswith("/") else "=", prefix]
        for name in ("admin_prefixes", "admin_logins")
        for prefix in written.variables[name]
    ]
    assert [line["args"] for line in to_admin] == expected
    for line in to_admin:
        assert {"limit_req", "if"} <= {x["directive"] for x in line["block"]}
    # A regular expression would be asked before the plain prefixes.
    assert not [line for line in locations if line["args"][0].startswith("~")]


def test_run_time_paths_are_relative(lines: list[Directive]) -> None:
    """The same bytes are tested in a stage; an absolute path would be the serving one's."""
    names = [
        "pid",
        "error_log",
        "access_log",
        "include",
        "client_body_temp_path",
        "proxy_temp_path",
    ]
    names += ["fastcgi_temp_path", "uwsgi_temp_path", "scgi_temp_path"]
    for name in names:
        assert values(lines, name), name
        assert not [args for args in values(lines, name) if args[0].startswith("/")]
    assert not values(lines, "daemon")


def test_unknown_names_are_refused_on_every_address(lines: list[Directive]) -> None:
    servers = [
        line for line in lines if line["directive"] == "server" and line["above"] == ("http",)
    ]
    servers += [line for line in lines if line["directive"] == "server" and line["above"] == ()]
    listens: dict[str, set[str]] = {"refusing": set(), "serving": set()}
    for server in servers:
        refuses = any(x["directive"] == "return" and x["args"] == ["444"] for x in server["block"])
        for listen in (x["args"] for x in server["block"] if x["directive"] == "listen"):
            assert ("default_server" in listen) is refuses
            listens["refusing" if refuses else "serving"].add(listen[0])
    assert listens["refusing"] == listens["serving"] != set()


@pytest.mark.parametrize("threads", [1, 4])
def test_connections_are_kept_only_where_gunicorn_keeps_them(threads: int) -> None:
    with site(main_threads=threads, admin_threads=1) as built:
        built.write()
        lines = directives(built)
    kept = [
        line for line in lines if line["directive"] == "keepalive" and "upstream" in line["above"]
    ]
    assert len(kept) == (1 if threads > 1 else 0)
    # A deploy relies on it: after this, nobody talks to the old release.
    assert values(lines, "keepalive_time") == [["1s"]] * len(kept)


def test_prefixes_in_any_script_are_written_so_that_nginx_reads_them() -> None:
    with site(
        admin_prefixes=["/админ/", "/a b/", '/q"u/', "/(x)/", "/$y/"], admin_login=""
    ) as built:
        built.start()
        assert built.ask("/%D0%B0%D0%B4%D0%BC%D0%B8%D0%BD/").instance == "admin"
        assert built.ask("/%d0%b0%d0%b4%d0%bc%d0%b8%d0%bd/x").instance == "admin"
        assert built.ask("/a%20b/").instance == "admin"
        assert built.ask("/(x)/").instance == "admin"
        assert built.ask("/xx/").instance == "main"
        bare = built.ask("/%D0%B0%D0%B4%D0%BC%D0%B8%D0%BD")
        assert bare.header("location") == "/%D0%B0%D0%B4%D0%BC%D0%B8%D0%BD/"
