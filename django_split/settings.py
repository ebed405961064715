"""What an instance's settings module calls: the base, with the plan applied.

    globals().update(load(base="mysite.settings", plan="/srv/mysite/plan.toml", instance="main"))

Nothing but the base is imported here, not even by `find_spec`: importing a third-party package
while settings load made four of twenty real sites fail (FACTS A14).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from django_split.base import read
from django_split.plan import Plan, PlanError, apply


class PlanDriftWarning(UserWarning):
    """The base is no longer what the plan was made from."""


def load(*, base: str | None = None, plan: str | Path, instance: str) -> dict[str, Any]:
    """Import the base and return the instance's settings, for `globals().update(...)`.

    `base` may be left out: the plan names it. `instance` is "main" or "admin". Raises PlanError
    when the plan cannot be read or its verdict is that the site cannot be split; warns where the
    base has drifted from it.
    """
    accepted = Plan.read(plan)
    base = base or accepted.base
    if base != accepted.base:
        raise PlanError(f"the plan {plan} is for {accepted.base}, not for {base}")
    if not accepted.verdict.can_be_split:
        why = "; ".join([*accepted.verdict.decisions, *accepted.verdict.reasons])
        raise PlanError(f"the plan {plan} says {accepted.verdict.is_!r}: {why}")
    values, drift = apply(accepted, instance, read(base))
    for difference in drift:
        warnings.warn(
            f"{base}: {difference} ({plan}). Make the plan again: django-split plan",
            PlanDriftWarning,
            stacklevel=2,
        )
    values["DJANGO_SPLIT"] = {"plan": str(plan), "instance": instance}
    return values
