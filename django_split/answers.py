"""One JSON answer on standard output, for commands that a playbook reads."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from typing import Any

import django


def answer(question: Callable[[], dict[str, Any]]) -> int:
    """Set Django up, ask, print the answer.

    Gives the exit status; an error is one line on standard error.

    Whatever the site prints on the way goes to standard error: the answer must be the only thing on
    the other.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            django.setup()
            found = question()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found))
    return 0
