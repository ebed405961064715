"""What an instance's settings module calls: the base, with the plan applied.

    globals().update(load(base="mysite.settings", plan="/srv/mysite/plan.toml", instance="main"))

Nothing but the base is imported here, not even by `find_spec`: importing a third-party package
while settings load made four of twenty real sites fail (FACTS A14).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django_split.apply import apply_data
from django_split.base import read
from django_split.plan_file import (
    FINDINGS,
    GHOSTS,
    NOTHING_TO_SPLIT,
    PlanError,
    can_be_split,
    read_data,
)
from django_split.versions import UnsupportedError, check_versions

PLAN = "DJANGO_SPLIT_PLAN"
SECRET_KEY = "DJANGO_SPLIT_ADMIN_SECRET_KEY"  # noqa: S105 - its name


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
    data = read_data(path, without=(FINDINGS, GHOSTS))
    base = _base(data, base, path)
    written = read(base)
    try:
        values, drift = apply_data(data, instance, written)
    except (KeyError, TypeError, AttributeError) as error:
        raise PlanError(f"the plan {path} is not one: {type(error).__name__}: {error}") from error
    for difference in drift:
        warnings.warn(
            f"{base}: {difference} ({path}). Make the plan again: django-split plan",
            PlanDriftWarning,
            stacklevel=2,
        )
    if instance == "admin" and data["admin"].get("own_secret_key"):
        values["SECRET_KEY"] = _own_key(path, written)
    values["DJANGO_SPLIT"] = {
        # A base may say something itself here: "loud".
        **(written.get("DJANGO_SPLIT") or {}),
        "plan": path,
        "instance": instance,
        # For the system checks: what the settings alone do not show any more.
        "drift": drift,
        "base_session_cookie": written.get("SESSION_COOKIE_NAME", "sessionid"),
    }
    if instance == "admin" and "DJANGO_SPLIT_SESSIONS" in values:
        # Whoever was signed in before the split comes with it. The base's own say: not in the plan.
        values["DJANGO_SPLIT_SESSIONS"] = {
            **values["DJANGO_SPLIT_SESSIONS"],
            "base_cookie": written.get("SESSION_COOKIE_NAME", "sessionid"),
            "base_cookie_path": written.get("SESSION_COOKIE_PATH", "/"),
            "base_cookie_domain": written.get("SESSION_COOKIE_DOMAIN"),
        }
    return values


def _base(plan: Mapping[str, Any], base: str | None, path: str) -> str:
    """The base's name, where the plan is for it and says that it can be split."""
    planned, verdict = str(plan.get("base", "")), plan.get("verdict") or {}
    if base and base != planned:
        raise PlanError(f"the plan {path} is for {planned}, not for {base}")
    decisions, reasons = verdict.get("decisions", []), verdict.get("reasons", [])
    if not can_be_split(verdict.get("is", NOTHING_TO_SPLIT), decisions):
        why = "; ".join([*decisions, *reasons])
        raise PlanError(f"the plan {path} says {verdict.get('is')!r}: {why}")
    return planned


def _own_key(plan: str, base: Mapping[str, Any]) -> str:
    """The admin's own SECRET_KEY, which is in no file that main can read."""
    key = os.environ.get(SECRET_KEY, "")
    wrong = "is not in the environment" if not key else ""
    if key and key in (base.get("SECRET_KEY"), *(base.get("SECRET_KEY_FALLBACKS") or ())):
        wrong = "is a key of the site's, which main knows too"
    if wrong:
        raise PlanError(
            f"the plan {plan} gives the admin a SECRET_KEY of its own (admin_secret_key: own), and "
            f"{SECRET_KEY} {wrong}. The playbook sets it; by hand: export {SECRET_KEY}=$(python3 "
            "-c 'import secrets; print(secrets.token_urlsafe(50))'), always the same"
        )
    return key


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
