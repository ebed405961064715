"""Other plans and settings for a site that is planned already."""

from __future__ import annotations

from collections.abc import Callable

from django_split.plan import Plan
from tests.support.trial import Site


def variant(
    site: Site,
    name: str,
    instance: str = "main",
    change: Callable[[Plan], object] = lambda plan: None,
    added: str = "",
) -> str:
    """Make an instance `name` that `site.ask` knows, from a changed plan and with lines added."""
    plan = Plan.read(site.place / "plan.toml")
    change(plan)
    path = site.place / f"{name}.toml"
    path.write_text(plan.toml())
    module = (site.place / "settings" / f"split_{instance}.py").read_text()
    changed = module.replace(f'"{site.place}/plan.toml"', f'"{path}"')
    assert changed != module
    (site.place / "settings" / f"split_{name}.py").write_text(f"{changed}\n{added}\n")
    return name
