"""A superuser looks who is signed in and ends sessions, in Chromium, on a desk and on a phone."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.sessions.offices import PASSWORD, Office, office, serve
from tests.support.stores import redis_store

from . import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# DEBUG: runserver then serves the admin's style sheets, which are what is looked at here.
ADDED = "DEBUG = True\nDJANGO_SPLIT_SESSIONS |= {'record_client': True}"
LIST = "/admin/django_split/sessions/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place: Path = tmp_path_factory.mktemp("browser")
    with redis_store(place / "store.sock"), office(place, ADDED) as made:
        yield made


@pytest.fixture(scope="module")
def address(site: Office) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = serve(site, port)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def sign_in(tab: Page, address: str) -> None:
    tab.goto(f"{address}/admin/")
    tab.fill("[name=username]", "chief")
    tab.fill("[name=password]", PASSWORD)
    tab.click("[type=submit]")
    expect(tab.locator("#user-tools")).to_be_visible()


def test_sessions_are_found_and_ended(site: Office, address: str) -> None:
    site.does("for name in ('clerk', 'clerk', 'deputy', 'deputy'): signed_in(name)")
    with chromium.page() as tab:
        failed: list[str] = []
        tab.on("requestfailed", lambda request: failed.append(request.url))
        tab.on("pageerror", lambda error: failed.append(str(error)))
        sign_in(tab, address)
        tab.get_by_role("link", name="Sessions", exact=True).click()
        expect(tab.locator("#result_list tbody tr")).to_have_count(5)
        expect(tab.locator("#result_list tbody tr").first).to_contain_text("this session")

        tab.get_by_role("button", name="End this session of clerk").first.click()
        expect(tab.locator(".success")).to_have_text("1 session was ended.")
        expect(tab.locator("#result_list tbody tr")).to_have_count(4)

        tab.fill("[name=q]", "dep")
        tab.keyboard.press("Enter")
        expect(tab.locator("#result_list tbody tr")).to_have_count(2)
        tab.get_by_role("link", name="End all of user").first.click()
        tab.get_by_role("button", name=re.compile("Yes, I.m sure")).click()
        expect(tab.locator(".success")).to_have_text("2 sessions were ended.")

        tab.get_by_role("link", name="End all sessions but mine").click()
        tab.get_by_role("link", name="No, take me back").click()
        expect(tab.locator("#result_list tbody tr")).to_have_count(2)
        assert failed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(site: Office, address: str, scheme: str) -> None:
    site.does("signed_in('clerk', REMOTE_ADDR='2001:db8:85a3:8d3:1319:8a2e:370:7348')")
    with chromium.page() as tab:
        tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        tab.set_viewport_size({"width": 360, "height": 740})
        sign_in(tab, address)
        tab.goto(address + LIST)
        expect(tab.get_by_role("button", name="End this session of clerk").first).to_be_visible()
        # Nothing runs out of the screen, and no part of the list has to be pushed aside.
        wide = "[document.documentElement, document.querySelector('.results')]"
        assert tab.evaluate(f"{wide}.map(it => it.scrollWidth <= it.clientWidth)") == [True, True]
        background = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") == (scheme == "light")
