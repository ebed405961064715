"""The verdict, from what was found and what the operator has answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from django_split import findings as kinds
from django_split.analysis.deployment import Deployment
from django_split.findings import Finding, of_kind
from django_split.mounts import is_below
from django_split.plan import (
    MOSTLY_PRIVATE,
    NOTHING_TO_SPLIT,
    PUBLIC_SESSIONS,
    SPLIT,
    SPLIT_WITH_EXTRA_PREFIXES,
    Mount,
    Verdict,
)

# As many of a kind are named in one sentence; the table has them all.
NAMED = 6

BY_PREFIX = "admin_extra_prefixes (the admin instance serves it)"
CLOSE = "main_closed_prefixes or main_closed_views (404 on main)"
ANONYMOUS = "main_anonymous_views (main serves it, to a visitor who is never signed in)"
SESSIONS = "public_sessions (main keeps sessions)"
OWN_HOST = "admin_host (a name of the admin's own, where it has that page for itself)"

# What the URLs of a kind do, for one and for several; and how the operator can answer.
QUESTIONS = {
    kinds.MOUNT: (
        (
            "is where the admin sends people to sign in, and main serves it",
            "are where the admin sends people to sign in, and main serves them",
        ),
        [BY_PREFIX, OWN_HOST],
    ),
    kinds.SESSION: (
        (
            "keeps something in the session, which main throws away",
            "keep something in the session, which main throws away",
        ),
        [SESSIONS, BY_PREFIX, CLOSE, ANONYMOUS],
    ),
    kinds.LOGIN: (
        (
            "signs people in or out, or changes a password, which takes a session",
            "sign people in or out, or change passwords, which takes a session",
        ),
        [BY_PREFIX, CLOSE, SESSIONS, ANONYMOUS],
    ),
    kinds.PRIVATE: (
        (
            "demands a user, and on main nobody is signed in",
            "demand a user, and on main nobody is signed in",
        ),
        [BY_PREFIX, CLOSE, ANONYMOUS, SESSIONS],
    ),
    kinds.OPENED: (
        (
            "would be shown by main although the base does not show it",
            "would be shown by main although the base does not show them",
        ),
        [BY_PREFIX, CLOSE],
    ),
    kinds.BREAKS: (
        ("fails on main, and only there", "fail on main, and only there"),
        [BY_PREFIX, CLOSE],
    ),
}
# Of these, each that has no URL says for itself what is wrong.
SITE_WIDE = {kinds.EVERYWHERE: [SESSIONS], kinds.MOUNT: []}


def answered(
    findings: Iterable[Finding], deployment: Deployment, admin_prefixes: list[str]
) -> list[Finding]:
    """The findings, each with the operator's answer for it."""
    return [
        replace(finding, answer=_answer(finding, deployment, admin_prefixes))
        for finding in findings
    ]


def _answer(finding: Finding, deployment: Deployment, admin_prefixes: list[str]) -> str:
    if finding.kind not in kinds.NEED_AN_ANSWER:
        return ""
    if finding.kind == kinds.MOUNT and finding.url and deployment.admin_host:
        return kinds.ADMIN
    # What has no URL, as a middleware, is no view either: "*" does not answer for it.
    if finding.url and is_below(finding.url, admin_prefixes):
        return kinds.ADMIN
    # To close the page that an admin signs people in on would close the admin.
    if finding.kind == kinds.MOUNT:
        return ""
    if finding.url and is_below(finding.url, deployment.main_closed_prefixes):
        return kinds.CLOSED
    if finding.url and _named(finding.view, deployment.main_closed_views):
        return kinds.CLOSED
    if finding.kind in (kinds.OPENED, kinds.BREAKS):
        return ""
    if finding.url and _named(finding.view, deployment.main_anonymous_views):
        return kinds.ANONYMOUS
    return kinds.PUBLIC_SESSIONS if deployment.has_public_sessions else ""


def _named(view: str, patterns: Iterable[str]) -> bool:
    return bool(view) and any(fnmatchcase(view, pattern) for pattern in patterns)


