"""Fixtures: hosts for one test each, taken down whatever happens. Failures show their journals."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from . import nspawn
from .down import bridges_down, down
from .hosts import Host
from .images import Image, Kind, Release

Boot = Callable[..., Host]

_up: list[Host] = []


@contextmanager
def newcomer(release: Release, *, init: bool, kind: Kind | None = None) -> Iterator[Host]:
    """A fresh host for a while: a server with systemd, or a container without."""
    kind = kind or ("server" if init else "container")
    with Host.boot(Image(release, kind), init=init) as host:
        _up.append(host)
        try:
            yield host
        finally:
            _up.remove(host)


@pytest.fixture(scope="session", autouse=True)
def machine() -> None:
    """A machine that can run hosts, without those of runs that were killed."""
    if reason := nspawn.unavailable():
        pytest.skip(reason)
    down()
    bridges_down()


@pytest.fixture
def boot() -> Iterator[Boot]:
    """Boot newcomer hosts: `boot("bookworm", init=True)`. They share the machine's ports."""
    with ExitStack() as stack:

        def boot(release: Release = "bookworm", *, init: bool = True) -> Host:
            return stack.enter_context(newcomer(release, init=init))

        yield boot


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # "setup" too, but a fixture that failed is reported again for every test that wanted it.
    if report.failed and report.when != "teardown":
        report.sections.extend((f"journal of {host}", host.journal()) for host in _up)
    return report
