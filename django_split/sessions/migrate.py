"""Moves what is signed in on the unsplit site into the admin's store, while both may be running.

Run before the flip, and once more after it: the base writes until then. A copy is replaced by a
newer state of its session as long as nobody has used it; what the admin has taken over, and what
was written into the store by anybody else, stays. A copy whose session has ended since goes.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache

from django_split.sessions import copies as marks
from django_split.sessions.base import Base
from django_split.sessions.copies import Copies, end_of, is_untouched, mark_of, stamped, version_of
from django_split.sessions.database import model_of
from django_split.sessions.listing import Kept
from django_split.sessions.listing_cache import CacheListing
from django_split.sessions.listing_store import StoreListing
from django_split.sessions.migrate_command import BATCH
from django_split.sessions.moving import FAILURES, OWN, Accepted, Judge, Refused
from django_split.sessions.progress import Progress
from django_split.sessions.sources import Found, Source
from django_split.sessions.stopping import Stop

# Seconds between two readings of one end: Redis tells whole seconds of what is left.
SAME_END = 2
# Digests of keys that are told for each reason.
EXAMPLES = 5
# The mark of a session that was moved and is nobody's to take over.
MOVED: dict[str, Any] = {"moved": True}


@dataclass
class Moved:
    """What became of the sessions. `reasons` counts those that were not moved."""

    place: str
    moved: int = 0
    renewed: int = 0
    already: int = 0
    ended: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0
    # Whether copies of sessions that have ended since could be looked for.
    looked_for_ended: bool = False

    @property
    def failed(self) -> int:
        return sum(number for reason, number in self.reasons.items() if reason in FAILURES)

    @property
    def skipped(self) -> int:
        return sum(self.reasons.values()) - self.failed

    @property
    def seen(self) -> int:
        return self.moved + self.renewed + self.already + sum(self.reasons.values())

    def refuse(self, refused: Refused) -> None:
        self.reasons[refused.reason] += 1
        examples = self.examples.setdefault(refused.reason, [])
        if refused.reason in FAILURES and len(examples) < EXAMPLES:
            about = f": {refused.about}" if refused.about else ""
            examples.append(f"{digest(refused.found.key)}{about}")


@dataclass(frozen=True)
class Wishes:
    """`written_before` in unix seconds: what was written later is not moved.

    `engine` is the one of before, where the settings in force are no admin instance's.
    """

    batch: int = BATCH
    staff_only: bool = False
    dry_run: bool = False
    written_before: float | None = None
    engine: str = ""


class Migration:
    def __init__(
        self,
        base: Base,
        source: Source,
        copies: Copies,
        wishes: Wishes,
        in_place: bool = False,
    ) -> None:
        """`in_place`: the site stays what it is, and its cookie opens the copy itself.

        Nobody takes a copy over then, and who signs out deletes it: the mark is made as soon as a
        session is moved, so that a later run does not bring it back.
        """
        self._in_place = in_place
        self._base, self._source, self._copies, self._wishes = base, source, copies, wishes
        self._judge = Judge(base, source, wishes.staff_only, shares_table(base), in_place)
        self.done = Moved(source.place)

    def run(self, stop: Stop) -> None:
        """Move batch after batch, until all are or `stop` is asked for; `done` says how far.

        Raises StoreUnavailableError and what the database raises. Run again, it goes on.
        """
        begun = time.monotonic()
        with self._base.in_force():
            progress = Progress(f"{self._source.place}: sessions", self._source.count())
        try:
            for batch in self._batches():
                self._move(batch)
                progress.at(self.done.seen)
                if stop:
                    return
            self._end_copies(stop)
        finally:
            progress.end()
            self.done.seconds = time.monotonic() - begun

    def _batches(self) -> Iterator[list[Found]]:
        batches = self._source.batches(self._wishes.batch)
        while True:
            with self._base.in_force():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _move(self, batch: list[Found]) -> None:
        there = dict(zip([f.key for f in batch], self._read(batch), strict=True))
        wanted = [found for found in batch if self._is_wanted(found, *there[found.key])]
        new: list[tuple[Found, str, dict[str, Any], int]] = []
        written = []
        for outcome in self._judge.outcomes(wanted):
            found = outcome.found
            life = found.life()
            if isinstance(outcome, Refused):
                self.done.refuse(outcome)
            elif life < 1:
                continue  # it ends while we look at it
            elif there[found.key][0] is None:
                new.append((found, found.key, _copy(outcome), life))
            else:
                self._renew(outcome, life)
                written.append(found)
        written += self._add(new)
        self._look_again(written)

    def _read(self, batch: list[Found]) -> list[tuple[dict[str, Any] | None, Any]]:
        """For each what stands in the store under its key, and its mark."""
        names = [name for found in batch for name in (found.key, mark_of(found.key))]
        values = self._copies.get(names)
        return list(zip(values[::2], values[1::2], strict=True))

    def _is_wanted(self, found: Found, copy: Mapping[str, Any] | None, mark: Any) -> bool:
        """Whether a session has to be looked into; counts it where not."""
        before = self._wishes.written_before
        if before is not None and (found.written is None or found.written >= before):
            self.done.refuse(Refused(found, "later"))
        elif marks.is_taken(mark):
            self.done.refuse(Refused(found, "taken"))
        elif copy is None:
            if not (self._in_place and mark):
                return True
            self.done.refuse(Refused(found, "taken"))
        elif (version := version_of(copy)) is None:
            # The admin's own, where it keeps its rows beside the base's.
            self.done.refuse(Refused(found, OWN))
        elif version == found.version and abs(end_of(copy) - found.ends) <= SAME_END:
            self.done.already += 1
        elif not is_untouched(copy) or (mark is not None and not self._in_place):
            self.done.refuse(Refused(found, "in use"))
        else:
            return True
        return False

    def _add(self, new: list[tuple[Found, str, dict[str, Any], int]]) -> list[Found]:
        if self._wishes.dry_run:
            self.done.moved += len(new)
            return []
        added = self._copies.add([item[1:] for item in new]) if new else []
        if self._in_place and new:
            # Also of those that another run was quicker with: then the mark is there already.
            self._copies.add(
                [(mark_of(key), MOVED, life + marks.LONGER) for _, key, _, life in new]
            )
        self.done.moved += sum(added)
        # Somebody else's run was quicker by a moment.
        self.done.already += len(added) - sum(added)
        return [item[0] for item, is_new in zip(new, added, strict=True) if is_new]

    def _renew(self, outcome: Accepted, life: int) -> None:
        self.done.renewed += 1
        if not self._wishes.dry_run:
            self._copies.put(outcome.found.key, _copy(outcome), life)

    def _look_again(self, written: list[Found]) -> None:
        """A session that was taken over while we wrote: what we wrote goes again."""
        taken = self._copies.get([mark_of(found.key) for found in written])
        for found, mark in zip(written, taken, strict=True):
            if marks.is_taken(mark) and not self._wishes.dry_run:
                self._copies.delete(found.key)

    def _end_copies(self, stop: Stop) -> None:
        """Remove the copies of sessions that have ended since: signed out of on the base.

        Nothing of it where the base has no session at all: then its table was emptied, which says
        nothing of those that were moved.
        """
        walk = listed_copies()
        if walk is None or not self.done.seen:
            return
        for sessions in walk:
            keys = [kept.key for kept in sessions if is_untouched(kept.data)]
            with self._base.in_force():
                living = self._source.living(keys)
            if living is None:
                return
            self.done.looked_for_ended = True
            for key in set(keys) - living:
                (copy,) = self._copies.get([key])
                if copy is None or not is_untouched(copy):
                    continue  # taken over meanwhile
                self.done.ended += 1
                if not self._wishes.dry_run:
                    self._copies.delete(key)
            if stop:
                return


def _copy(accepted: Accepted) -> dict[str, Any]:
    return stamped(accepted.data, accepted.found.version, int(accepted.found.ends))


def listed_copies() -> Iterator[list[Kept]] | None:
    """Everything in the admin's store, in batches; None for a store that cannot be listed."""
    engine = import_module(settings.SESSION_ENGINE).SessionStore
    if listing := StoreListing.of_settings(engine):
        return listing.walk()
    cache = caches[settings.SESSION_CACHE_ALIAS]
    if not isinstance(cache, RedisCache):
        return None
    return CacheListing(engine, cache, engine.cache_key_prefix).walk()


def shares_table(base: Base) -> bool:
    """Whether the admin writes its sessions into the table that the base's are in."""
    model = model_of(settings.SESSION_ENGINE)
    return model is not None and model is model_of(base.engine)


def digest(key: str) -> str:
    """What a session may be called in print: its key is a credential."""
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:12]
