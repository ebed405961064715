"""A plan for people: what goes, what replaces it and why; what was found; what is still asked."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from django_split import findings as kinds
from django_split.diff import Change
from django_split.findings import Finding, of_kind
from django_split.layout import BOLD, YELLOW, Sheet
from django_split.plan import Admin, Main, Plan
from django_split.suggestions import suggestions

NOTHING = "nothing"

HEADINGS = {
    kinds.EVERYWHERE: "What makes every page need a login or a session",
    kinds.MOUNT: "Admins that no path can send to their instance",
    kinds.SESSION: "Pages that keep something in a visitor's session",
    kinds.LOGIN: "Pages that sign people in or out, or change passwords",
    kinds.PRIVATE: "Pages that demand a user who is signed in",
    kinds.OPENED: "Pages that main would show although the site does not",
    kinds.BREAKS: "What works on the site and fails on main",
    kinds.USER: "Pages that show who is signed in; on main nobody is",
    kinds.DIFFERS: "Pages that are another one on main",
    kinds.WRITES: "Pages that write when they are only looked at",
    kinds.BELOW: "Not of the admin, but under its path: the admin instance serves them",
    kinds.MAYBE_SESSION: "Code that writes to the session, of which no page is known",
    kinds.NEEDED: "Code that needs models or templates of an app that main does without",
    kinds.SIGNS: "What signs: it matters when the instances have keys of their own",
    kinds.CACHE: "Caches that both instances use",
    kinds.RESTRICTION: "Pages that are restricted by what stands in the database",
    kinds.NOT_COVERED: "What was not looked into",
}

ANSWERS = {
    kinds.ADMIN: "the admin instance serves it",
    kinds.CLOSED: "closed: 404 on main",
    kinds.ANONYMOUS: "main serves it, to nobody signed in",
    kinds.PUBLIC_SESSIONS: "main keeps sessions",
}

Row = tuple[str, str, str, str]

# URLs of one view that are written out: there may be one in each of twenty languages.
NAMED = 4


def show(
    plan: Plan, changes: dict[str, list[Change]] | None = None, to: TextIO | None = None
) -> None:
    """Print a plan and, with `changes`, the difference from the base to each instance."""
    sheet = Sheet(to or sys.stdout)
    verdict = plan.verdict
    sheet.line(f"{plan.base}: {verdict.is_}", style=BOLD)
    for reason in verdict.reasons:
        sheet.sentence(reason, 2)
    for decision in verdict.decisions:
        sheet.sentence(f"needs a decision: {decision}", 2, YELLOW)
    sheet.gap()
    sheet.line("what goes -> what replaces it")
    sheet.line("why (where the site says it)", 4)
    for instance, rows in (
        ("main", main_rows(plan)),
        ("admin", admin_rows(plan)),
        ("both", deploy_rows(plan)),
    ):
        _table(sheet, instance, list(rows))
    _routing(sheet, plan)
    for instance, changed in (changes or {}).items():
        _diff(sheet, instance, changed)
    _findings(sheet, plan.findings)
    _questions(sheet, plan)


def main_rows(plan: Plan) -> Iterator[Row]:
    main = plan.main
    gone = dict.fromkeys([*main.drop_apps, *main.drop_middleware], NOTHING)
    changed = {**main.replace_apps, **main.replace_middleware, **main.swap_context_processors}
    for entry, instead in {**gone, **changed}.items():
        yield entry, instead, main.why.get(entry, ""), plan.where.get(entry, "")
    for entry in [*main.add_apps, *main.first_middleware, *main.add_middleware]:
        yield NOTHING, entry, main.why.get(entry, ""), ""
    yield from _settings(plan, main)
    for model in main.models:
        yield (
            f"table {model.table}",
            "unmanaged shadow model",
            main.why.get(model.table, ""),
            plan.where.get(model.app, ""),
        )


def admin_rows(plan: Plan) -> Iterator[Row]:
    admin = plan.admin
    behind = [entry for entries in admin.after_middleware.values() for entry in entries]
    for entry in [*admin.add_apps, *admin.first_middleware, *behind]:
        yield NOTHING, entry, admin.why.get(entry, ""), ""
    if admin.own_secret_key:
        key = "SECRET_KEY"
        yield key, "the admin's own", admin.why.get(key, ""), plan.where.get(key, "")
    yield from _settings(plan, admin)


def deploy_rows(plan: Plan) -> Iterator[Row]:
    for place, derived in plan.deploy.items():
        value = _text(derived.value)
        new = {"add": f"+ {value}", "own": f"{value}-main, {value}-admin"}.get(derived.how, value)
        yield place, new, derived.reason, plan.where.get(place, "")


def _settings(plan: Plan, part: Main | Admin) -> Iterator[Row]:
    for name, value in part.settings.items():
        yield name, _text(value), part.why.get(name, ""), plan.where.get(name, "")
    for name in part.unset:
        yield name, "Django's default", part.why.get(name, ""), plan.where.get(name, "")
    for alias, cache in part.caches.items():
        why = part.why.get(f"CACHES.{alias}") or part.why.get("CACHES", "")
        yield f"CACHES.{alias}", str(cache.get("BACKEND", "")), why, plan.where.get("CACHES", "")


def _table(sheet: Sheet, instance: str, rows: list[Row]) -> None:
    if not rows:
        return
    sheet.heading(instance)
    for gone, instead, why, where in rows:
        sheet.pair(gone, instead)
        if why or where:
            sheet.line(" ".join(part for part in (why, f"({where})" if where else "") if part), 4)


def _routing(sheet: Sheet, plan: Plan) -> None:
    sheet.gap()
    to_admin = ", ".join(plan.proxy.admin_prefixes) or "nothing"
    sheet.sentence(f"nginx sends {to_admin} to the admin instance")
    if closed := [*plan.proxy.closed_prefixes, *plan.main.urls.closed_views]:
        sheet.sentence(f"closed on main: {', '.join(closed)}")
    if plan.main.public_sessions:
        sheet.sentence(f"main keeps sessions: {plan.main.public_sessions}")


def _diff(sheet: Sheet, instance: str, changed: Sequence[Change]) -> None:
    sheet.heading(f"{instance}: the site's settings (-) and the instance's (+)")
    sheet.line("only what differs; what may be a secret is shown as ***")
    sheet.gap()
    for change in changed:
        sheet.line(change.setting)
        for sign, text in change.lines:
            sheet.line(f"{sign} {text}", 4)
    if not changed:
        sheet.line("no difference")


def _findings(sheet: Sheet, found: list[Finding]) -> None:
    for kind in HEADINGS:
        if group := of_kind(found, kind):
            asks = kind in kinds.NEED_AN_ANSWER
            unanswered = sum(finding.is_open for finding in group)
            count = f"{len(group)}"
            count += f", {unanswered or 'none'} to be answered" if asks else ""
            sheet.heading(f"{HEADINGS[kind]} ({count})")
            for (view, where, what, answer), urls in _together(group).items():
                _finding(sheet, urls, view, where, what, answer if asks else None)


def _together(group: list[Finding]) -> dict[tuple[str, str, str, str], list[str]]:
    """One view under several URLs, as in several languages, is said once."""
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for f in group:
        together.setdefault((f.view, f.where, f.what, f.answer), []).append(f.url)
    return together


def _finding(
    sheet: Sheet, urls: list[str], view: str, where: str, what: str, answer: str | None
) -> None:
    named = [url for url in urls if url]
    for url in named[:NAMED]:
        sheet.line(url, 2)
    if (more := len(named) - NAMED) > 0:
        sheet.line(f"and {more} more of the same view", 2)
    place = f"{view} ({where})" if view and where else view or where
    if place:
        sheet.line(place, 4)
    sheet.line(what, 4)
    if answer is not None:
        said = ANSWERS.get(answer, answer)
        sheet.line(f"answer: {said}" if said else "needs an answer", 4, "" if said else YELLOW)


def _questions(sheet: Sheet, plan: Plan) -> None:
    counted = Counter(
        "open" if f.is_open else "answered" if f.answer else "told" for f in plan.findings
    )
    sheet.gap()
    sheet.line(
        f"{counted['open']} to be answered, {counted['answered']} answered, "
        f"{counted['told']} to know of"
    )
    if plan.verdict.can_be_split:
        sheet.sentence("it can be split", style=BOLD)
    elif not plan.verdict.decisions:
        sheet.sentence("it is not split", style=BOLD)
    else:
        sheet.sentence("not split until this is decided", style=BOLD)
        sheet.line("Type the command again with one of each, or set the variables of these names:")
    open_ = [finding for finding in plan.findings if finding.is_open]
    for kind in kinds.NEED_AN_ANSWER:
        if group := of_kind(open_, kind):
            sheet.line(f"{HEADINGS[kind]} ({len(group)})", 2, YELLOW)
            for suggestion in suggestions(kind, group):
                sheet.sentence(suggestion.words, 4)
                sheet.line(suggestion.meaning, 8)
            if not suggestions(kind, group):
                sheet.line("no answer can mend it: the site has to change", 4)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
