"""What is shown while an instance is in maintenance, and who sees the site all the same."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from preflight_checks.values import Finding, Values

PAGES = ("main_maintenance_page", "admin_maintenance_page")
BYPASS = "site_maintenance_bypass"
# It goes out again and again, to everybody, and is held in memory when it is installed.
LARGEST = 1024 * 1024


def page(name: str, said: str) -> Iterator[Finding]:
    """A file on this machine that is copied to where nginx is."""
    if not said:
        return
    path = Path(said)
    wrong = ""
    if not path.is_absolute():
        wrong = "write the whole path ({{ inventory_dir }}/… is one)"
    elif not path.is_file():
        wrong = "no such file on the machine that runs ansible-playbook"
    else:
        try:
            text = path.read_bytes()
            text.decode()
        except OSError as error:
            wrong = str(error.strerror).lower()
        except UnicodeDecodeError:
            wrong = "the page is not UTF-8, as which it is sent"
        else:
            if not text.strip():
                wrong = "the page is empty"
            elif len(text) > LARGEST:
                wrong = f"the page has {len(text)} bytes, more than {LARGEST}"
    if wrong:
        yield Finding(name, f'{name} is "{said}": {wrong}')


def bypass(addresses: list[str]) -> Iterator[Finding]:
    """nginx takes addresses and networks, no names."""
    for each in addresses:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            yield Finding(
                BYPASS,
                f'{BYPASS} has "{each}": {error}. Write an address ("192.0.2.7") or a network '
                '("10.0.0.0/8").',
                each,
            )


def check(values: Values) -> Iterator[Finding]:
    """All of it, as far as the values are of their type."""
    for name in PAGES:
        yield from page(name, values.get(name, ""))
    yield from bypass(values.get(BYPASS, []))
