from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stores import redis_store

# Before any site imports it: its assertions are to say what differs.
pytest.register_assert_rewrite("tests.sites.judging")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with redis_store(tmp_path_factory.mktemp("store") / "store.sock") as path:
        yield path
