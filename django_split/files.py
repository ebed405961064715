"""Files that the command reads and writes, with errors for who typed their names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class InputError(Exception):
    """What was typed, or a file that it names, is wrong; the message is for the operator."""


def write(path: Path, text: str) -> None:
    """Write a file, and the folders above it. Raises InputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def read_table(path: Path, option: str) -> dict[str, Any]:
    """Read a JSON object or, by its suffix, a YAML mapping. Raises InputError.

    `option` is where the file was named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{option}: {path} cannot be read: {error.strerror}") from error
    try:
        data = _yaml(text) if path.suffix in (".yml", ".yaml") else json.loads(text)
    except ValueError as error:
        raise InputError(f"{option}: {path} is not valid: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{option}: {path} must hold one object of names and values")
    return data


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise InputError(
            "a YAML file needs PyYAML: pip install 'django-split[yaml]', or give JSON"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
