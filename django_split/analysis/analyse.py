"""From a settings module and a deployment to a plan with its verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django_split import findings as kinds
from django_split.analysis import pages as compared
from django_split.analysis.changes import drop, keep_models
from django_split.analysis.deployment import Deployment, DeploymentError
from django_split.analysis.process import AnalysisError, Processes
from django_split.analysis.verdict import answered, decide
from django_split.analysis.written import changed_by
from django_split.diff import Change
from django_split.findings import Finding, distinct
from django_split.plan import SPLIT, Plan, Shadow, Verdict

# An app that cannot load without the admin goes, and then another may be the next.
ATTEMPTS = 8

PAGES = 150
CRAWL_SECONDS = 10.0


def analyse(
    settings: str,
    deploy: Mapping[str, Any],
    seconds: float = 120,
    pages: int = PAGES,
    crawl_seconds: float = CRAWL_SECONDS,
) -> Plan:
    """Make the plan for a base.

    `pages` bounds the crawl, 0 leaves it out. Raises AnalysisError when the base does not start, or
    the analysis takes longer than `seconds`; DeploymentError for what cannot be in `deploy`.
    """
    processes = Processes(settings, seconds)
    request = {"settings": settings, "deploy": deploy, "pages": pages, "seconds": crawl_seconds}
    base = processes.run("base", request)
    if "broken" in base:
        raise AnalysisError(f"--settings is {base['broken']}")
    if "bad" in base:
        raise DeploymentError(base["bad"])
    survey = base["survey"]
    plan = Plan.from_data(survey["plan"])
    seen = compared.read(base["pages"])
    findings = [*plan.findings, *compared.beside(plan.findings, compared.of_base(seen))]
    deployment = Deployment.read(deploy, default_site=settings.partition(".")[0])
    if not pages:
        findings.append(Finding(kinds.NOT_COVERED, "no page was asked: the crawl was left out"))
    if plan.main.urls.mounts:
        findings += _try_main(processes, plan, survey, request, seen)
    plan.findings = distinct(answered(findings, deployment, plan.admin.prefixes))
    plan.verdict = decide(
        plan.findings,
        plan.main.urls.mounts,
        plan.admin.prefixes,
        deployment,
        plan.main.urls.root_urlconf,
        survey["routes"],
    )
    named = changed_by(plan)
    plan.where = {name: place for name, place in base["where"].items() if name in named}
    return plan


def compare(settings: str, plan: Plan, seconds: float = 120) -> dict[str, list[Change]]:
    """What a plan changes in the base's settings, for "main" and "admin". Raises AnalysisError.

    In a process of its own again: only there are the base's values.
    """
    answer = Processes(settings, seconds).run("diff", {"settings": settings, "plan": plan.data()})
    if "broken" in answer:
        raise AnalysisError(f"--settings is {answer['broken']}")
    return {
        instance: [
            Change(item["setting"], list(map(tuple, item["lines"]))) for item in answer[instance]
        ]
        for instance in ("main", "admin")
    }


def _try_main(
    processes: Processes,
    plan: Plan,
    survey: Mapping[str, Any],
    request: Mapping[str, Any],
    seen: compared.Crawl,
) -> list[Finding]:
    """Start main as the plan has it, mend the plan until it starts, and compare its pages."""
    asked = {**request, "paths": compared.to_ask(seen), "prefixes": plan.admin.prefixes}
    for _ in range(ATTEMPTS):
        answer = _main(processes, plan, asked)
        if "broken" not in answer:
            break
        entry = answer["app"]
        if not entry or entry in plan.main.drop_apps:
            break
        why = f"it does not load without the admin: {answer['broken']}"
        drop(plan, entry, _shadows(survey, entry), why)
    if "broken" in answer:
        return [compared.main_does_not_start(answer["broken"])]
    needed = {
        entry: [Finding(**item) for item in group] for entry, group in answer["needed"].items()
    }
    again = False
    for entry in list(plan.main.drop_apps):
        if entry in needed and entry in survey["models_only"]:
            keep_models(plan, entry, survey["models_only"][entry], needed[entry])
            again = True
    if again:
        answer = _main(processes, plan, asked)
        if "broken" in answer:
            return [compared.main_does_not_start(answer["broken"])]
    return [
        *(finding for group in needed.values() for finding in group),
        *compared.of_main(seen, compared.read(answer["pages"]), plan.main),
    ]


def _main(processes: Processes, plan: Plan, request: Mapping[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="django-split-") as directory:
        path = Path(directory, "plan.json")
        # On the base's own database and files, and whatever the verdict will be.
        trial = Plan.from_data({**plan.data(), "deploy": {}})
        trial.verdict = Verdict(SPLIT)
        path.write_text(trial.json(), encoding="utf-8")
        return processes.run("main", request, DJANGO_SPLIT_PLAN=str(path))


def _shadows(survey: Mapping[str, Any], entry: str) -> list[Shadow]:
    from django_split.plan import build

    return [build(Shadow, item, "shadow") for item in survey["shadows"].get(entry, ())]
