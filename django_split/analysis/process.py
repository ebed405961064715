"""Runs the analysis in a process of its own:

a base is set up once per process, and it may hang, print or exit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django_split.plan import Plan


class AnalysisError(Exception):
    """The base cannot be analysed; the message is for the operator."""


def analyse(settings: str, deploy: Mapping[str, Any], seconds: float = 120) -> Plan:
    """Make the plan for a base.

    Raises AnalysisError when it does not start, or takes longer than `seconds`.
    """
    with tempfile.TemporaryDirectory(prefix="django-split-") as directory:
        request, answer = Path(directory, "request.json"), Path(directory, "answer.json")
        request.write_text(json.dumps({"settings": settings, "deploy": deploy}), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "django_split.analysis", str(request), str(answer)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that what the site starts can be ended with it
        )
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise AnalysisError(
                f'"{settings}" was not set up after {seconds:g} s '
                "(does it wait for a server? --timeout gives it longer)"
            ) from None
        if not answer.exists():
            last = (errors.strip().splitlines() or ["no output"])[-1]
            raise AnalysisError(
                f'"{settings}" ended the analysis with status {process.returncode}: {last}'
            )
        found = json.loads(answer.read_text(encoding="utf-8"))
    if "broken" in found:
        raise AnalysisError(f"--settings is {found['broken']}")
    if "bad" in found:
        raise AnalysisError(f"--deploy: {found['bad']}")
    return Plan.from_data(found["plan"])
