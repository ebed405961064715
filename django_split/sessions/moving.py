"""What of a session of the base's may go into the admin's store, and in which form.

A session that the base would not accept any more is not moved: its user is gone, or has another
password. What is moved is signed in under the admin's SECRET_KEY as it was under the base's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

from django_split.sessions import codec
from django_split.sessions.base import Base
from django_split.sessions.errors import NotJSONError
from django_split.sessions.serializers import unpickles
from django_split.sessions.sources import Found, Source, UndecodableError
from django_split.sessions.tracking import RECORD

Data = dict[str, Any]

UNDECODABLE = "undecodable"
NOT_JSON = "not JSON"
HASH = "hash"
USER = "user"
EMPTY = "empty"
NOT_STAFF = "not staff"
OWN = "of the admin"

# Not moved, although there is something that somebody may miss.
FAILURES = {
    UNDECODABLE: "cannot be read: signed with another SECRET_KEY than the base's, or damaged. The "
    "base takes it for an empty session, too",
    NOT_JSON: "hold a value that JSON cannot hold, and the admin's store holds nothing else: the "
    "base's serializer is another one. Who it belongs to signs in once more",
    HASH: "are of somebody whose password has changed since, or were signed in under another "
    "SECRET_KEY: the base does not accept them either",
    USER: "are of a user who is gone, may not sign in any more, or came by an authentication "
    "backend that the base does not name any more",
}
# Not moved because there is no reason to.
SKIPS = {
    EMPTY: "hold nothing",
    NOT_STAFF: "are of nobody who is staff (--staff-only)",
    OWN: "are of the admin instance itself",
    "taken": "were taken over by the admin already, or signed out of there",
    "in use": "are in the store and were used by the admin since",
    "later": "were written after the time that --written-before says",
}


@dataclass
class Refused:
    """A session that is not moved: `reason` is one of FAILURES or SKIPS, `about` says more."""

    found: Found
    reason: str
    about: str = ""


@dataclass
class Accepted:
    """A session to be moved, with its data as the admin is to have it."""

    found: Found
    data: Data


Outcome = Refused | Accepted


class Judge:
    """Looks at batches of sessions.

    `shares_table`: the admin writes rows beside the base's. `in_place`: there is no admin, and what
    our limits have written is the site's own.
    """

    def __init__(
        self,
        base: Base,
        source: Source,
        staff_only: bool = False,
        shares_table: bool = False,
        in_place: bool = False,
    ) -> None:
        self._base, self._source, self._in_place = base, source, in_place
        self._staff_only, self._shares_table = staff_only, shares_table
        # JSON has only text for a dictionary's keys: what the base's serializer wrote as a number
        # would come back as another key.
        self._any_keys = unpickles(base.value("SESSION_SERIALIZER"))
        self._accepted_backends = set(base.value("AUTHENTICATION_BACKENDS"))

    def outcomes(self, batch: Iterable[Found]) -> list[Outcome]:
        decided: list[Outcome] = []
        signed_in: list[Accepted] = []
        with self._base.in_force():
            for found in batch:
                outcome = self._read(found)
                if isinstance(outcome, Accepted) and SESSION_KEY in outcome.data:
                    signed_in.append(outcome)
                elif isinstance(outcome, Accepted) and self._staff_only:
                    decided.append(Refused(found, NOT_STAFF))
                else:
                    decided.append(outcome)
            users = self._users(signed_in)
            checked = [self._check(one, user) for one, user in zip(signed_in, users, strict=True)]
        for outcome, user in zip(checked, users, strict=True):
            if isinstance(outcome, Accepted) and hasattr(user, "get_session_auth_hash"):
                # The admin's settings are in force again.
                outcome.data[HASH_SESSION_KEY] = user.get_session_auth_hash()
        return [*map(self._settled, [*decided, *checked])]

    def _read(self, found: Found) -> Outcome:
        try:
            data = self._source.decode(found)
        except UndecodableError as error:
            return Refused(found, UNDECODABLE, str(error))
        if RECORD in data and not self._in_place:
            return Refused(found, OWN)
        return Accepted(found, data) if data else Refused(found, EMPTY)

    def _users(self, sessions: Sequence[Accepted]) -> list[Any]:
        """As django.contrib.auth.get_user() finds them, but with one query for a batch."""
        model = get_user_model()
        found: dict[tuple[str, Any], Any] = {}
        asked: dict[str, set[Any]] = {}
        names = [self._identity(one.data) for one in sessions]
        for path, pk in filter(None, names):
            asked.setdefault(path, set()).add(pk)
        for path, pks in asked.items():
            backend: Any = load_backend(path)
            if type(backend).get_user is ModelBackend.get_user:
                users = model._default_manager.in_bulk(pks)
                for pk, user in users.items():
                    if backend.user_can_authenticate(user):
                        found[path, pk] = user
            else:
                found |= {(path, pk): backend.get_user(pk) for pk in pks}
        return [found.get(name) if name else None for name in names]

    def _identity(self, data: Mapping[str, Any]) -> tuple[str, Any] | None:
        backend = data.get(BACKEND_SESSION_KEY)
        if backend not in self._accepted_backends:
            return None
        try:
            return str(backend), get_user_model()._meta.pk.to_python(data[SESSION_KEY])
        except ValidationError:
            return None

    def _check(self, one: Accepted, user: Any) -> Outcome:
        """As get_user() checks the hash; the base's settings are in force."""
        if user is None:
            return Refused(one.found, USER)
        if self._staff_only and not getattr(user, "is_staff", False):
            return Refused(one.found, NOT_STAFF)
        if hasattr(user, "get_session_auth_hash") and not _verifies(one.data, user):
            return Refused(one.found, HASH)
        return one

    def _settled(self, outcome: Outcome) -> Outcome:
        """What is left to ask with the admin's settings in force."""
        if isinstance(outcome, Refused):
            ours = outcome.reason == UNDECODABLE and self._shares_table and self._reads(outcome)
            return Refused(outcome.found, OWN) if ours else outcome
        try:
            codec.dumps(outcome.data)
        except NotJSONError as error:
            return Refused(outcome.found, NOT_JSON, error.key)
        if self._any_keys and (key := _key_that_changes(outcome.data)):
            return Refused(outcome.found, NOT_JSON, key)
        return outcome

    def _reads(self, refused: Refused) -> bool:
        """Whether the admin has written a row itself, under its own SECRET_KEY."""
        try:
            self._source.decode(refused.found)
        except UndecodableError:
            return False
        return True


def _verifies(data: Mapping[str, Any], user: Any) -> bool:
    kept = data.get(HASH_SESSION_KEY)
    if not kept:
        return False
    hashes = [user.get_session_auth_hash()]
    if hasattr(user, "get_session_auth_fallback_hash") and settings.SECRET_KEY_FALLBACKS:
        hashes += user.get_session_auth_fallback_hash()
    return any(constant_time_compare(kept, one) for one in hashes)


def _key_that_changes(data: Mapping[str, Any]) -> str:
    """The session's key under which a dictionary has keys that are no text; empty for none."""
    return next((str(name) for name, value in data.items() if _has_other_keys({name: value})), "")


def _has_other_keys(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(not isinstance(k, str) or _has_other_keys(v) for k, v in value.items())
    return isinstance(value, (list, tuple)) and any(map(_has_other_keys, value))
