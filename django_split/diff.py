"""The difference between a base's settings and an instance's, setting by setting.

The base's values are known only while the base is imported. What is shown of them must be fit for a
terminal, a log and an issue tracker, so whatever may be a secret is masked, on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from os import PathLike, fspath
from typing import Any

MASKED = "***"
# A value longer than this is cut: it is to be recognised, not copied.
LONGEST = 200

# Names beside those of Django's SafeExceptionReporterFilter, which differ from version to version.
SECRET_NAMES = re.compile(
    "API|AUTH|TOKEN|KEY|SECRET|PASS|PWD|SIGNATURE|CREDENTIAL|DSN|PRIVATE|HTTP_COOKIE", re.IGNORECASE
)
# What stands before the host in a URL. A password may hold a slash that nobody has quoted.
USER_INFO = re.compile(r"(?<=://)(?:[^\s/?#]*|[^\s]*:[^\s]*)@")
# In a DSN or a query: password=…, token: …
ASSIGNED = re.compile(
    r"(\w*(?:pass|pwd|secret|token|key|signature|auth|sig)\w*[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s&;,]+)",
    re.IGNORECASE,
)


@dataclass
class Change:
    """One setting, or one place in it ("DATABASES.default.NAME").

    `lines` are what goes ("-") and what comes ("+"), in order.
    """

    setting: str
    lines: list[tuple[str, str]] = field(default_factory=list)


class Differ:
    """Compares settings. `secret` matches the names whose values are masked, at any depth."""

    def __init__(self, secret: re.Pattern[str] = SECRET_NAMES) -> None:
        self.secret = secret

    def changes(self, base: Mapping[str, Any], instance: Mapping[str, Any]) -> list[Change]:
        """What differs, in the order of the instance's settings; what has gone comes last.

        A list and a tuple of the same entries are the same, and so are a path and its text.
        """
        return list(self._mappings(base, instance, "", masked=False))

    def shown(self, value: Any, masked: bool = False) -> str:
        """A value as a line of text, without what may be secret in it."""
        if masked:
            return MASKED
        if isinstance(value, (bool, int, float, type(None))):
            return str(value)
        if isinstance(value, (str, PathLike)):
            return _cut(_without_secrets(str(value)))
        if isinstance(value, (list, tuple, set, frozenset)):
            return _cut(f"[{', '.join(self.shown(item) for item in value)}]")
        if isinstance(value, Mapping):
            items = (f"{k}: {self.shown(v, self._hides(k))}" for k, v in value.items())
            return _cut("{" + ", ".join(items) + "}")
        named = value if hasattr(value, "__qualname__") else type(value)
        # Never its repr(), in which anything may stand.
        return f"<{named.__module__}.{named.__qualname__}>"

    def _mappings(
        self, old: Mapping[Any, Any], new: Mapping[Any, Any], above: str, masked: bool
    ) -> Iterator[Change]:
        for key in [*new, *(key for key in old if key not in new)]:
            place, hidden = f"{above}{key}", masked or self._hides(key)
            if key in old and key in new:
                yield from self._values(old[key], new[key], place, hidden)
            elif key in new:
                yield from self._one_side("+", new[key], place, hidden)
            else:
                yield from self._one_side("-", old[key], place, hidden)

    def _values(self, old: Any, new: Any, place: str, masked: bool) -> Iterator[Change]:
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from self._mappings(old, new, f"{place}.", masked)
        elif isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
            if len(old) == len(new) and any(map(_is_nested, old)):
                for index, pair in enumerate(zip(old, new, strict=True)):
                    yield from self._values(*pair, f"{place}.{index}", masked)
            elif lines := list(self._entries(old, new, masked)):
                yield Change(place, lines)
        elif not _same(old, new):
            yield Change(place, [("-", self.shown(old, masked)), ("+", self.shown(new, masked))])

    def _entries(self, old: Any, new: Any, masked: bool) -> Iterator[tuple[str, str]]:
        """Entries that go and that come, each where it stood or stands."""
        before, after = [[_comparable(item) for item in side] for side in (old, new)]
        for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                yield from (("-", self.shown(item, masked)) for item in old[a:b])
                yield from (("+", self.shown(item, masked)) for item in new[c:d])

    def _one_side(self, sign: str, value: Any, place: str, masked: bool) -> Iterator[Change]:
        if isinstance(value, Mapping) and value:
            for key, item in value.items():
                yield from self._one_side(sign, item, f"{place}.{key}", masked or self._hides(key))
        elif isinstance(value, (list, tuple)) and value:
            yield Change(place, [(sign, self.shown(item, masked)) for item in value])
        else:
            yield Change(place, [(sign, self.shown(value, masked))])

    def _hides(self, key: Any) -> bool:
        return bool(self.secret.search(str(key)))


def secret_names() -> re.Pattern[str]:
    """SECRET_NAMES with those that the installed Django hides on its error pages."""
    from django.views.debug import SafeExceptionReporterFilter

    theirs = SafeExceptionReporterFilter.hidden_settings.pattern
    return re.compile(f"{SECRET_NAMES.pattern}|{theirs}", re.IGNORECASE)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, (str, PathLike)) and isinstance(new, (str, PathLike)):
        return fspath(old) == fspath(new)
    try:
        # True is 1, but not as a setting.
        return type(old) is type(new) and bool(old == new)
    except Exception:
        return False


def _comparable(item: Any) -> str:
    """A text that is the same for the same entry; what is no text or container is itself only."""
    if isinstance(item, (str, PathLike)):
        return fspath(item) if isinstance(item, str) else str(item)
    if isinstance(item, (bool, int, float, type(None), bytes)):
        return repr(item)
    if isinstance(item, Mapping):
        return "{" + ",".join(f"{key!r}:{_comparable(value)}" for key, value in item.items()) + "}"
    if isinstance(item, (list, tuple)):
        return "[" + ",".join(map(_comparable, item)) + "]"
    return f"<{id(item)}>"


def _is_nested(item: Any) -> bool:
    return isinstance(item, (Mapping, list, tuple))


def _without_secrets(text: str) -> str:
    return ASSIGNED.sub(rf"\1{MASKED}", USER_INFO.sub(f"{MASKED}@", text))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
