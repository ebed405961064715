"""From a settings module and a deployment to a plan with its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_split import findings as kinds
from django_split.analysis import pages as compared
from django_split.analysis.changes import Known
from django_split.analysis.deployment import Deployment, DeploymentError
from django_split.analysis.process import AnalysisError, Processes
from django_split.analysis.trial import Trial
from django_split.analysis.verdict import answered, decide
from django_split.analysis.written import changed_by
from django_split.diff import Change
from django_split.findings import Finding, distinct
from django_split.plan import Plan

PAGES = 300
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
        survey["views"],
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
    known = Known.from_data(survey["known"])
    trial = Trial(processes, plan, known, survey["errors"], asked)
    trial.run()
    if trial.pages is None:
        return trial.findings
    return [
        *trial.findings,
        *compared.of_main(seen, compared.read(trial.pages), plan.main),
    ]
