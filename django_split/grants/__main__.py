"""The process on the base: `python -m django_split.grants STEP REQUEST ANSWER`, JSON files."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from django_split.analysis.failure import describe
from django_split.base import read
from django_split.plan import Plan
from django_split.versions import UnsupportedError, check_versions


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Takes `settings`, `plan` and `answers`; gives a Rights's data, or what is `broken`."""
    module = request["settings"]
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    try:
        check_versions()
        read(module)  # first: Django itself would import a plain module
        import django
        from django.conf import settings

        # The site's log files are not ours to open.
        settings.LOGGING_CONFIG = None
        django.setup()
        from django_split.grants.derive import rights
        from django_split.grants.facts import Answers

        plan = Plan.read(Path(request["plan"]))
        return dataclasses.asdict(rights(plan, Answers(**request["answers"])))
    except UnsupportedError as error:
        return {"broken": f'"{module}" is {error}'}
    except (Exception, SystemExit) as error:
        return {"broken": describe(error, module)}


if __name__ == "__main__":
    answer = look(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")))
    Path(sys.argv[3]).write_text(json.dumps(answer), encoding="utf-8")
