"""The application behind the tests' gunicorns: answers with what it was asked, and who it is.

/pid                    the process that answers
?accel=PATH             answers with X-Accel-Redirect
?refuse=STATUS          answers with that status and a body of its own
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    answer = {
        "instance": os.environ["ECHO_INSTANCE"],
        "pid": os.getpid(),
        "method": environ["REQUEST_METHOD"],
        "target": environ["RAW_URI"],
        "path": environ["PATH_INFO"],
        "script_name": environ["SCRIPT_NAME"],
        "scheme": environ["wsgi.url_scheme"],
        "headers": {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")},
        "body": len(environ["wsgi.input"].read()),
    }
    headers = [("Content-Type", "application/json")]
    if "accel" in query:
        headers.append(("X-Accel-Redirect", query["accel"]))
    start_response(f"{query.get('refuse', '200')} Said by the instance", headers)
    return [json.dumps(answer).encode()]
