"""The table of user variables (meta/argument_specs.yml), and whether a value is of its type."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PREFIXES = ("site_", "admin_", "main_", "session_", "proxy_")
# Ours, and many an operator's own: only what is near one of our names is a misspelling.
SHARED_PREFIXES = ("public_",)

# "prot" is as near to "port"; "phone" is a little less near to "python".
NEAR = 0.75

# What an operator calls them, and how one is written.
TYPES = {
    "str": "a text",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
}
TRUTHS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True)
class Variable:
    """One row: a variable, or a key of one that is a mapping."""

    name: str
    type: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    elements: str = ""
    options: Mapping[str, Variable] = field(default_factory=dict)


class WrongTypeError(Exception):
    """A value that is not what the table says; the text goes on after "NAME is" or "NAME has"."""

    def __init__(self, text: str, value: object = None) -> None:
        super().__init__(text)
        self.value = value


def read_table(path: Path) -> dict[str, Variable]:
    """The rows of the entry point ``variables``."""
    specs = yaml.safe_load(path.read_text())["argument_specs"]
    return _rows(specs["variables"]["options"])


def _rows(options: Mapping[str, Any]) -> dict[str, Variable]:
    return {
        name: Variable(
            name=name,
            type=row["type"],
            required=row.get("required", False),
            default=row.get("default"),
            choices=tuple(row.get("choices", ())),
            elements=row.get("elements", ""),
            options=_rows(row.get("options", {})),
        )
        for name, row in options.items()
    }


def nearest(name: str, names: Iterable[str]) -> str:
    """`` (did you mean X?)``, or nothing when no name is near.

    What the prefix adds to the likeness is left out: site_zone is not near site_name.
    """

    def rest(text: str) -> str:
        return text.partition("_")[2] if text.startswith(PREFIXES + SHARED_PREFIXES) else text

    likeness = {
        known: difflib.SequenceMatcher(None, rest(name), rest(known)).ratio() for known in names
    }
    near = [known for known in likeness if likeness[known] >= NEAR]
    if not near:
        return ""
    # site_host is site_hosts, although admin_host is nearer.
    prefix = name.partition("_")[0] + "_"
    best = max(near, key=lambda known: (known.startswith(prefix), likeness[known]))
    return f" (did you mean {best}?)"


def unknown(names: set[str], table: Mapping[str, Variable], foreign: list[str]) -> Iterator[str]:
    """Names with our prefixes that the table does not have."""
    shared = [known for known in table if known.startswith(SHARED_PREFIXES)]
    for name in sorted(names - set(table) - set(foreign)):
        if name.startswith(PREFIXES) or (
            name.startswith(SHARED_PREFIXES) and nearest(name, shared)
        ):
            yield name


def taken(value: Any, row: Variable) -> Any:
    """The value as its type, with the defaults of its keys; raises WrongTypeError.

    Stricter than Ansible's own conversion, which makes "['a']" of a list and 1.1 of version 1.10.
    What -e NAME=VALUE gives is always a text, so a number or a truth value may be one.
    """
    if value is None:
        raise WrongTypeError(
            "has no value" + ("" if row.required else ": take the line out to have the default")
        )
    if row.type == "raw":
        return value
    if row.type == "bool":
        value = TRUTHS.get(value.lower(), value) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise _wrong(value, row)
    elif row.type == "int":
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong(value, row)
    elif row.type == "str":
        if not isinstance(value, str):
            raise _wrong(value, row)
    elif row.type == "list":
        if not isinstance(value, list):
            raise _wrong(value, row)
        return _elements(value, row)
    elif row.type == "dict":
        if not isinstance(value, dict):
            raise _wrong(value, row)
        return _keys(value, row) if row.options else value
    return value


def _elements(value: list[Any], row: Variable) -> list[Any]:
    element = Variable(row.name, row.elements or "raw", options=row.options)
    result = []
    for number, each in enumerate(value, 1):
        try:
            result.append(taken(each, element))
        except WrongTypeError as error:
            raise WrongTypeError(
                f"has an element, number {number}, that {error}", error.value or each
            ) from None
    return result


def _keys(value: dict[str, Any], row: Variable) -> dict[str, Any]:
    for key in value:
        if key not in row.options:
            raise WrongTypeError(
                f'has a key "{key}", which means nothing there{nearest(str(key), row.options)}', key
            )
    result = dict(value)
    for key, option in row.options.items():
        if key not in value:
            if option.required:
                raise WrongTypeError(f'has no "{key}"', value)
            if option.default is not None:
                result[key] = option.default
            continue
        try:
            result[key] = taken(value[key], option)
        except WrongTypeError as error:
            raise WrongTypeError(f'has a "{key}" that {error}', value[key]) from None
        if option.choices and result[key] not in option.choices:
            raise WrongTypeError(
                f'has a "{key}" that is none of {", ".join(option.choices)}', value[key]
            )
    return result


def _wrong(value: Any, row: Variable) -> WrongTypeError:
    """Never shows a text or a mapping: it may be a secret at the wrong place."""
    given = "a text"
    if isinstance(value, (bool, int, float)):
        given = str(value).lower() if isinstance(value, bool) else str(value)
    elif isinstance(value, list):
        given = "a list"
    elif isinstance(value, dict):
        given = "a mapping"
    text = f"is {given}, not {TYPES[row.type]}"
    if row.type == "str" and isinstance(value, (bool, int, float)):
        text += f': write it in quotes, "{given}"'
    if row.type in ("list", "dict") and isinstance(value, str):
        example = '["a", "b"]' if row.type == "list" else '{"KEY": "value"}'
        text += f": write {example} (on the command line -e '{{\"{row.name}\": {example}}}')"
    return WrongTypeError(text, value)
