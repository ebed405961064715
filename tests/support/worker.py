"""A process with one instance's settings set up; it runs the code it is sent and answers with JSON.

Django has one set of settings per process, so each instance that a test asks needs a process of its
own. It stays, because starting one costs half a second.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
from typing import Any

import django


def main() -> None:
    requests, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr  # what a site prints is not an answer
    logged = io.StringIO()
    django.setup()
    logging.getLogger("django_split").addHandler(logging.StreamHandler(logged))
    for line in requests:
        logged.seek(0)
        logged.truncate()
        names: dict[str, Any] = {"log": logged}
        try:
            exec(json.loads(line), names)  # noqa: S102 - the tests' own code
            reply = {"answer": names.get("answer")}
        except BaseException:
            reply = {"error": traceback.format_exc()}
        answers.write(json.dumps(reply, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
