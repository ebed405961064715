"""Ask a process on the base what main may do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from django_split.analysis.process import AnalysisError, Processes
from django_split.grants.facts import Answers, Rights, Table
from django_split.plan import Plan


def ask(plan: Path, answers: Answers, settings: str = "", seconds: float = 120) -> Rights:
    """Derive main's rights from a plan and its base.

    Raises AnalysisError, and PlanError for a plan that is none or of another site.
    """
    base = Plan.read(plan).base
    if settings and settings != base:
        raise AnalysisError(f'"{settings}" is not what {plan} was made for: {base}')
    request = {
        "settings": base,
        "plan": str(plan.resolve()),
        "answers": dataclasses.asdict(answers),
    }
    found = Processes(base, seconds, "django_split.grants").run("look", request)
    if "broken" in found:
        raise AnalysisError(found["broken"])
    return Rights([Table(**table) for table in found["tables"]], found["notes"])
