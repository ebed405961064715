"""Everything that is seen of a site on this host, as JSON and as a text for people."""

from __future__ import annotations

import json
import os
import textwrap
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from . import asking, lock, processes, queues, releases, systemd
from .part import Part
from .site import Site

MARKS = {True: "✔", False: "✘", None: "–"}  # noqa: RUF001
KEPT_LINES = 12


@dataclass(frozen=True)
class Report:
    """What was seen, once."""

    site: str
    host: str
    serves: dict[str, releases.Serving]
    deployments: list[dict[str, Any]]
    releases: list[releases.Release]
    maintenance: dict[str, float]
    lock: dict[str, Any]
    parts: list[Part]
    back: str = ""
    """The release that a rollback goes to."""
    instances: tuple[str, ...] = ("main", "admin")
    """Those that are to serve on this host."""

    @property
    def wrong(self) -> list[Part]:
        """The parts that are not as they should be."""
        return [part for part in self.parts if part.ok is False]

    def as_json(self) -> str:
        """For programs; times are seconds since 1970."""
        told = {
            "site": self.site,
            "host": self.host,
            "well": not self.wrong,
            "serves": {name: asdict(each) for name, each in self.serves.items()},
            "deployed": self.deployments[-1] if self.deployments else None,
            "deployments": self.deployments,
            "releases": [asdict(each) for each in self.releases],
            "back": self.back or None,
            "maintenance": self.maintenance,
            "lock": self.lock or None,
            "parts": [asdict(each) for each in self.parts],
        }
        return json.dumps(told, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """For people."""
        count = len(self.wrong)
        verdict = "all is well" if not count else f"{count} of {len(self.parts)} parts are not well"
        lines = [f"{self.site} on {self.host}: {verdict}", ""]
        lines += self._serving()
        lines += [f"  {line}" for line in self._now()]
        lines += ["", "Releases"]
        for each in self.releases[:KEPT_LINES]:
            then = f"built {when(each.built)}"
            if each.failed is not None:
                then = f"at {when(each.failed)}"
            why = f": {textwrap.shorten(each.reason, 100)}" if each.reason else ""
            lines.append(f"  {each.name:<20} {each.state:<11} {then}{why}")
        if not self.releases:
            lines.append("  none")
        if len(self.releases) > KEPT_LINES:
            lines.append(f"  and {len(self.releases) - KEPT_LINES} more")
        lines += ["", "Parts"]
        width = max((len(part.name) for part in self.parts), default=0)
        for part in self.parts:
            since = f", since {when(part.since)}" if part.since else ""
            lines.append(
                f"  {MARKS[part.ok]} {part.kind:<8}{part.name:<{width}}  {part.seen}{since}"
            )
        return "\n".join(lines)

    def _serving(self) -> list[str]:
        if not self.instances:
            return ["  Neither main nor the admin is on this host."]
        if not self.serves:
            return ["  No release serves here."]
        lines = [
            f"  {name:<6} serves {each.release} since {when(each.since)}{self._by(each.release)}"
            for name, each in self.serves.items()
        ]
        if len({each.release for each in self.serves.values()}) > 1:
            lines.append("  The two are on different releases: run the same command again.")
        # What somebody tried since, and what there is to do about what serves.
        since = max(each.since for each in self.serves.values())
        lines += [
            f"  {each.name} did not come to serve, at {when(each.failed)}: {each.reason or '?'}"
            for each in sorted(self.releases, key=lambda each: each.failed or 0)
            if each.failed is not None and each.failed > since
        ][-1:]
        if self.back in {each.release for each in self.serves.values()}:
            # A run that has not ended, or was killed.
            lines.append(f"  playbooks/rollback.yml goes on to {self.back}")
        elif self.back:
            lines.append(f"  playbooks/rollback.yml goes back to {self.back}")
        else:
            lines.append("  There is no earlier release to go back to.")
        return lines

    def _by(self, release: str) -> str:
        last = self.deployments[-1] if self.deployments else {}
        if last.get("release") != release:
            return ""
        by, playbook = last.get("by") or "?", last.get("playbook") or "?"
        if not playbook.endswith("rollback.yml"):
            return f", deployed by {by} ({playbook})"
        return f", gone back to from {last.get('before') or '?'} by {by} ({playbook})"

    def _now(self) -> list[str]:
        lines = [
            f"{name} is in maintenance since {when(begun)}: visitors are answered 503"
            for name, begun in self.maintenance.items()
        ]
        if self.lock:
            release = self.lock["release"] or "a release that has no name yet"
            lines.append(
                f"being deployed by {self.lock['by']} since {when(self.lock['since'])}: "
                f"{release} ({self.lock['playbook']})"
            )
        return lines


def when(seconds: float) -> str:
    """To the minute, in UTC: hosts and people are in different zones."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def look(site: Site) -> Report:
    """Look at everything; changes nothing, and takes as long as the slowest answer."""
    serves = {
        name: each for name, each in releases.serving(site.home).items() if name in site.gates
    }
    parts = processes.processes(site, {name: each.release for name, each in serves.items()})
    for name, gate in site.gates.items():
        link = site.home / "live" / f"{name}.sock"
        if name in serves:
            path = gate.path or releases.login(site.home, serves[name].release)
            parts.append(asking.instance(name, str(link), replace(gate, path=path)))
        else:
            parts.append(Part("gate", name, False, f"{link} is missing: no release serves"))
    for name, path in site.stores.items():
        parts.append(asking.store(name, site.store, path))
    for port in site.ports:
        waiting = queues.tcp(port)
        seen = "nobody listens" if waiting is None else f"{waiting} connections wait for nginx"
        parts.append(Part("port", str(port), waiting is not None, seen))
    parts += systemd.timers(site)
    return Report(
        site=site.name,
        host=os.uname().nodename,
        serves=serves,
        deployments=releases.history(site.state),
        releases=releases.releases(site.home),
        maintenance=releases.maintenance(site.home),
        lock=lock.holder(site.name),
        parts=parts,
        back=releases.back(site.home),
        instances=tuple(site.gates),
    )
