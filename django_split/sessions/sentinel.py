"""Asking Sentinel who the primary is, with redis-py's own client for it."""

from __future__ import annotations

from time import monotonic
from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as LateError
from redis.retry import Retry
from redis.sentinel import Sentinel

from django_split.sessions import credentials
from django_split.sessions.address import Address


def primary(address: Address, deadline: float) -> tuple[str, int]:
    """Host and port of the primary. Raises redis-py's errors when nobody knows one in time.

    One Sentinel after the other, each with its share of what is left until `deadline`: redis-py
    gives each the same timeout, so that three hung ones took three times as long (FACTS E), and
    the first hung one would leave nothing for those that answer.
    """
    own = credentials.of_sentinel()
    username, password = (None, *own.auth)[-2:] if own.auth else (None, None)
    failure: RedisError = LostError(f"no Sentinel of {address.service} was asked")
    for number, (host, port) in enumerate(address.hosts):
        # The primary gets a share too.
        share = (deadline - monotonic()) / (len(address.hosts) - number + 1)
        if share <= 0:
            raise LateError
        options: dict[str, Any] = {
            "socket_timeout": share,
            "socket_connect_timeout": share,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "username": username,
            "password": password,
        }
        if address.tls:
            options |= {"ssl": True, **own.tls}
        client = Sentinel([(host, port)], sentinel_kwargs=options)
        try:
            found = client.discover_master(address.service)
        except RedisError as error:
            failure = error
        else:
            return str(found[0]), int(found[1])
        finally:
            for one in client.sentinels:
                one.close()
    raise failure
