"""One instance down: what its visitors read, and that the other goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nginx.stage import Site, site


@pytest.fixture(scope="module")
def half() -> Iterator[Site]:
    with site() as built:
        built.start()
        yield built


@pytest.mark.parametrize(
    ("down", "its", "other", "others", "says"),
    [
        ("main", "/", "admin", "/admin/", b"This page cannot be shown just now"),
        ("admin", "/admin/", "main", "/", b"The public pages are not affected"),
    ],
)
def test_one_instance_down_leaves_the_other_serving(
    half: Site, down: str, its: str, other: str, others: str, says: bytes
) -> None:
    half.stop_one(f"{down}-r1")
    try:
        response = half.ask(f"{its}?while-{down}-is-down")
        assert response.status == 502
        assert says in response.body
        assert response.header("content-type") == "text/html; charset=utf-8"
        assert response.header("retry-after") == "5"
        # A cache in front must not go on showing it when the site is back.
        assert response.header("cache-control") == "no-store"
        assert half.logged(f"while-{down}-is-down")["instance"] == down
        assert half.ask(others).instance == other
    finally:
        half.start_instance(down)
    assert half.ask(its).instance == down


@pytest.mark.parametrize("status", ["429", "500", "502", "503", "504"])
@pytest.mark.parametrize("target", ["/", "/admin/"])
def test_error_that_the_instance_explains_itself_is_not_replaced(
    half: Site, target: str, status: str
) -> None:
    response = half.ask(f"{target}?refuse={status}")
    assert response.status == int(status)
    assert response.said["path"] == target


def test_nginx_starts_before_any_release_is_there() -> None:
    """The first deploy, and a host that boots in any order."""
    with site() as built:
        built.write()
        built.start_nginx()
        assert built.ask("/").status == 502
        built.start_instance("main")
        built.flip("main", "r1")
        assert built.ask("/").instance == "main"
