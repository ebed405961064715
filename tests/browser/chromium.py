"""Debian's Chromium, driven by Playwright: one fresh profile a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

# No background traffic: a machine without a way out would refuse it, many times a second.
QUIET = (
    "--no-sandbox",  # the tests run as root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def page() -> Iterator[Page]:
    """A tab with no history, no cookies and a time limit of 20 s for everything."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            tab = browser.new_page()
            tab.set_default_timeout(20_000)
            yield tab
        finally:
            browser.close()
