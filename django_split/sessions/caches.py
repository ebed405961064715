"""Cache backends for Django's own session engines, named by CACHES as strings.

Beside JSON they have what the engines `cache` and `cached_db` lack: when the store is away, that is
noted for the guard. Django's engine swallows the error, takes the session for an unknown one, and
the session middleware then deletes the cookie: everybody is signed out (FACTS E).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.core.cache.backends.redis import RedisCache

from django_split.sessions import outage
from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.serializers import JSONSerde, JSONSerializer

# Seconds, for connecting and for each answer. The plan may say otherwise, in OPTIONS.
TIMEOUT = 2.0


class _Noting(BaseCache):
    """The calls of which session engines are made; the async ones come down to them."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        with self._noting():
            return super().get(*args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        with self._noting():
            return super().get_many(*args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        with self._noting():
            super().set(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        with self._noting():
            return super().add(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        with self._noting():
            return super().delete(*args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        with self._noting():
            return super().has_key(*args, **kwargs)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        with self._noting():
            return super().touch(key, timeout, version)

    def _is_failure(self, error: Exception) -> bool:
        """Whether an error is the server's, and not that of what it was given."""
        raise NotImplementedError

    @contextmanager
    def _noting(self) -> Iterator[None]:
        # Away already for this request: another question would cost another two seconds.
        if earlier := outage.noted():
            raise StoreUnavailableError(str(earlier))
        try:
            yield
        except Exception as error:
            if not self._is_failure(error):
                raise
            unavailable = StoreUnavailableError(f"{type(error).__name__}: {error}")
            outage.note(unavailable)
            raise unavailable from error


class JSONRedisCache(_Noting, RedisCache):
    """Django's Redis backend that never unpickles and never waits longer than it must."""

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options = {
            "socket_timeout": TIMEOUT,
            "socket_connect_timeout": TIMEOUT,
            # redis-py's own retries made 26 seconds of these two.
            "retry": Retry(NoBackoff(), 0),
            **params.get("OPTIONS", {}),
            "serializer": JSONSerializer,
        }
        super().__init__(server, {**params, "OPTIONS": options})

    def _is_failure(self, error: Exception) -> bool:
        from redis.exceptions import RedisError

        # AttributeError: redis-py 8.1 dies of a port that a unix socket lacks, where it means to
        # say that connecting took too long.
        return isinstance(error, (RedisError, OSError, AttributeError))


class JSONMemcacheCache(_Noting, PyMemcacheCache):
    """Django's pymemcache backend, with JSON where it would pickle.

    A class, because OPTIONS takes the serde as an object and a plan holds only text.
    """

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options: dict[str, Any] = {
            "connect_timeout": TIMEOUT,
            "timeout": TIMEOUT,
            # After a failure pymemcache says "no such key" for a second without asking, and gives
            # the server up for a minute: each signs everybody out. So every call asks.
            "retry_attempts": 0,
            "dead_timeout": -1,
            **self._options,
            "serde": JSONSerde(),
        }

    def _is_failure(self, error: Exception) -> bool:
        from pymemcache.exceptions import MemcacheClientError, MemcacheError

        if isinstance(error, MemcacheClientError):
            return False  # a key that Memcached does not take: an unknown session
        return isinstance(error, (MemcacheError, OSError))
