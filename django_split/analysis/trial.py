"""Main on trial: it is started as the plan has it, and the plan is mended until it starts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_split import findings as kinds
from django_split.analysis.changes import Known, drop, keep_models, take_back
from django_split.analysis.process import Processes
from django_split.findings import Finding
from django_split.plan import SPLIT, Plan, Verdict

# An app that cannot load without the admin goes, and then another may be the next.
ATTEMPTS = 12

GUARD = (
    'ask before it is used (`if apps.is_installed("{}"):`), or import it where only the admin does'
)
NO_GUARD = "main has the site's apps and middleware without the admin and its sessions"


@dataclass
class Trial:
    """One plan's trial. `findings` are what it shows, `pages` what main answered."""

    processes: Processes
    plan: Plan
    known: Known
    errors: list[list[str]]  # of the base's own system checks
    request: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    pages: dict[str, Any] | None = None
    # Why an app's models were kept, when main's own modules do not say it.
    reasons: dict[str, list[Finding]] = field(default_factory=dict)
    # What the trial itself dropped, with what to say if that was in vain.
    gone: dict[str, Finding] = field(default_factory=dict)

    def run(self) -> None:
        """Start main until nothing is left to mend."""
        for _ in range(ATTEMPTS):
            answer = self._start()
            if "broken" in answer:
                mended = self._mend(answer["broken"])
            else:
                mended = self._keep(answer["needed"]) or self._mend_checks(answer["errors"])
            if not mended:
                break
        if "broken" in answer:
            self._give_up(answer["broken"])
            return
        self.pages = answer["pages"]
        self.findings += self._reasons(_read(answer["needed"]))
        self.findings += [_failed(*error[:2]) for error in self._new(answer["errors"])]

    def _reasons(self, needed: dict[str, list[Finding]]) -> list[Finding]:
        """Why main keeps models, by what the last start found and what made it keep them.

        A page that works by now is a reason still; an import that failed has been read since.
        """
        before = [
            finding
            for entry, group in self.reasons.items()
            for finding in group
            if finding.url or entry not in needed
        ]
        return [*before, *(finding for group in needed.values() for finding in group)]

    def _start(self) -> dict[str, Any]:
        main = self.plan.main
        changed = {*main.drop_apps, *main.replace_apps}
        gone = [
            {"entry": entry, "name": name, "label": self.known.labels[entry]}
            for entry, name in self.known.names.items()
            if entry in self.known.models_only and entry in changed
        ]
        asked = {
            **self.request,
            "gone": gone,
            "dropped": main.drop_apps,
            "installed": list(self.known.names),
        }
        with tempfile.TemporaryDirectory(prefix="django-split-") as directory:
            path = Path(directory, "plan.json")
            # On the base's own database and files, and whatever the verdict will be.
            trial = Plan.from_data({**self.plan.data(), "deploy": {}})
            trial.verdict = Verdict(SPLIT)
            path.write_text(trial.json(), encoding="utf-8")
            return self.processes.run("main", asked, DJANGO_SPLIT_PLAN=str(path))

    def _mend(self, broken: Mapping[str, str]) -> bool:
        """Change the plan for an error with which main ended. Gives whether there was a way."""
        main, app, missing = self.plan.main, broken["app"], broken["missing"]
        reason = f"it does not load without the admin: {broken['error']} ({broken['where']})"
        if app in main.drop_apps:
            return False  # it is gone, and still somebody uses it
        if app in self.known.skins:
            self._drop(app, reason, self._broken(broken))
        elif missing in main.drop_apps:
            error = Finding(kinds.NEEDED, broken["error"], where=broken["where"])
            self._keep_models(missing, [error])
        elif app and app in self.known.labels and app not in self.known.kept:
            self._drop(app, reason, self._broken(broken))
        else:
            return False
        return True

    def _keep(self, needed: Mapping[str, Any]) -> bool:
        """Keep the models that main's modules need. Gives whether the plan was changed."""
        missing = [entry for entry in self.plan.main.drop_apps if needed.get(entry)]
        for entry in missing:
            self._keep_models(entry, _read(needed)[entry])
        return bool(missing)

    def _drop(self, entry: str, reason: str, otherwise: Finding) -> None:
        self.gone[entry] = otherwise
        drop(self.plan, entry, self.known, reason)

    def _keep_models(self, entry: str, needed: list[Finding]) -> None:
        """Keep an app's models; what could not load without them may load now."""
        keep_models(self.plan, entry, self.known, needed)
        self.reasons[entry] = needed
        for dropped in self.gone:
            take_back(self.plan, dropped, self.known)
        self.gone = {}

    def _mend_checks(self, errors: list[list[str]]) -> bool:
        for check, message, app in self._new(errors):
            if app in self.known.skins and app not in self.plan.main.drop_apps:
                reason = f"its system check {check} fails without the admin: {message}"
                self._drop(app, reason, _failed(check, message))
                return True
        return False

    def _new(self, errors: list[list[str]]) -> list[list[str]]:
        return [error for error in errors if error[:2] not in [old[:2] for old in self.errors]]

    def _give_up(self, broken: Mapping[str, str]) -> None:
        """Say why main does not start. An app that was dropped in vain comes back."""
        app = broken["app"]
        if app in self.gone:
            take_back(self.plan, app, self.known)
        self.findings.append(self.gone.get(app) or self._broken(broken))

    def _broken(self, broken: Mapping[str, str]) -> Finding:
        gone = self.known.names.get(broken["missing"])
        hint = GUARD.format(gone) if gone else NO_GUARD
        what = f"main does not start: {broken['error']}; {hint}"
        return Finding(kinds.BREAKS, what, where=broken["where"])


def _read(needed: Mapping[str, Any]) -> dict[str, list[Finding]]:
    return {entry: [Finding(**item) for item in group] for entry, group in needed.items()}


def _failed(check: str, message: str) -> Finding:
    return Finding(kinds.BREAKS, f"the system check {check} fails on main only: {message}")
