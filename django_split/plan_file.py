"""A plan as a file: read, and its format checked. What is in it are plain tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

FORMAT = 2

MOSTLY_PRIVATE = "mostly private"
NOTHING_TO_SPLIT = "nothing to split"


class PlanError(Exception):
    """The plan cannot be read, or cannot be applied to this base."""


# Most of a plan, and with them reading it was most of what an instance's settings cost.
FINDINGS = "findings"
GHOSTS = "ghosts"


def read_data(path: str, without: Collection[str] = ()) -> dict[str, Any]:
    """Read a plan from TOML or, by its suffix, JSON.

    `without` FINDINGS, or GHOSTS, where they are not needed; they may be there all the same.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise PlanError(f"the plan {path} cannot be read: {error.strerror}") from error
    try:
        data = _json(text) if path.endswith(".json") else _toml(text, without)
    except ValueError as error:
        raise PlanError(f"the plan {path} is not valid: {error}") from error
    check_format(data, path)
    return data


def check_format(data: Mapping[str, Any], where: str) -> None:
    if data.get("format") != FORMAT:
        raise PlanError(
            f"{where} has format {data.get('format')!r}, this django-split reads {FORMAT}. "
            "Make it again with `django-split plan`."
        )


def can_be_split(verdict: str, decisions: list[str]) -> bool:
    return verdict not in (MOSTLY_PRIVATE, NOTHING_TO_SPLIT) and not decisions


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _toml(text: str, without: Collection[str]) -> dict[str, Any]:
    # Here, so that a Django that is too old is told before a parser that is missing.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    # Where no string can go over several lines, a line that looks like a header is one.
    if without and '"""' not in text and "'''" not in text:
        short = text
        for name, bulk in _BULK:
            short = bulk.sub("", short) if name in without else short
        with suppress(ValueError):
            return tomllib.loads(short)
    return tomllib.loads(text)


# As an array of what fits into a line each, or as tables.
_BULK = [
    (name, re.compile(pattern, re.MULTILINE | re.DOTALL))
    for name, pattern in (
        (FINDINGS, r"^findings = \[\n.*?^\]\n"),
        (FINDINGS, r"^\[\[findings\]\]\n.*?(?=^\[(?!\[findings\])|\Z)"),
        (GHOSTS, r"^ghosts = \[\n.*?^\]\n"),
        (GHOSTS, r"^\[\[main\.urls\.mounts\.ghosts\]\]\n.*?(?=^\[|\Z)"),
    )
]
