"""Session keys as a measure: Django draws them evenly, so a part of them is that part of the rows.

A key is 32 characters of 0-9a-z, each as likely as any other (`SessionBase._get_new_session_key`).
Ordered by key, any stretch of the table is therefore a fair sample of it, found by the index of the
primary key; and what share of all possible keys it spans says how many rows there are. That is the
same on every database, needs no statistics of the server's, and no right but SELECT.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
# The first key, and the one it ends before; no end is the end of the table.
Stretch: TypeAlias = tuple[str, str]
WHOLE: Stretch = ("", "")

# Enough to tell apart more keys than any table has.
SIGNIFICANT = 12

# Stretches that are read, and rows of each: 10,000 rows estimate a share to within 1 %.
STRETCHES = 20
EACH = 500
# Stretches of keys that were drawn evenly never differ as much.
UNEVEN = 2.0


@dataclass
class Sample:
    """`expiries` are those of the rows read; `rows` is the estimate, None where keys are not even.

    `stretches` are the first key of each and the one it ends before, for who wants to read more of
    the same rows.
    """

    rows: float | None
    expiries: list[datetime] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)


def within(rows: Any, stretch: Stretch) -> Any:
    """The part of a queryset of sessions in a stretch, in the order of its keys."""
    start, end = stretch
    found = rows.filter(session_key__gte=start).order_by("session_key")
    return found.filter(session_key__lt=end) if end else found


def sample(rows: Any, rng: random.Random) -> Sample:
    """Read stretches of a queryset of sessions, and estimate the rows of all of it."""
    expiries: list[datetime] = []
    stretches: list[Stretch] = []
    covered, densities = 0.0, []
    for number in range(STRETCHES):
        begin = (number + rng.random() / 2) / STRETCHES
        end = (number + 1) / STRETCHES
        stretch = key_at(begin), key_at(end) if end < 1 else ""
        found = list(within(rows, stretch).values_list("session_key", "expire_date")[:EACH])
        stretches.append(stretch)
        expiries += [expiry for _, expiry in found]
        span = (position(found[-1][0]) if len(found) == EACH else end) - begin
        if span > 0:
            covered += span
            densities.append(len(found) / span)
    even = bool(densities) and min(densities) * UNEVEN > max(densities)
    return Sample(len(expiries) / covered if even else None, expiries, stretches)


def position(key: str) -> float:
    """Where a key stands among all keys, from 0 to 1; -1 for one that Django did not draw."""
    place, weight = 0.0, 1.0
    for character in key[:SIGNIFICANT]:
        index = ALPHABET.find(character)
        if index < 0:
            return -1
        weight /= len(ALPHABET)
        place += index * weight
    return place


def key_at(place: float) -> str:
    """The first characters of the key that stands there."""
    key = ""
    for _ in range(SIGNIFICANT):
        place *= len(ALPHABET)
        index = min(int(place), len(ALPHABET) - 1)
        key += ALPHABET[index]
        place -= index
    return key
