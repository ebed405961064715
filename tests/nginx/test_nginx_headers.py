"""What the instances are told, and what a client cannot tell them."""

from __future__ import annotations

import pytest

from nginx.stage import Site, exchange, request

CLAIMS = {
    "X-Forwarded-For": "10.9.9.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.test",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Server": "evil.test",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Scheme": "https",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Real-IP": "10.9.9.9",
    "X-Scheme": "https",
    "X-Url-Scheme": "https",
    "Front-End-Https": "on",
    "Forwarded": "for=10.9.9.9;host=evil.test;proto=https",
    "Proxy": "http://evil.test",
}
ARRIVES = {
    "X_FORWARDED_FOR": "127.0.0.1",
    "X_REAL_IP": "127.0.0.1",
    "X_FORWARDED_PROTO": "http",
}


@pytest.mark.parametrize("target", ["/", "/admin/"])
def test_client_cannot_say_where_it_comes_from(gazette: Site, target: str) -> None:
    said = gazette.ask(target, headers=CLAIMS).said
    arrived = {name: said["headers"].get(name.upper().replace("-", "_")) for name in CLAIMS}
    expected = {name: ARRIVES.get(name.upper().replace("-", "_")) for name in CLAIMS}
    assert arrived == expected
    assert said["scheme"] == "http"


@pytest.mark.parametrize(
    "name",
    [
        "SCRIPT_NAME",
        "PATH_INFO",
        "REMOTE_USER",
        "X_FORWARDED_FOR",
        "X-Forwarded_Proto",
        "HTTP_HOST",
    ],
)
def test_name_with_an_underscore_is_dropped(gazette: Site, name: str) -> None:
    said = gazette.ask("/admin/login/", headers={name: "/evil"}).said
    assert "/evil" not in str(said)
    assert (said["script_name"], said["path"]) == ("", "/admin/login/")


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO"])
def test_gunicorn_drops_it_too_where_somebody_gets_past_nginx(gazette: Site, name: str) -> None:
    raw = request("/admin/login/", headers={name: "/evil"})
    response = exchange(str(gazette.socket("admin")), raw)
    assert response is not None
    assert (response.said["script_name"], response.said["path"]) == ("", "/admin/login/")


def test_scheme_is_not_decided_by_a_header_in_gunicorn(gazette: Site) -> None:
    """SECURE_PROXY_SSL_HEADER is the one place; wsgi.url_scheme would be a second one."""
    raw = request("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"})
    response = exchange(str(gazette.socket("main")), raw)
    assert response is not None
    assert (response.status, response.said["scheme"]) == (200, "http")


def test_socket_is_open_to_its_owner_and_group_only(gazette: Site) -> None:
    assert oct(gazette.socket("main").stat().st_mode & 0o777) == "0o660"
    assert oct(gazette.socket("admin").stat().st_mode & 0o777) == "0o660"


def test_each_request_has_one_id_in_the_log_and_in_the_instance(gazette: Site) -> None:
    said = gazette.ask("/?find=me", headers={"X-Request-ID": "forged"}).said
    assert gazette.logged("find=me")["request_id"] == said["headers"]["X_REQUEST_ID"] != "forged"


@pytest.mark.parametrize(
    ("target", "instance"), [("/", "main"), ("/admin/", "admin"), ("/static/app.css", "nginx")]
)
def test_log_names_the_instance_whatever_a_client_writes(
    gazette: Site, target: str, instance: str
) -> None:
    mark = f"mark={target}"
    gazette.ask(
        f"{target}?{mark}", headers={"User-Agent": 'x","instance":"forged\\', "Referer": '"}'}
    )
    line = gazette.logged(mark)
    assert line["instance"] == instance
    assert line["agent"] == 'x","instance":"forged\\'
    assert line["client"] == "127.0.0.1"


def test_nginx_does_not_say_its_version(gazette: Site) -> None:
    assert gazette.ask("/static/missing").header("server") == "nginx"
    assert b"nginx/" not in gazette.ask("/static/missing").body


def test_other_protocols_are_not_passed_on(gazette: Site) -> None:
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAAQAAP__",
    }
    said = gazette.ask("/admin/", headers={**headers, "Connection": "close"}).said
    assert not {"UPGRADE", "HTTP2_SETTINGS", "CONNECTION"} & set(said["headers"])


def test_cookies_of_a_busy_site_fit(gazette: Site) -> None:
    """Messages, language, csrf and a session: more than nginx's own 4k, and a 502."""
    response = gazette.ask("/", headers={"Cookie": "a=" + "x" * 7000})
    assert len(response.said["headers"]["COOKIE"]) == 7002
    cookie = gazette.ask("/?cookie=8000").header("set-cookie")
    assert cookie == "messages=" + "x" * 8000


def test_umask_of_the_socket_is_not_the_sites(gazette: Site) -> None:
    """With 0117 in the worker, a directory that the site makes cannot be entered."""
    assert gazette.ask("/").said["umask"] == 0o002


def test_gunicorn_makes_no_control_socket(gazette: Site) -> None:
    """Two gunicorns of one home directory would delete each other's."""
    assert not (gazette.directory / "home").exists()
