"""Where a base says what the plan changes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.analysis.written import places

FILES = {
    "__init__.py": "",
    "base.py": """\
from pathlib import Path
DEBUG = True
INSTALLED_APPS = [
    "django.contrib.admin",
    "shop",
]
SHOP_APPS = ["shop.blog"]
INSTALLED_APPS = INSTALLED_APPS + SHOP_APPS
TEMPLATES = [{"OPTIONS": {"context_processors": ["a.processor"]}}]
MIDDLEWARE: list[str] = ["a.first"]
STATIC_ROOT, MEDIA_ROOT = "/x", "/y"
SESSION_ENGINE = "x"
""",
    "names.py": "LANGUAGE_CODE = 'en'\nDEBUG = 'not this one'\n",
    "prod.py": """\
from .base import *
from shopsettings.names import LANGUAGE_CODE


def later():
    DEBUG = "not this one"


if True:
    DEBUG = False
INSTALLED_APPS += ["django.contrib.sessions"]
MIDDLEWARE.insert(
    0, "a.last"
)
TEMPLATES[0]["OPTIONS"]["context_processors"].append("b.processor")
DATABASES = {"default": {"NAME": "x"}}
""",
}


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "shopsettings"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("shopsettings.prod")
    yield "shopsettings.prod"
    for name in [name for name in sys.modules if name.partition(".")[0] == "shopsettings"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("DEBUG", "prod.py:10"),  # the last that runs
        ("SESSION_ENGINE", "base.py:12"),
        ("MEDIA_ROOT", "base.py:11"),
        ("LANGUAGE_CODE", "names.py:1"),
        ("DATABASES.default.NAME", "prod.py:16"),
        ("django.contrib.admin", "base.py:4"),
        ("shop", "base.py:5"),
        ("shop.blog", "base.py:7"),
        ("django.contrib.sessions", "prod.py:11"),
        ("a.first", "base.py:10"),
        ("a.last", "prod.py:13"),
        ("a.processor", "base.py:9"),
        ("b.processor", "prod.py:15"),
    ],
)
def test_place(base: str, wanted: str, place: str) -> None:
    assert places(base, [wanted]) == {wanted: f"shopsettings/{place}"}


def test_what_is_not_written_has_no_place(base: str) -> None:
    assert places(base, ["NOWHERE", "no.such.app", "CACHES.default"]) == {}