def decide(
    findings: list[Finding],
    mounts: list[Mount],
    admin_prefixes: list[str],
    deployment: Deployment,
    root_urlconf: str,
    views: int,
) -> Verdict:
    """Decide how the site can be split.

    Takes findings with their answers, and the number of views outside the admins. Order matters: a
    site that demands a login everywhere must never be opened by a later, weaker rule.
    """
    open_ = [finding for finding in findings if finding.is_open]
    everywhere = of_kind(findings, kinds.EVERYWHERE)
    decisions = [*questions(open_), *_nowhere_to_sign_in(findings)]
    reasons = [finding.what for finding in everywhere]
    nothing = _nothing_to_split(mounts, admin_prefixes, root_urlconf)
    if everywhere:
        return Verdict(PUBLIC_SESSIONS, reasons, [*decisions, *nothing])
    if nothing:
        return Verdict(NOTHING_TO_SPLIT, nothing)
    reasons = [f"{mount.kind} admin at {prefix}" for mount in mounts for prefix in mount.prefixes]
    kept = of_kind(findings, kinds.SESSION)
    members = _members(findings, views)
    if deployment.has_public_sessions or of_kind(open_, kinds.SESSION) or members:
        why = [f.what for f in kept] or members or ["public_sessions asks for them"]
        return Verdict(PUBLIC_SESSIONS, [*reasons, *dict.fromkeys(why)], decisions)
    private = of_kind(open_, kinds.PRIVATE)
    if private and _views(private) * 2 > views:
        share = f"mostly private: {_views(private)} of {views} public views demand a user"
        return Verdict(MOSTLY_PRIVATE, [*reasons, share], decisions)
    if deployment.admin_extra_prefixes:
        extra = f"given to the admin instance: {', '.join(deployment.admin_extra_prefixes)}"
        return Verdict(SPLIT_WITH_EXTRA_PREFIXES, [*reasons, extra], decisions)
    return Verdict(SPLIT, reasons, decisions)


def _nothing_to_split(
    mounts: list[Mount], admin_prefixes: list[str], root_urlconf: str
) -> list[str]:
    if not mounts:
        return [f"no admin is mounted in {root_urlconf}"]
    return ["the whole site is the admin: it is mounted at /"] if "/" in admin_prefixes else []


def _members(findings: list[Finding], views: int) -> list[str]:
    """Why the site is one for people who sign in, if it is:

    its own login, and so much behind it that no prefix separates that from what is public.
    """
    private = [f for f in findings if f.kind == kinds.PRIVATE and f.is_open]
    logins = [f for f in findings if f.kind == kinds.LOGIN and f.is_open]
    if not logins or not private or _views(private) * 3 < views:
        return []
    login = next((f.url for f in logins if "login" in f.url), logins[0].url)
    return [
        f"a site for members: it has a login of its own ({login}), and {_views(private)} of "
        f"{views} public views demand a user"
    ]


def _views(findings: list[Finding]) -> int:
    """How many views they are: each has a URL in every language, and may have several in one."""
    return len({finding.view or finding.url for finding in findings})


def _nowhere_to_sign_in(findings: list[Finding]) -> list[str]:
    """A login everywhere, with no page to sign in on but the admin's."""
    behind = [f for f in of_kind(findings, kinds.EVERYWHERE) if f.view]
    logins = [f for f in of_kind(findings, kinds.LOGIN) if f.answer != kinds.ADMIN]
    if not behind or logins:
        return []
    return [
        "every page demands a login, and the only login is the admin's: with the admin on an "
        "instance of its own nobody could sign in to the public pages; the site needs a login "
        "outside the admin (as django.contrib.auth.urls) that LOGIN_URL names"
    ]


def questions(open_: list[Finding]) -> list[str]:
    """One question for each kind of finding that has no answer yet, in the verdicts' order."""
    asked: list[str] = []
    for kind in kinds.NEED_AN_ANSWER:
        group = of_kind(open_, kind)
        urls = [finding for finding in group if finding.url]
        answers = SITE_WIDE.get(kind, [])
        asked += [_answer_with(f.what, answers) for f in group if not f.url]
        if urls:
            (one, several), answers = QUESTIONS[kind]
            count = f"1 URL {one}" if len(urls) == 1 else f"{len(urls)} URLs {several}"
            asked.append(_answer_with(f"{count}: {_listed(urls)}", answers))
    return asked


def _answer_with(text: str, answers: list[str]) -> str:
    return f"{text}; answer with {' or '.join(answers)}" if answers else text


def _listed(urls: list[Finding]) -> str:
    """The first few views, each by one of its URLs: in twenty languages it is one question."""
    views = list({(finding.view, finding.where): finding for finding in reversed(urls)}.values())
    named = [_named_place(finding) for finding in reversed(views)][:NAMED]
    more = len(urls) - len(named)
    return f"{', '.join(named)} and {more} more" if more else ", ".join(named)


def _named_place(finding: Finding) -> str:
    known = ", ".join(part for part in (finding.view, finding.where) if part)
    return f"{finding.url} ({known})" if known else finding.url
