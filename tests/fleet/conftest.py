"""Fixtures: hosts for one test each, taken down whatever happens. Failures show their journals."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

import pytest

from . import nspawn
from .down import down
from .hosts import Host
from .images import Image, Release

Boot = Callable[..., Host]
BOOTED = pytest.StashKey[list[Host]]()


@pytest.fixture(scope="session", autouse=True)
def machine() -> None:
    """A machine that can run hosts, without those of runs that were killed."""
    if reason := nspawn.unavailable():
        pytest.skip(reason)
    down()


@pytest.fixture
def boot(request: pytest.FixtureRequest) -> Iterator[Boot]:
    """Boot newcomer hosts: `boot("bookworm", init=True)`. They share the machine's ports."""
    booted: list[Host] = []
    request.node.stash[BOOTED] = booted

    with ExitStack() as stack:

        def boot(release: Release = "bookworm", *, init: bool = True) -> Host:
            image = Image(release, "server" if init else "container")
            host = stack.enter_context(Host.boot(image, init=init))
            booted.append(host)
            return host

        yield boot


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        for host in item.stash.get(BOOTED, []):
            report.sections.append((f"journal of {host}", host.journal()))
    return report
