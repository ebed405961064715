"""What sessions hold: whether anybody is signed in, and for whom nobody is, why there is one.

Nothing is unpickled, and nothing of a session but the names of its keys is kept. The signature is
checked as Django does, so what another SECRET_KEY has signed counts as not decodable.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Case, CharField, F, Value, When
from django.db.models.functions import Length
from django.utils import timezone

from django_split.audit import engines, facts
from django_split.audit.keys import Stretch, within

# Rows that are read at most, over all stretches.
MOST = 2_000
# Rows of one query: what a driver holds until they have been read.
PAGE = 100
# Bytes of a session that is still read. A table of megabytes must not fill our memory.
LARGEST = 65_536

LOGIN_KEY = b"_auth_user_id"
# A name that somebody wrote into code; what else a key may be is not for a report.
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_.:-]{0,39}\Z")
NUMBER = re.compile(r"\d+")
NAMED = 6


class Raw:
    """In the place of a serializer: what was signed, unread."""

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, obj: bytes) -> bytes:
        return obj


def read(rows: Any, stretches: Sequence[Stretch]) -> facts.Payload:
    """Decode some rows of each stretch."""
    found = facts.Payload()
    now = timezone.now()
    try:
        salt = _salt()
        _ = settings.SECRET_KEY
    except (ImproperlyConfigured, ImportError) as error:
        found.error = str(error)
        return found
    sizes = 0
    names: Counter[str] = Counter()
    for stretch in stretches:
        for size, data, expiry in _some(within(rows, stretch), MOST // len(stretches)):
            found.rows += 1
            sizes += size or 0
            found.largest_bytes = max(found.largest_bytes, size or 0)
            found.live += expiry > now
            if data is None:
                found.large += 1
                continue
            raw = _signed(data, salt)
            if raw is None:
                found.undecodable += 1
            elif LOGIN_KEY not in raw:
                found.anonymous += 1
                found.anonymous_live += expiry > now
                names.update(_names(raw))
    found.average_bytes = round(sizes / found.rows) if found.rows else 0
    found.keys = {
        name: round(count / found.anonymous, 3) for name, count in names.most_common(NAMED)
    }
    return found


def _some(rows: Any, most: int) -> Iterator[tuple[int | None, str | None, datetime]]:
    """Size, data and expiry; no data where it is too large."""
    small = Case(
        When(size__lte=LARGEST, then=F("session_data")),
        default=Value(None),
        output_field=CharField(null=True),
    )
    sized = rows.annotate(size=Length("session_data")).annotate(small=small)
    columns = ("session_key", "size", "small", "expire_date")
    after = ""
    while most > 0:
        page = list(sized.filter(session_key__gt=after).values_list(*columns)[: min(PAGE, most)])
        yield from (found[1:] for found in page)
        if len(page) < PAGE:
            return
        after, most = page[-1][0], most - PAGE


def _signed(data: str, salt: str) -> bytes | None:
    """What was signed, or None where this SECRET_KEY has not signed it."""
    try:
        found: bytes = signing.loads(data, salt=salt, serializer=Raw)
    except Exception:  # as Django does: whatever is wrong with it, it is no session
        return None
    return found


def _salt() -> str:
    """An engine of the site's own may have another than Django's."""
    session = engines.session_class(settings.SESSION_ENGINE)()
    try:
        return str(session.key_salt)
    except AttributeError:  # in no database: these rows are what Django's own left there
        return "django.contrib.sessions.SessionStore"


def _names(raw: bytes) -> set[str]:
    try:
        held = json.loads(raw)
    except ValueError:  # a pickle, or something of the site's own
        return set()
    named = {NUMBER.sub("#", str(name)) for name in held} if isinstance(held, dict) else set()
    return {name for name in named if PLAIN_NAME.match(name.replace("#", "n"))}
