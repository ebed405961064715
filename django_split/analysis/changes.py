"""Changes to a plan's apps: each keeps drop_apps, replace_apps, shadows and reasons together.

Works on the plan alone, so that it can be done again when main's own process shows that more has to
go, or that less may.
"""

from __future__ import annotations

from django_split.findings import Finding
from django_split.plan import Plan, Shadow


def drop(plan: Plan, entry: str, shadows: list[Shadow], why: str = "") -> None:
    """Main does without an app; what it deletes must still cascade into the app's tables."""
    main = plan.main
    if entry not in main.drop_apps:
        main.drop_apps.append(entry)
    main.replace_apps.pop(entry, None)
    if why:
        main.why[entry] = why
    main.models = [*(shadow for shadow in main.models if shadow.app != entry), *shadows]
    main.why |= {s.table: "what main deletes must cascade into this table" for s in shadows}


def keep_models(plan: Plan, entry: str, instead: str, needed: list[Finding]) -> None:
    """Main keeps an app's models and templates, and nothing else of it. It needs no shadow then."""
    main = plan.main
    for shadow in main.models:
        if shadow.app == entry:
            main.why.pop(shadow.table, None)
    main.models = [shadow for shadow in main.models if shadow.app != entry]
    main.drop_apps = [app for app in main.drop_apps if app != entry]
    main.replace_apps[entry] = instead
    first = needed[0]
    at = f" ({first.where})" if first.where else ""
    main.why[entry] = f"its models and templates only: {first.what}{at}"
