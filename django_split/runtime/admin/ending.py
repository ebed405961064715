"""Ending sessions: out of the store, into the admin's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from time import monotonic

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_split.runtime.admin.roster import users
from django_split.sessions import copies
from django_split.sessions.listing import Kept, Listing

# Seconds that one request may end sessions. Less than a worker is given for a request.
PATIENCE = 20.0
AT_ONCE = 500

Choice = Callable[[Kept], bool]


def end(
    listing: Listing, request: HttpRequest, chosen: Choice, patience: float = PATIENCE
) -> tuple[Counter[str], bool]:
    """End every session that is chosen: how many by the user's id, and whether that was all.

    What was ended is logged also when the store goes away half-way.
    """
    deadline, ended = monotonic() + patience, Counter[str]()
    try:
        for sessions in listing.walk():
            wanted = {kept.key: kept for kept in sessions if chosen(kept)}
            keys = {key: kept.user_id for key, kept in wanted.items()}
            for part in _parts(list(keys)):
                end_now(listing, [wanted[key] for key in part])
                ended.update(keys[key] for key in part)
            if monotonic() > deadline:
                return ended, False
        return ended, True
    finally:
        log(request, ended)


def end_now(listing: Listing, sessions: list[Kept]) -> None:
    """End these, also for `sessions migrate`, which may be run again."""
    copies.bury((kept.key, kept.data) for kept in sessions)
    listing.end([kept.key for kept in sessions])


def count(listing: Listing, chosen: Choice, patience: float) -> tuple[int, bool]:
    """How many `end` would end, and whether all sessions were looked at for it."""
    deadline, keys = monotonic() + patience, 0
    for sessions in listing.walk():
        keys += sum(chosen(kept) for kept in sessions)
        if monotonic() > deadline:
            return keys, False
    return keys, True


def log(request: HttpRequest, ended: Mapping[str, int]) -> None:
    """An entry in the admin's log for each user whose sessions were ended; theirs is the object."""
    model = get_user_model()
    kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
    for part in _parts(list(ended)):
        known = users(part)
        LogEntry.objects.bulk_create(
            LogEntry(
                user_id=request.user.pk,
                content_type_id=kind.pk,
                object_id=user_id,
                object_repr=str(known.get(user_id, _("Deleted user %s") % user_id))[:200],
                action_flag=CHANGE,
                change_message=ngettext(
                    "Ended %(number)d session.", "Ended %(number)d sessions.", ended[user_id]
                )
                % {"number": ended[user_id]},
            )
            for user_id in part
        )


def _parts(keys: list[str]) -> list[list[str]]:
    return [keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)]


def users_own(user_id: str, spared: str) -> Choice:
    """All of a user's sessions but one."""
    return lambda kept: kept.user_id == user_id and kept.key != spared


def others(spared: str) -> Choice:
    """Every signed-in session but one. Anonymous ones are nobody's."""
    return lambda kept: bool(kept.user_id) and kept.key != spared
