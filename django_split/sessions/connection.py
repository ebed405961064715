"""A redis-py connection of each thread's own, held from request to request.

Not redis.Redis, which makes a client for each operation and retries by itself: with a timeout of 2
seconds a hung Redis took 26 (FACTS B and E). redis-py does what is worth having: it connects, does
TLS, and parses, with hiredis where that is installed.
"""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as LateError
from redis.retry import Retry

from django_split.sessions.address import Address
from django_split.sessions.credentials import Credentials
from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.sentinel import primary


class Link:
    """Asks one store; every thread, and every process after a fork, over a connection of its own.

    A question has `timeout` seconds for everything: asking Sentinel, connecting, signing in, the
    command itself.
    """

    def __init__(self, address: Address, timeout: float, credentials: Credentials) -> None:
        self.address = address
        self.timeout = timeout
        self._credentials = credentials
        self._held = _Held()

    def ask(self, command: bytes) -> Any:
        """The reply to a command that is packed already.

        Raises StoreUnavailableError, also for what the store refuses.
        """
        return self._within(self._one, command)

    def ask_all(self, commands: list[bytes]) -> list[Any]:
        """The replies to several commands, in one round trip."""
        replies: list[Any] = self._within(self._several, b"".join(commands), len(commands))
        return replies

    def _within(self, asking: Any, *question: Any) -> Any:
        deadline = monotonic() + self.timeout
        try:
            connection = self._take()
            if connection is not None:
                try:
                    return asking(connection, *question)
                except (LostError, ReadOnlyError) as error:
                    if not self._is_stale(error):
                        raise
            return self._anew(deadline, asking, *question)
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(self._reason(error)) from error

    def _one(self, connection: AbstractConnection, command: bytes) -> Any:
        connection.send_packed_command((command,), check_health=False)
        try:
            reply = connection.read_response()
        except ResponseError as error:
            if not isinstance(error, ReadOnlyError):
                self._held.connection = connection
            raise
        self._held.connection = connection
        return reply

    def _several(self, connection: AbstractConnection, commands: bytes, count: int) -> list[Any]:
        connection.send_packed_command((commands,), check_health=False)
        # After an error there are replies that nobody reads: the connection is let go with them.
        replies = [connection.read_response() for _ in range(count)]
        self._held.connection = connection
        return replies

    def _take(self) -> AbstractConnection | None:
        """Take the connection out for as long as a question is open.

        It comes back with the whole reply read. Whatever interrupts in between, a signal or a
        worker's timeout, lets it go: or the next request read the answer to this one.
        """
        held = self._held
        connection, held.connection = held.connection, None
        if connection is not None and connection.pid != os.getpid():
            return None  # the parent's: redis-py closes our copy of it without a word to Redis
        return connection

    def _is_stale(self, error: RedisError) -> bool:
        """Whether the connection and not the store is at fault: then once more, on a new one.

        It was closed while it was idle, by a restart; or its primary became a replica. All that we
        send may be sent twice.
        """
        # The exact class: "wrong password" and "loading" derive from it, and are answers.
        closed = type(error) is LostError
        return closed or (isinstance(error, ReadOnlyError) and bool(self.address.service))

    def _anew(self, deadline: float, asking: Any, *question: Any) -> Any:
        connection = self._connect(deadline)
        _bound(connection, deadline)
        try:
            return asking(connection, *question)
        finally:
            if connection._sock:
                connection._sock.settimeout(self.timeout)

    def _connect(self, deadline: float) -> AbstractConnection:
        address = self.address
        host, port = "", 0
        if address.service:
            host, port = primary(address, deadline)
        elif address.hosts:
            ((host, port),) = address.hosts
        options: dict[str, Any] = {
            "socket_timeout": _left(deadline),
            "socket_connect_timeout": _left(deadline),
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,  # nothing to negotiate: one round trip less
        }
        if address.path:
            connection = UnixDomainSocketConnection(path=address.path, **options)
            # redis-py 8.1 reads it when connecting takes too long, and then dies of its absence.
            connection.port = 0
        elif address.tls:
            connection = SSLConnection(host=host, port=port, **self._credentials.tls, **options)
        else:
            connection = Connection(host=host, port=port, **options)
        # What redis-py tells the server of itself, under the names of its versions: two more round
        # trips, which the store's ACL refuses.
        for name in ("driver_info", "lib_name", "lib_version"):
            setattr(connection, name, None)
        connection.connect()
        for words in self._greeting():
            _bound(connection, deadline)
            connection.send_command(*words, check_health=False)
            connection.read_response()
        return connection

    def _greeting(self) -> list[tuple[str | int, ...]]:
        words: list[tuple[str | int, ...]] = []
        if auth := self._credentials.auth:
            words.append(("AUTH", *auth))
        if self.address.db:
            words.append(("SELECT", self.address.db))
        return words

    def _reason(self, error: RedisError | OSError) -> str:
        where = str(self.address)
        if isinstance(error, LateError):
            return f"{where}: no answer within {self.timeout:g} s"
        said = str(error)
        code = getattr(error, "status_code", None)
        if code and not said.startswith(code):
            said = f"{code} {said}"
        return said if where in said else f"{where}: {said}"


class _Held(threading.local):
    connection: AbstractConnection | None = None


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise LateError
    return left


def _bound(connection: AbstractConnection, deadline: float) -> None:
    """Give the next step what is left: redis-py's timeout is for each read."""
    if connection._sock:
        connection._sock.settimeout(_left(deadline))
