"""JSON for what the session store holds. Never pickle.

With pickle, whoever can write to the store runs code in the admin as soon as a key is read, before
any login (FACTS E). With JSON the worst is a forged session, and what is not JSON is an error or an
unknown session.
"""

from __future__ import annotations

import json
import pickle
from typing import Any


def unpickles(serializer: Any) -> bool:
    """Whether a serializer, by its name or itself, reads pickle. Tried, not guessed by its name."""
    from django.utils.module_loading import import_string

    probe = {"probe": 1}
    made = import_string(serializer) if isinstance(serializer, str) else serializer
    try:
        return bool(
            (made() if isinstance(made, type) else made).loads(pickle.dumps(probe)) == probe
        )
    except Exception:
        return False


class JSONSerializer:
    """The `serializer` option of Django's RedisCache."""

    def dumps(self, obj: Any) -> bytes:
        return json.dumps(obj, separators=(",", ":")).encode("latin-1")

    def loads(self, data: bytes) -> Any:
        return json.loads(data.decode("latin-1"))


class JSONSerde:
    """The `serde` option of pymemcache. The flags are unused: there is one format."""

    def serialize(self, key: str | bytes, value: Any) -> tuple[bytes, int]:
        return JSONSerializer().dumps(value), 0

    def deserialize(self, key: str | bytes, value: bytes, flags: int) -> Any:
        return JSONSerializer().loads(value)
