"""Changes to a plan's apps: each keeps drop_apps, replace_apps, shadows and reasons together.

Works on the plan alone, so that it can be done again when main's own process shows that more has to
go, or that less may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django_split.findings import Finding
from django_split.plan import Plan, Shadow, ShadowField, build

SHADOWS = "django_split"  # the label of the app that they are in


@dataclass
class Known:
    """What the base's process knows of its apps, by their entries in INSTALLED_APPS.

    `names` are their packages; `shadows` are made of every table with a foreign key, whatever it
    points at; `models_only` is what can take an app's place; `processors` are context processors
    with their stand-ins; `kept` says why main cannot do without an app, and `skins` are those that
    nothing of main uses.
    """

    names: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    shadows: dict[str, list[Shadow]] = field(default_factory=dict)
    models_only: dict[str, str] = field(default_factory=dict)
    processors: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    skins: list[str] = field(default_factory=list)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Known:
        shadows = {
            entry: [build(Shadow, item, "shadow") for item in group]
            for entry, group in data["shadows"].items()
        }
        return cls(**{**data, "shadows": shadows})


def drop(plan: Plan, entry: str, known: Known, why: str = "") -> None:
    """Main does without an app; what it deletes must still cascade into the app's tables."""
    main = plan.main
    if entry not in main.drop_apps:
        main.drop_apps.append(entry)
    main.replace_apps.pop(entry, None)
    if why:
        main.why[entry] = why
    processors = known.processors.get(entry, {})
    main.swap_context_processors |= processors
    main.why |= dict.fromkeys(processors, "its app is gone from main")
    _shadow(plan, known)


def take_back(plan: Plan, entry: str, known: Known) -> None:
    """Main has an app after all."""
    main = plan.main
    main.drop_apps = [app for app in main.drop_apps if app != entry]
    for name in [entry, *known.processors.get(entry, ())]:
        main.why.pop(name, None)
    for processor in known.processors.get(entry, ()):
        main.swap_context_processors.pop(processor, None)
    _shadow(plan, known)


def keep_models(plan: Plan, entry: str, known: Known, needed: list[Finding]) -> None:
    """Main keeps an app's models and templates, and nothing else of it. It needs no shadow then."""
    main = plan.main
    main.drop_apps = [app for app in main.drop_apps if app != entry]
    main.replace_apps[entry] = known.models_only[entry]
    first = needed[0]
    at = f" ({first.where})" if first.where else ""
    main.why[entry] = f"its models and templates only: {first.what}{at}"
    _shadow(plan, known)


def _shadow(plan: Plan, known: Known) -> None:
    """Give the plan the shadows that its dropped apps need."""
    main = plan.main
    for shadow in main.models:
        main.why.pop(shadow.table, None)
    main.models = shadows(main.drop_apps, known)
    main.why |= {s.table: "what main deletes must cascade into this table" for s in main.models}


def shadows(gone: list[str], known: Known) -> list[Shadow]:
    """The shadows of dropped apps' tables that a row of a kept one can be pointed at from.

    A table that points at such a table is among them: its rows stand in the way of the cascade too.
    What points at a dropped table without a shadow is left out.
    """
    labels = {known.labels.get(entry, "") for entry in gone}
    tables = {
        f"{known.labels.get(entry, '')}.{shadow.name}": shadow
        for entry in gone
        for shadow in known.shadows.get(entry, ())
    }
    reached: dict[str, Shadow] = {}
    while True:
        more = {
            label: shadow
            for label, shadow in tables.items()
            if label not in reached and any(_lives(item, labels, reached) for item in shadow.fields)
        }
        if not more:
            break
        reached |= more
    names = _names(reached)
    return [
        replace(
            shadow,
            name=names[label],
            fields=[
                replace(item, to=f"{SHADOWS}.{names[item.to]}") if item.to in reached else item
                for item in shadow.fields
                if _lives(item, labels, reached)
            ],
        )
        for label, shadow in tables.items()
        if label in reached
    ]


def _lives(item: ShadowField, gone: set[str], reached: dict[str, Shadow]) -> bool:
    """Whether there is a model on main that a field can point at. A shadow has its key only."""
    if item.to in reached:
        return not item.to_field
    return item.to.partition(".")[0] not in gone


def _names(reached: dict[str, Shadow]) -> dict[str, str]:
    """A name for each shadow: they are all in one app, where two apps may have had the same."""
    every = [shadow.name for shadow in reached.values()]
    return {
        label: shadow.name
        if every.count(shadow.name) == 1
        else f"{label.partition('.')[0].title().replace('_', '')}{shadow.name}"
        for label, shadow in reached.items()
    }
