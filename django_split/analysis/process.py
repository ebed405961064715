"""Runs the analysis, and the audit, in processes of their own:

a base is set up once per process, and it may hang, print or exit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class AnalysisError(Exception):
    """The base cannot be analysed; the message is for the operator."""


class Processes:
    """Starts the steps of one analysis, all within one time limit.

    `package` is the one whose `__main__` has the steps.
    """

    def __init__(
        self, settings: str, seconds: float, package: str = "django_split.analysis"
    ) -> None:
        self.settings = settings
        self.seconds = seconds
        self.package = package
        self.deadline = time.monotonic() + seconds

    def run(self, step: str, request: Mapping[str, Any], **environment: str) -> dict[str, Any]:
        """Give a step's answer. Raises AnalysisError when there is none in time."""
        with tempfile.TemporaryDirectory(prefix="django-split-") as directory:
            ask, answer = Path(directory, "request.json"), Path(directory, "answer.json")
            ask.write_text(json.dumps(request), encoding="utf-8")
            process = subprocess.Popen(
                [sys.executable, "-m", self.package, step, str(ask), str(answer)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **environment},
                start_new_session=True,  # so that what the site starts can be ended with it
            )
            try:
                _, errors = process.communicate(timeout=max(0.1, self.deadline - time.monotonic()))
            except BaseException as error:
                # Ctrl-C too: in a session of its own the process does not hear of it.
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise AnalysisError(self._too_long(step)) from None
                raise
            if not answer.exists():
                last = (errors.strip().splitlines() or ["no output"])[-1]
                raise AnalysisError(
                    f'"{self.settings}" ended the {self.package.rpartition(".")[2]} '
                    f"with status {process.returncode}: {last}"
                )
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found

    def _too_long(self, step: str) -> str:
        what = "as main was not looked at" if step == "main" else "was not set up"
        return (
            f'"{self.settings}" {what} after {self.seconds:g} s '
            "(does it wait for a server? --timeout gives it longer)"
        )
