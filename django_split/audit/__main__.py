"""The audit's processes: `python -m django_split.audit STEP REQUEST ANSWER`, both JSON files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django_split.audit import steps

STEPS = {"look": steps.look, "pages": steps.pages}


def run(step: str, request_path: str, answer_path: str) -> None:
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer = STEPS[step](request)
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    run(*sys.argv[1:])
