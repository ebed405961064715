"""What is shown in maintenance is looked at before it is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Preflight

from preflight_checks import maintenance  # isort: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such file on the machine that runs ansible-playbook"),
        (b"", "the page is empty"),
        (b"\n", "the page is empty"),
        (b"<p>R\xe4umt auf", "the page is not UTF-8"),
        (b"x" * (1024 * 1024 + 1), "the page has 1048577 bytes"),
    ],
)
def test_a_page_that_cannot_be_shown(tmp_path: Path, content: bytes | None, told: str) -> None:
    page = tmp_path / "closed.html"
    if content is not None:
        page.write_bytes(content)
    [found] = maintenance.check({"main_maintenance_page": str(page)})
    assert found.variable == "main_maintenance_page"
    assert f'main_maintenance_page is "{page}": {told}' in found.what


def test_a_relative_path_is_told_how_to_be_a_whole_one() -> None:
    [found] = maintenance.check({"admin_maintenance_page": "closed.html"})
    assert "{{ inventory_dir }}" in found.what


def test_what_is_right_is_not_spoken_of(tmp_path: Path) -> None:
    page = tmp_path / "closed.html"
    page.write_text("<p>Räumt auf")
    said = {
        "main_maintenance_page": str(page),
        "admin_maintenance_page": "",
        "site_maintenance_bypass": ["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"],
    }
    assert list(maintenance.check(said)) == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("localhost", "does not appear to be an IPv4 or IPv6"),
        ("10.0.0.1/8", "has host bits set"),
        ("10.0.0.0/8; return 200", "does not appear"),
    ],
)
def test_who_is_let_in_is_an_address(address: str, told: str) -> None:
    [found] = maintenance.check({"site_maintenance_bypass": [address]})
    assert told in found.what
    assert found.value == address


def test_preflight_says_so_with_the_place(preflight: Preflight) -> None:
    outcome = preflight(
        {"main_maintenance_page": "/no/such.html", "site_maintenance_bypass": ["desk"]}
    )
    assert outcome.code != 0
    assert "It is set in" in outcome.problem('main_maintenance_page is "/no/such.html": no such')
    assert "It is set in" in outcome.problem('site_maintenance_bypass has "desk"')
