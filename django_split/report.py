"""A plan, as a table for people: what goes, what replaces it, why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from django_split.plan import Plan

Row = tuple[str, str, str]


def show(plan: Plan, console: Console | None = None) -> None:
    console = console or Console()
    _line(console, f"{plan.base}: {plan.verdict.is_}", "bold")
    for reason in plan.verdict.reasons:
        _line(console, f"  {reason}")
    for decision in plan.verdict.decisions:
        _line(console, f"  needs a decision: {decision}", "yellow")
    _table(console, "main", main_rows(plan))
    _table(console, "admin", admin_rows(plan))
    _table(console, "both", deploy_rows(plan))
    _line(
        console,
        f"nginx sends {', '.join(plan.proxy.admin_prefixes) or 'nothing'} to the admin instance",
    )
    if plan.proxy.closed_prefixes:
        _line(console, f"closed on main: {', '.join(plan.proxy.closed_prefixes)}")


def main_rows(plan: Plan) -> Iterator[Row]:
    main, why = plan.main, plan.main.why
    for entry in [*main.drop_apps, *main.drop_middleware]:
        yield entry, "-", why.get(entry, "")
    for entry, instead in {**main.replace_middleware, **main.swap_context_processors}.items():
        yield entry, instead, why.get(entry, "")
    for entry in [*main.add_apps, *main.add_middleware]:
        yield "-", entry, why.get(entry, "")
    for name, value in main.settings.items():
        yield name, _text(value), why.get(name, "")
    for model in main.models:
        yield f"table {model.table}", "unmanaged shadow model", why.get(model.table, "")


def admin_rows(plan: Plan) -> Iterator[Row]:
    admin = plan.admin
    for entry in admin.add_apps:
        yield "-", entry, admin.why.get(entry, "")
    for name, value in admin.settings.items():
        yield name, _text(value), admin.why.get(name, "")
    for name in admin.unset:
        yield name, "-", admin.why.get(name, "")
    for alias, cache in admin.caches.items():
        yield f"CACHES.{alias}", cache["BACKEND"], admin.why.get("CACHES", "")


def deploy_rows(plan: Plan) -> Iterator[Row]:
    for place, derived in plan.deploy.items():
        sign = "+ " if derived.how == "add" else ""
        yield place, sign + _text(derived.value), derived.reason
        if derived.for_admin is not None:
            yield f"{place} (the admin)", sign + _text(derived.for_admin), derived.reason


def _table(console: Console, instance: str, rows: Iterator[Row]) -> None:
    table = Table(title=instance, title_justify="left", expand=False)
    for heading in ("what goes", "what replaces it", "why"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        # Text, not markup: a name of the site's with brackets is not a style.
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
