"""The session store: what is asked of Redis, and in which words.

Keys that are given and returned are session keys; in Redis each stands behind the site's prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from django_split.sessions import credentials, outage
from django_split.sessions.address import parse
from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.health import read_info
from django_split.sessions.keys import matching

if TYPE_CHECKING:
    from django_split.sessions.connection import Link

TIMEOUT = 2.0
# Redis refuses a longer life; ten thousand days outlive the cookie anyway.
LONGEST = 10_000 * 86_400


class Store:
    """A Redis that holds one instance's sessions. Every method may raise StoreUnavailableError.

    `timeout` in seconds is for everything that one call takes. `username` is of another ACL user
    than the session engine's. May be shared between threads and kept over a fork.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        timeout: float = TIMEOUT,
        username: str = "",
        note: bool = False,
    ) -> None:
        """With `note`, a failure marks the request under way: the guard then answers 503."""
        self.prefix = prefix.encode()
        self._link = _link(url, timeout, username)
        self._ask = _noting(self._link.ask) if note else self._link.ask
        self._ask_all = _noting(self._link.ask_all) if note else self._link.ask_all

    @classmethod
    def current(cls) -> Store:
        """The one of the settings in force. Raises ImproperlyConfigured where there is none."""
        return _of_settings()

    def get(self, key: str) -> bytes | None:
        name = self._name(key)
        value: bytes | None = self._ask(b"*2\r\n$3\r\nGET\r\n$%d\r\n%b\r\n" % (len(name), name))
        return value

    def add(self, key: str, value: bytes, ttl: int) -> bool:
        """Store a new one for `ttl` seconds; False when the key is taken."""
        if ttl <= 0:  # over before it began: Redis takes no such life
            return not self.exists(key)
        return self._ask(_set(self._name(key), value, ttl, b"NX")) is not None

    def replace(self, key: str, value: bytes, ttl: int) -> bool:
        """Store a changed one; False when it is gone, that is: somebody has signed out."""
        if ttl <= 0:
            return self.delete(key)
        return self._ask(_set(self._name(key), value, ttl, b"XX")) is not None

    def delete(self, key: str) -> bool:
        """False when there was none."""
        return bool(self._ask(_pack(b"DEL", self._name(key))))

    def exists(self, key: str) -> bool:
        return bool(self._ask(_pack(b"EXISTS", self._name(key))))

    def ttl(self, key: str) -> int | None:
        """Seconds that are left; None for no such key, -1 for one that never ends."""
        return _life(self._ask(_pack(b"TTL", self._name(key))))

    # For many at once, each in one round trip.

    def add_all(self, items: Iterable[tuple[str, bytes, int]]) -> list[bool]:
        """`add` for each (key, value, ttl); every ttl must be positive."""
        commands = [_set(self._name(key), value, ttl, b"NX") for key, value, ttl in items]
        return [reply is not None for reply in self._ask_all(commands)]

    def scan(self, cursor: int, count: int) -> tuple[int, list[str]]:
        """Some of the keys, and the cursor to go on with; it begins and ends with 0.

        `count` is a hint, and a key may come twice: that is SCAN. Unlike KEYS it stops nobody else.
        """
        pattern = matching(self.prefix.decode()).encode()
        following, names = self._ask(
            _pack(b"SCAN", b"%d" % cursor, b"MATCH", pattern, b"COUNT", b"%d" % count)
        )
        start = len(self.prefix)
        return int(following), [name[start:].decode(errors="backslashreplace") for name in names]

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        values: list[bytes | None] = self._ask(_pack(b"MGET", *map(self._name, keys)))
        return values

    def ttls(self, keys: Sequence[str]) -> list[int | None]:
        if not keys:
            return []
        replies = self._ask_all([_pack(b"TTL", self._name(key)) for key in keys])
        return [_life(reply) for reply in replies]

    def info(self) -> dict[str, str | int]:
        """How the server is, from INFO: see health.py for the names."""
        return read_info(self._ask(_pack(b"INFO")), self._link.address.db)

    def _name(self, key: str) -> bytes:
        # A cookie may hold anything, also half of a character: an unknown session, no error.
        return self.prefix + key.encode(errors="surrogatepass")


def _noting(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def noted(question: Any) -> Any:
        # Away already for this request, whatever a view made of it: no second wait.
        if earlier := outage.noted():
            raise StoreUnavailableError(str(earlier))
        try:
            return ask(question)
        except StoreUnavailableError as error:
            outage.note(error)
            raise

    return noted


# Commands in Redis's protocol: how many words, then each behind its length. By hand, because
# redis-py first finds out what kind of words it is given. Those of each request are one template.


def _pack(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(w), w) for w in words])


def _set(name: bytes, value: bytes, ttl: int, condition: bytes) -> bytes:
    life = b"%d" % min(ttl, LONGEST)
    return b"*6\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$2\r\nEX\r\n$%d\r\n%b\r\n$2\r\n%b\r\n" % (
        len(name),
        name,
        len(value),
        value,
        len(life),
        life,
        condition,
    )


def _life(reply: int) -> int | None:
    return None if reply == -2 else reply


def _link(url: str, timeout: float, username: str) -> Link:
    address = parse(url)
    try:
        from django_split.sessions.connection import Link
    except ImportError as error:
        raise ImproperlyConfigured(
            f"Sessions in Redis need the packages redis (5.0 or newer) and hiredis: {error}. Add "
            '"redis" and "hiredis" to the site\'s requirements (django-split[redis] names them), '
            "or keep the sessions elsewhere: session_engine."
        ) from error
    return Link(address, timeout, credentials.of_store(username))


@cache
def _of_settings() -> Store:
    said = getattr(settings, "DJANGO_SPLIT_SESSIONS", {})
    if missing := [name for name in ("url", "prefix") if not said.get(name)]:
        raise ImproperlyConfigured(
            f"{settings.SESSION_ENGINE} keeps sessions where DJANGO_SPLIT_SESSIONS says, but that "
            f"has no {' and no '.join(missing)}. Make the plan again: django-split plan; or set "
            'DJANGO_SPLIT_SESSIONS = {"url": "unix:///run/site/store/store.sock?db=0", "prefix": '
            '"site:session:"}.'
        )
    return Store(said["url"], said["prefix"], said.get("timeout", TIMEOUT), note=True)


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "DJANGO_SPLIT_SESSIONS":
        _of_settings.cache_clear()


setting_changed.connect(_forget)  # override_settings, in tests
