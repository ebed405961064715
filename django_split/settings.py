"""What an instance's settings module calls: the base, with the plan applied.

    globals().update(load(base="mysite.settings", plan="/srv/mysite/plan.toml", instance="main"))

Nothing but the base is imported here, not even by `find_spec`: importing a third-party package
while settings load made four of twenty real sites fail (FACTS A14).
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from django_split.base import read
from django_split.plan import Plan, PlanError, apply
from django_split.versions import UnsupportedError, check_versions

PLAN = "DJANGO_SPLIT_PLAN"


class PlanDriftWarning(UserWarning):
    """The base is no longer what the plan was made from."""


def load(
    *, base: str | None = None, plan: str | Path | None = None, instance: str
) -> dict[str, Any]:
    """Import the base and return the instance's settings, for `globals().update(...)`.

    `base` may be left out: the plan names it; `plan` too: DJANGO_SPLIT_PLAN in the environment
    names it. `instance` is "main" or "admin". Raises PlanError when Django is too old, the plan
    cannot be read, or its verdict is that the site cannot be split; warns where the base has
    drifted from it.
    """
    try:
        check_versions()
    except UnsupportedError as error:
        raise PlanError(f"these settings are {error}") from None
    path = os.path.abspath(plan or _named())
    accepted = Plan.read(path, whole=False)
    base = base or accepted.base
    if base != accepted.base:
        raise PlanError(f"the plan {path} is for {accepted.base}, not for {base}")
    if not accepted.verdict.can_be_split:
        why = "; ".join([*accepted.verdict.decisions, *accepted.verdict.reasons])
        raise PlanError(f"the plan {path} says {accepted.verdict.is_!r}: {why}")
    written = read(base)
    values, drift = apply(accepted, instance, written)
    for difference in drift:
        warnings.warn(
            f"{base}: {difference} ({path}). Make the plan again: django-split plan",
            PlanDriftWarning,
            stacklevel=2,
        )
    values["DJANGO_SPLIT"] = {
        # A base may say something itself here: "loud".
        **(written.get("DJANGO_SPLIT") or {}),
        "plan": path,
        "instance": instance,
        # For the system checks: what the settings alone do not show any more.
        "drift": drift,
        "base_session_cookie": written.get("SESSION_COOKIE_NAME", "sessionid"),
    }
    return values


def _named() -> str:
    named = os.environ.get(PLAN, "")
    if not named:
        raise PlanError(f"{PLAN} in the environment must be the path of a plan")
    if not os.path.exists(named):
        where = "" if os.path.isabs(named) else f" in {os.getcwd()}"
        raise PlanError(
            f'{PLAN} is "{named}", and there is no such file{where}: '
            "give the whole path, or make it with django-split plan --output"
        )
    return named
