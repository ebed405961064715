"""Cache backends for the session store, named by CACHES as strings."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.memcached import PyMemcacheCache

from django_split.sessions.serializers import JSONSerde


class JSONMemcacheCache(PyMemcacheCache):
    """Django's pymemcache backend, with JSON where it would pickle.

    A class, because OPTIONS takes the serde as an object and a plan holds only text.
    """

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._options: dict[str, Any] = {**self._options, "serde": JSONSerde()}
