"""How far long work is: on a terminal one line, written over; elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TextIO

ON_A_TERMINAL = 0.2
IN_A_LOG = 15.0


class Progress:
    """Writes to standard error, so that standard output stays what the command answers."""

    def __init__(self, what: str, total: int | None, to: TextIO | None = None) -> None:
        self.what, self.total = what, total
        self.to = to or sys.stderr
        self.terminal = self.to.isatty()
        self.begun = self.shown = time.monotonic()
        self.width = 0

    def at(self, done: int) -> None:
        now = time.monotonic()
        if now - self.shown < (ON_A_TERMINAL if self.terminal else IN_A_LOG):
            return
        self.shown = now
        line = self._line(done, now - self.begun)
        if self.terminal:
            self.to.write(f"\r{line:{self.width}}")
            self.width = len(line)
        else:
            self.to.write(f"{line}\n")
        self.to.flush()

    def end(self) -> None:
        """Leave a terminal's line empty: what comes next is the result."""
        if self.width:
            self.to.write(f"\r{'':{self.width}}\r")
            self.to.flush()
            self.width = 0

    def _line(self, done: int, seconds: float) -> str:
        rate = done / seconds if seconds else 0
        line = f"{self.what}: {done:,}"
        if self.total:
            line += f" of {self.total:,} ({min(done / self.total, 1):.0%})"
        line += f", {rate:,.0f}/s"
        if self.total and rate and self.total > done:
            line += f", {_clock((self.total - done) / rate)} left"
        return line


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
