"""The application behind the tests' gunicorns: answers with what it was asked, and who it is.

/pid                    the process that answers
?accel=PATH             answers with X-Accel-Redirect
?cookie=BYTES           answers with a cookie of that length
?says=HEADER: VALUE     answers with that header
?end=ANYTHING           ends the worker without an answer
?hsts=SECONDS           answers with a Strict-Transport-Security of its own
?refuse=STATUS          answers with that status and a body of its own
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl


def umask() -> int:
    """The umask can only be read by setting it."""
    found = os.umask(0)
    os.umask(found)
    return found


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    if "end" in query:
        os._exit(1)
    answer = {
        "instance": os.environ["ECHO_INSTANCE"],
        "pid": os.getpid(),
        "umask": umask(),
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
    if "cookie" in query:
        headers.append(("Set-Cookie", "messages=" + "x" * int(query["cookie"])))
    if "says" in query:
        name, _, value = query["says"].partition(": ")
        headers.append((name, value))
    if "hsts" in query:
        headers.append(("Strict-Transport-Security", "max-age=" + query["hsts"]))
    start_response(f"{query.get('refuse', '200')} Said by the instance", headers)
    return [json.dumps(answer).encode()]
