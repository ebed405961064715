"""Where a setting is said: the line that gives it the value it has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit.conftest import MakeShop

CACHE = "django.contrib.sessions.backends.cache"
FILES = "django.contrib.sessions.backends.file"

MODULES = {
    "not_set.py": "from shop.base import *\n",
    "here.py": f'from shop.base import *\n\nSESSION_ENGINE = "{CACHE}"\n',
    "starred.py": f'from shop.base import *\n\n\nSESSION_ENGINE = "{CACHE}"\n',
    "stars.py": "from shop.starred import *\n",
    "environ.py": (
        "import os\nfrom shop.base import *\n"
        f'SESSION_ENGINE = os.environ.get("SHOP_ENGINE", "{CACHE}")\n'
    ),
    "package/__init__.py": f'from .parts import *\nSESSION_ENGINE = "{CACHE}"\n',
    "package/parts.py": f'from shop.base import *\nSESSION_ENGINE = "{FILES}"\n',
    "either.py": (
        "from shop.base import *\nif 1 + 1 == 2:\n"
        f'    SESSION_ENGINE = "{FILES}"\nelse:\n    SESSION_ENGINE = "{CACHE}"\n'
    ),
    "unnamed.py": (f'from shop.base import *\nglobals().update({{"SESSION_ENGINE": "{FILES}"}})\n'),
}


@pytest.fixture(scope="module")
def sites(make_shop: MakeShop) -> dict[str, Any]:
    shop = make_shop(SHOP_ENGINE=FILES)
    for name, text in MODULES.items():
        shop.write(name, text)
    names = ["not_set", "here", "stars", "environ", "package", "either", "unnamed"]
    modules = [f"shop.{name}" for name in names]
    return shop.audit(*modules, options=("--json", "--no-pages")).sites


@pytest.mark.parametrize(
    ("module", "engine", "where"),
    [
        ("here", CACHE, "shop/here.py:3"),
        ("stars", CACHE, "shop/starred.py:4"),
        ("environ", FILES, "shop/environ.py:3"),
        ("package", CACHE, "shop/package/__init__.py:2"),
        ("either", FILES, "shop/either.py:3"),
        ("unnamed", FILES, ""),
    ],
)
def test_engine_is_named_with_the_line_that_says_it(
    sites: dict[str, Any], module: str, engine: str, where: str
) -> None:
    said = sites[module]["values"]["SESSION_ENGINE"]
    assert said == {"value": engine, "is_set": True, "where": where}


def test_engine_that_is_not_set_is_the_database(sites: dict[str, Any]) -> None:
    said = sites["not_set"]["values"]["SESSION_ENGINE"]
    assert (said["is_set"], said["where"]) == (False, "")
    assert sites["not_set"]["store"]["kind"] == "database"


def test_report_says_so_in_words(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.write("here.py", MODULES["here.py"])
    shop.write("unnamed.py", MODULES["unnamed.py"])
    done = shop.audit("shop.base", "shop.here", "shop.unnamed", options=("--no-pages",))
    said = " ".join(done.output.split())
    assert "(not set, so the database: you are likely doing this)" in said
    assert f"{CACHE} (shop/here.py:3)" in said
    assert f"{FILES} (set, by code that does not name it)" in said
