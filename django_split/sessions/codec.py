"""A session's dictionary as the store holds it: compact JSON, and nothing else.

What comes back is what Django's own JSON serializer gives back: a tuple as a list, a number that
is a dictionary's key as text. Never pickle: see serializers.py.
"""

from __future__ import annotations

import json
from typing import Any

from django_split.sessions.errors import NotJSONError

# One of each: json.dumps with options and json.loads of bytes make or guess something per call.
_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode

# What an encoder says of a value that it cannot hold: an unknown type; a circle, or an integer
# too long to print; a nesting that is too deep.
_REFUSALS = (TypeError, ValueError, RecursionError)


def dumps(session: dict[str, Any]) -> bytes:
    """Raises NotJSONError, which names the key, for what JSON cannot hold."""
    try:
        return _encode(session).encode()
    except _REFUSALS as error:
        raise _not_json(session, error) from error


def loads(data: bytes) -> dict[str, Any]:
    """Raises ValueError for anything but a JSON object."""
    try:
        text = data.decode()
        session, end = _decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if end != len(text):
        raise ValueError("more than one value")
    if not isinstance(session, dict):
        raise ValueError(f"a {type(session).__name__}, not a session")
    return session


def _not_json(session: dict[str, Any], error: Exception) -> NotJSONError:
    for key, value in session.items():
        try:
            _encode({key: value})
        except _REFUSALS as own:
            path, offender = _offender(value, f"session[{key!r}]")
            return NotJSONError(
                str(key),
                f"{path} cannot be kept as JSON: it is of type {type(offender).__name__} ({own}). "
                "Put text, numbers, true, false, None, lists and dictionaries of these into the "
                "session.",
            )
    # Each by itself is well: together they are nested too deeply for the stack that was left.
    return NotJSONError("", f"the session cannot be kept as JSON: {error}")


def _offender(value: Any, path: str) -> tuple[str, Any]:
    """The innermost value that is at fault, and how it is reached."""
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, (list, tuple)):
        children = list(enumerate(value))
    for name, child in children:
        try:
            _encode(child)
        except (TypeError, ValueError):
            return _offender(child, f"{path}[{name!r}]")
        except RecursionError:
            break  # the way down is what is too long
    return path, value
