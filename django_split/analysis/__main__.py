"""The analysis processes: `python -m django_split.analysis STEP REQUEST ANSWER`, both JSON files.

There are two steps, because Django has one set of settings per process: "base" looks at the site as
it is, "main" starts what the plan makes of it. A third, "diff", compares their settings. The answer
goes into a file, because a site may print whatever it likes while it is set up.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django_split.analysis import steps

STEPS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "base": steps.base,
    "main": steps.main,
    "diff": steps.diff,
}


def run(step: str, request_path: str, answer_path: str) -> None:
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer = STEPS[step](request)
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    run(*sys.argv[1:])
