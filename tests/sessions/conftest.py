from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stores import Server, redis_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Redis of a module's own, without persistence."""
    with redis_server() as running:
        yield running
