"""Python programs run exactly as a running instance runs: its user, groups, environment and interpreter.

All of it is read from the process that serves, not from the files that should have started it: what is asked is
what the visitors get.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from .process import Process

# Imports the instance's settings and its apps, and prints what the claims need of them; no value that may be secret.
SETTINGS = """
import json
import django
django.setup()
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
database = connection.settings_dict
user = get_user_model()
print(json.dumps({
    "module": settings.SETTINGS_MODULE,
    "apps": [config.name for config in apps.get_app_configs()],
    "middleware": list(settings.MIDDLEWARE),
    "debug": bool(settings.DEBUG),
    "session_cookie": settings.SESSION_COOKIE_NAME,
    "session_engine": settings.SESSION_ENGINE,
    "csrf_cookie": settings.CSRF_COOKIE_NAME,
    "by_email": user.USERNAME_FIELD == user.get_email_field_name(),
    "static_url": settings.STATIC_URL,
    "static_root": str(settings.STATIC_ROOT or ""),
    "vendor": connection.vendor,
    "role": str(database.get("USER") or ""),
    "database": [str(database.get(key) or "") for key in ("HOST", "PORT", "NAME")],
}))
"""


class ProbeFailed(Exception):
    """The program did not print what it should; the text is its last line."""


@dataclass
class Running:
    """A program that was started; `result` waits for it."""

    what: str
    process: subprocess.Popen[str]
    entered: str

    def result(self, timeout: float) -> dict[str, Any]:
        """The JSON object on the last line of its output. Raises ProbeFailed."""
        try:
            out, err = self.process.communicate(self.entered, timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise ProbeFailed(f"{self.what}: no answer in {timeout:g} s") from None
        if self.process.returncode != 0:
            raise ProbeFailed(f"{self.what}: {_last_line(err) or _last_line(out)}")
        try:
            found = json.loads(_last_line(out))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProbeFailed(f"{self.what}: no JSON but {_last_line(out)[:200]!r}")
        return found

    def stop(self) -> None:
        """End the program when nobody wants its answer any more."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def interpreter(instance: Process) -> str:
    """The virtualenv's Python of a running gunicorn. /proc/PID/exe would name the one below it."""
    command = instance.command()
    if not command or not os.path.isabs(command[0]) or "python" not in os.path.basename(command[0]):
        shown = command[0] if command else "nothing"
        raise ProbeFailed(
            f"process {instance.pid} was not started by a Python by its full path: {shown}"
        )
    return command[0]


def start(instance: Process, what: str, arguments: list[str], entered: Any = None) -> Running:
    """Start Python as the instance with `entered` as JSON (a string: as it is) on its stdin. Raises ProbeFailed."""
    try:
        process = subprocess.Popen(
            [interpreter(instance), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=instance.environment(),
            cwd=instance.directory(),
            user=instance.uid,
            group=instance.gid,
            extra_groups=sorted(instance.groups),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ProbeFailed(f"{what}: {error}") from error
    text = "" if entered is None else entered if isinstance(entered, str) else json.dumps(entered)
    return Running(what, process, text)
