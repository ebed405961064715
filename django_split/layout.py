"""Text for a terminal of 80 columns, and for a pipe.

No package draws it: the one that would brings others along, and a site has its own versions of
those. Nothing of a site's text is taken as markup, and what a terminal would obey is spelled out.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TextIO

WIDEST = 100
BOLD, YELLOW, DIM = "1", "33", "2"
ARROW = "-> "


def plain(text: str) -> str:
    """The text on one line, without control characters: a site's names may hold escape codes."""
    return harmless(" ".join(text.split()))


def harmless(text: str) -> str:
    """The text without control characters, as it stands else."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


class Sheet:
    """Writes paragraphs and rows to a stream."""

    def __init__(self, stream: TextIO, width: int = 0, colours: bool | None = None) -> None:
        self.stream = stream
        self.is_terminal = stream.isatty()
        self.width = min(width or shutil.get_terminal_size((80, 24)).columns, WIDEST)
        if colours is None:
            colours = (
                self.is_terminal and "NO_COLOR" not in os.environ and _knows_colours(os.environ)
            )
        self.colours = colours

    def heading(self, text: str) -> None:
        self.gap()
        self.line(text, style=BOLD)

    def gap(self) -> None:
        self.stream.write("\n")

    def line(self, text: str, indent: int = 0, style: str = "") -> None:
        """A paragraph, folded between words."""
        for folded in self._folded(plain(text), indent):
            self._write(folded, style)

    def sentence(self, text: str, indent: int = 0, style: str = "") -> None:
        """As `line`, but whole where a program may look for it: in a pipe it is not folded."""
        if self.is_terminal:
            self.line(text, indent, style)
        else:
            self._write(" " * indent + plain(text), style)

    def pair(self, left: str, right: str, indent: int = 0) -> None:
        """Two names, one above the other where they do not fit beside each other."""
        left, right = plain(left), plain(right)
        if indent + len(left) + 1 + len(ARROW) + len(right) <= self.width:
            self._write(f"{' ' * indent}{left} {ARROW}{right}")
            return
        self.line(left, indent)
        for number, folded in enumerate(self._folded(right, indent + 2 + len(ARROW))):
            self._write(" " * (indent + 2) + ARROW + folded.lstrip() if number == 0 else folded)

    def row(self, label: str, text: str, width: int, indent: int = 0) -> None:
        """A label in a column of that width, and beside it a text that is folded in its own."""
        first, *others = self._folded(plain(text), indent + width) or [""]
        self._write((" " * indent + plain(label)).ljust(indent + width) + first.lstrip())
        for folded in others:
            self._write(folded)

    def verbatim(self, text: str, indent: int = 0) -> None:
        """What is to be typed: neither folded nor trimmed."""
        self._write(" " * indent + harmless(text))

    def _folded(self, text: str, indent: int) -> list[str]:
        # A name is never broken: who copies it from the terminal must get it whole.
        return textwrap.wrap(
            text,
            max(self.width, indent + 20),
            initial_indent=" " * indent,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _write(self, text: str, style: str = "") -> None:
        styled = f"\x1b[{style}m{text}\x1b[0m" if style and self.colours else text
        self.stream.write(f"{styled}\n")


def _knows_colours(environment: os._Environ[str]) -> bool:
    return environment.get("TERM", "dumb") != "dumb"
