"""Visitors who never stop, and count what went wrong: `python -m tests.fleet.crowd ADDRESS`.

Keep-alive connections ask in turn, every second time by POST, with a pause between two requests;
others ask for a page that takes three seconds. Lines on standard input name what is going on
("deploys"); an empty one, and its end, are answered by a JSON object that has, for each name,
requests, failures by cause and milliseconds.

A failure is any answer but 200 with the text that the page has, and no answer. A connection that
the server closes after an answer that said so is none.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from . import paths

TEXT = b"edition"
BODY = b"x" * 2000
SLOW_SECONDS = 3
ANSWER_SECONDS = 30


class FailedError(Exception):
    """What a visitor got instead of the page."""


@dataclass
class Seen:
    """What happened while something was going on."""

    requests: int = 0
    slow: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        times = sorted(self.milliseconds)
        return {
            "requests": self.requests,
            "slow": self.slow,
            "failed": sum(self.failures.values()),
            "failures": dict(self.failures.most_common(20)),
            "p50": round(statistics.median(times), 1) if times else None,
            "p99": round(times[int(len(times) * 0.99)], 1) if times else None,
            "worst": round(times[-1], 1) if times else None,
        }


class Crowd:
    """Visitors of one address."""

    def __init__(self, host: str, port: int, pause: float) -> None:
        self.host, self.port, self.pause = host, port, pause
        self.now = "begin"
        self.seen: dict[str, Seen] = {}
        self.ended = False

    async def visitor(self, turns: tuple[tuple[str, bool], ...], slow: bool) -> None:
        """One connection after the other, each used as long as the server keeps it.

        ``turns`` are paths, and whether to post, asked for one after the other.
        """
        stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for path, post in itertools.cycle(turns):
            if self.ended:
                break
            began, during = time.monotonic(), self.now
            cause = ""
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    if stream is None:
                        stream = await asyncio.open_connection(self.host, self.port)
                    if not await self._ask(*stream, path, post):
                        stream[1].close()
                        stream = None
            except (OSError, TimeoutError, asyncio.IncompleteReadError, FailedError) as error:
                cause = f"{type(error).__name__}: {error}"
                if stream is not None:
                    stream[1].close()
                stream = None
            # What began before something else did belongs to what it ended in: that disturbed it.
            seen = self.seen.setdefault(self.now if cause else during, Seen())
            seen.requests += 1
            seen.slow += slow
            if cause:
                seen.failures[cause] += 1
            elif not slow:
                seen.milliseconds.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(self.pause)
        if stream is not None:
            stream[1].close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, post: bool
    ) -> bool:
        """One request; returns whether the connection is kept. Raises FailedError."""
        head = f"{'POST' if post else 'GET'} {path} HTTP/1.1\r\nHost: localhost\r\n"
        body = b""
        if post:
            body = BODY
            head += f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + body)
        await writer.drain()
        status = (await reader.readuntil(b"\r\n")).decode().strip()
        fields: dict[str, str] = {}
        while line := (await reader.readuntil(b"\r\n")).decode().strip():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip().lower()
        if fields.get("transfer-encoding") == "chunked":
            text = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                text += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            text = await reader.readexactly(int(fields.get("content-length", 0)))
        if " 200 " not in f"{status} ":
            raise FailedError(status)
        if TEXT not in text:
            raise FailedError(f"{status} without {TEXT!r}")
        return fields.get("connection") != "close"

    async def listen(self) -> None:
        """Follow standard input to its end."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            if name := line.decode().strip():
                self.now = name
            else:
                self.tell()
        self.ended = True

    def tell(self) -> None:
        print(json.dumps({name: each.told() for name, each in self.seen.items()}), flush=True)


async def crowd(options: argparse.Namespace) -> Crowd:
    host, _, port = options.address.removeprefix("http://").partition(":")
    people = Crowd(host, int(port or 80), options.pause)
    async with asyncio.TaskGroup() as group:
        group.create_task(people.listen())
        for _ in range(options.visitors):
            turns = (("/", False), (options.path, True))
            group.create_task(people.visitor(turns, slow=False))
        for _ in range(options.slow):
            path = f"{options.path}?sleep={SLOW_SECONDS}"
            group.create_task(people.visitor(((path, False), (path, True)), slow=True))
    return people


class Load:
    """A crowd in a process of its own."""

    def __init__(self, address: str, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet.crowd", address, *words],
            cwd=paths.REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def during(self, name: str) -> None:
        """What is going on from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()

    def so_far(self) -> dict[str, dict[str, Any]]:
        """What the visitors have seen until now."""
        self.during("")
        assert self._process.stdout is not None
        told: dict[str, dict[str, Any]] = json.loads(self._process.stdout.readline())
        return told

    @contextlib.contextmanager
    def phase(self, name: str, then: str = "idle") -> Iterator[None]:
        self.during(name)
        try:
            yield
        finally:
            self.during(then)

    def end(self) -> dict[str, dict[str, Any]]:
        """Send the visitors home and return what they saw."""
        said, _ = self._process.communicate(timeout=ANSWER_SECONDS + 30)
        told: dict[str, dict[str, Any]] = json.loads(said)
        return told


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.crowd", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--path", default="/load/", help="a page that takes POST and ?sleep=")
    parser.add_argument("--visitors", type=int, default=2)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two requests")
    asyncio.run(crowd(parser.parse_args())).tell()


if __name__ == "__main__":
    main()
