"""What stands in the way, and the one message that says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that an operator must mend.

    ``variable`` is the one to change ("" when none would help), ``what`` a sentence that begins
    with it or with the thing that is wrong, ``place`` where the value was set, ``mend`` what to
    type when the sentence does not say so already.
    """

    variable: str
    what: str
    place: str = ""
    mend: str = ""

    def __str__(self) -> str:
        lines = [self.what]
        if self.mend:
            lines.append(self.mend)
        if self.place:
            lines.append(self.place)
        return "\n    ".join(line.replace("\n", "\n    ") for line in lines)


def message(host: str, problems: list[Problem]) -> str:
    """All problems of one host as one text."""
    count = "One thing stands" if len(problems) == 1 else f"{len(problems)} things stand"
    texts = [f"  {problem}" for problem in problems]
    return "\n\n".join([f"{count} in the way on {host}; nothing has been changed.", *texts])
