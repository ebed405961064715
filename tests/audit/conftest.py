from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.shop import Shop
from tests.unit.conftest import make_site

__all__ = ["MakeShop", "make_shop", "make_site"]

MakeShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> MakeShop:
    """Makes a shop; `rows` are live, expired and the per cent of them that are nobody's."""

    def make(rows: tuple[int, int, int] | None = None, **environment: str) -> Shop:
        from tests.audit.shop import FILL

        place: Path = tmp_path_factory.mktemp("shop")
        shop = Shop(place, **environment)
        if rows is not None:
            shop.manage("migrate", "-v0")
            shop.python(FILL, *map(str, rows))
        return shop

    return make
