"""Under which names the site answers."""

from __future__ import annotations

import pytest

from nginx.stage import Site, render, request, site


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "www.example.org", "localhost:9000", "[::1]", "[::1]:8080"]
)
def test_own_name_is_answered(gazette: Site, host: str) -> None:
    assert gazette.ask("/", host=host).instance == "main"
    assert gazette.ask("/admin/", host=host).instance == "admin"


@pytest.mark.parametrize(
    "host",
    [
        *["example.org", "www.example.org.evil.test", "evil.test", "127.0.0.1", "_", "*", "-"],
        *["localhost.evil.test", "evil.localhost", "default_server"],
    ],
)
def test_unknown_name_gets_a_closed_connection(gazette: Site, host: str) -> None:
    assert gazette.send(request("/", host=host)) is None
    assert gazette.send(request("/admin/", host=host)) is None


def test_no_name_at_all_gets_a_closed_connection(gazette: Site) -> None:
    assert gazette.send(request("/", host=None, version="1.0")) is None


def test_name_in_the_request_line_counts_for_both(gazette: Site) -> None:
    """Chosen by one name and told another, Django would build links to somebody else's host."""
    assert gazette.send(request("http://evil.test/admin/", host="localhost")) is None
    response = gazette.ask("http://localhost/admin/", host="evil.test")
    assert response.said["headers"]["HOST"] == "localhost"


def test_port_stays_as_the_visitor_wrote_it(gazette: Site) -> None:
    """CSRF compares Origin with Host; behind a port mapping only the visitor knows the port."""
    assert (
        gazette.ask("/", host="www.example.org:9000").said["headers"]["HOST"]
        == "www.example.org:9000"
    )
    assert gazette.ask("/", host="[::1]:9000").said["headers"]["HOST"] == "[::1]:9000"


@pytest.mark.parametrize(
    "host",
    ["", ".", "localhost:80:90", "local host", "localhost:x", "localhost/", "localhost:99@x"],
)
def test_broken_name_reaches_nobody_or_comes_out_clean(gazette: Site, host: str) -> None:
    response = gazette.send(request("/admin/", host=host))
    assert (
        response is None
        or response.instance == "nginx"
        or response.said["headers"]["HOST"]
        in (
            "localhost",
            "localhost:90",
        )
    )


def test_two_sites_share_one_nginx() -> None:
    with site(site_hosts=["one.test"]) as one:
        one.start()
        other = {**one.variables, "site_name": "other-site", "site_hosts": ["two.test"]}
        folder = one.config.parent / "sites" / "other-site"
        folder.mkdir()
        (folder / "site.conf").write_text(render("nginx/site.conf.j2", **other))
        tested = one.test()
        assert tested.returncode == 0, tested.stderr
        one.stop_one("nginx")
        one.start_nginx()
        assert one.ask("/", host="one.test").instance == "main"
        assert one.ask("/admin/", host="two.test").instance == "admin"
