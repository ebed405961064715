"""Python run as a running instance runs: its user, groups, environment and interpreter.

All of it is read from the process that serves, not from the files that should have started it: what
is asked is what the visitors get.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any

from .process import Process

SETTINGS_MODULE = "DJANGO_SETTINGS_MODULE"
# Loads the settings and the apps, and prints what the claims are about; nothing that may be secret.
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
# Where the site needs an app's models, main has these and nothing else of it.
apart = "django_split.runtime.main.models_only"
models = [config.name for config in apps.get_app_configs() if type(config).__module__ == apart]
print(json.dumps({
    "module": settings.SETTINGS_MODULE,
    "apps": [config.name for config in apps.get_app_configs() if config.name not in models],
    "models": models,
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


class ProbeError(Exception):
    """The program did not print what it should; the text is its last line."""


@dataclass
class Running:
    """A program that was started; `result` waits for it."""

    what: str
    process: subprocess.Popen[str]
    entered: str

    def result(self, timeout: float) -> dict[str, Any]:
        """The JSON object on the last line of its output. Raises ProbeError."""
        try:
            out, err = self.process.communicate(self.entered, timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise ProbeError(f"{self.what}: no answer in {timeout:g} s") from None
        if self.process.returncode != 0:
            raise ProbeError(f"{self.what}: {_last_line(err) or _last_line(out)}")
        try:
            found = json.loads(_last_line(out))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProbeError(f"{self.what}: no JSON but {_last_line(out)[:200]!r}")
        return found

    def stop(self) -> None:
        """End the program when nobody wants its answer any more."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


@dataclass(frozen=True)
class Instance:
    """A running gunicorn, "main" or "admin"; `manage` is the site's management command, or ""."""

    name: str
    process: Process
    manage: str = ""

    def start(self, what: str, arguments: list[str], entered: Any = None) -> Running:
        """Start Python as the instance. `entered` is its stdin: a string as it is, else JSON.

        Raises ProbeError.
        """
        try:
            process = subprocess.Popen(
                **self._command(arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ProbeError(f"{what}: {error}") from error
        if entered is None or isinstance(entered, str):
            return Running(what, process, entered or "")
        return Running(what, process, json.dumps(entered))

    def _command(self, arguments: list[str]) -> dict[str, Any]:
        command, environment = self.process.command(), self.process.environment()
        # /proc/PID/exe would name the Python that the virtualenv was made from
        python = command[0] if command else ""
        if SETTINGS_MODULE in environment and os.path.isabs(python) and os.path.isfile(python):
            return {
                "args": [python, *arguments],
                "env": environment,
                "cwd": self.process.directory(),
                "user": self.process.uid,
                "group": self.process.gid,
                "extra_groups": sorted(self.process.groups),
            }
        # The package setproctitle writes the process's title over its command line and environment
        if self.manage:
            return {"args": [self.manage, "--instance", self.name, "--python", *arguments]}
        raise ProbeError(f"process {self.process.pid} does not show what it was started with")


def result(seconds: float, probe: Running | str) -> dict[str, Any] | str:
    """What a probe found, or why it found nothing. Setting up a big site is slow: three times."""
    if isinstance(probe, str):
        return probe
    try:
        return probe.result(3 * seconds)
    except ProbeError as error:
        return str(error)
