"""What lets only somebody who is signed in to a view: its decorators and its mixins."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from django_split.analysis.anatomy import Step, View, calls_of, scope_of, steps_of
from django_split.analysis.evidence import at
from django_split.analysis.layers import peel
from django_split.analysis.names import USER
from django_split.analysis.objects import UNKNOWN, Bound, cells, is_a, member
from django_split.analysis.refusals import is_seldom, mentions_user
from django_split.analysis.source import home, node_of, qualname
from django_split.analysis.truth import returned
from django_split.analysis.visitor import Visitor

# Modules whose wrappers demand a user. `user_passes_test` alone asks what its test says.
TESTS = ("django.contrib.auth.decorators", "wagtail.admin.auth")
DECORATORS = (
    "allauth.account.decorators",
    "cms.utils.decorators",
    "django_otp.decorators",
    "guardian.decorators",
    "permission.decorators.*",
    "rules.contrib.views",
    "waffle_perms",
    "wagtail.admin.auth",
)
MIXINS = (
    "braces.views",
    "django.contrib.auth.mixins",
    "guardian.mixins",
    "rules.contrib.views",
    "two_factor.views.mixins",
)
# Where Django's AdminSite wraps what an admin is asked to guard.
ADMIN_VIEW = "django.contrib.admin.sites"

WHO = (
    r"(log_?in|logged_?in|signed_?in|staff|staff_?user|staff_member|super_?user|admin|permissions?"
    r"|perms?|groups?|members?|user|auth|authentication|authenticated|otp|mfa|verified_email"
    r"|reauthentication|recent_?login|moderator|editor|owner|role)"
)
REQUIRED = re.compile(rf"(?i)_*((\w*_)?{WHO}_required|requires?_{WHO}(_\w+)?)\Z")
NOT_REQUIRED = re.compile(r"(?i)(^|_)(not|no|non|un|anonymous|logout|logged_out)(_|auth|$)|guest")
MIXIN = re.compile(
    r"(Multiple)?(Login|Staff|StaffUser|Staffuser|SuperUser|Superuser|Permissions?|Perms?|Groups?|"
    r"Member|User|Auth|Authentication|Authenticated|OTP|RecentLogin|Moderator|Owner|Admin|Object"
    r"Permission|Role)Required(Mixin|View|ViewMixin)?\Z|(UserPassesTest|SuperuserRequired)Mixin\Z"
)


def by_decorator(view: View) -> Iterator[tuple[str, str]]:
    """The guards around a view, each with the name by which it is written: outermost first."""
    for step in view.steps:
        name = _guard(step.function)
        if name:
            yield f"{name} ({_home_of_guard(step.function)})", name


def by_call(view: View) -> Iterator[tuple[str, str]]:
    """Guards that a view meets as it runs, with where:

    it calls `login_required(view)`, or a function that is guarded.
    """
    for step in view.steps:
        scope = scope_of(step)
        for call in calls_of(step):
            if scope is None or is_seldom(scope, call.node) or is_a(call.target, type, Bound):
                continue
            for function in peel(call.target).functions:
                if name := _guard(function):
                    said = f"{name} ({_home_of_guard(function)})"
                    yield said, at(step.file, call.node.lineno)


def _guard(function: types.FunctionType) -> str:
    """The name of the guard whose wrapper, or maker of wrappers, this function is."""
    module = home(function)
    inner = function.__code__.co_name
    if module == "django.contrib.auth.decorators" and not _is_wrapper(function):
        return ""
    if module in TESTS:
        return _tested(function)
    if module == ADMIN_VIEW:
        return "AdminSite.admin_view" if inner == "inner" else ""
    written = qualname(function).partition(".")[0]
    if any(fnmatchcase(module, pattern) for pattern in DECORATORS):
        return "" if NOT_REQUIRED.search(written) else written or inner
    if REQUIRED.match(written) and not NOT_REQUIRED.search(written):
        # Its name promises it; if it can be read, it must also look at the user.
        return written if _may_look_at_user(function) else ""
    return ""


def _is_wrapper(function: types.FunctionType) -> bool:
    inner = function.__code__.co_name
    plain = inner in ("login_required", "permission_required", "user_passes_test", "decorator")
    return plain or "test_func" in function.__code__.co_freevars


def _tested(function: types.FunctionType) -> str:
    """A guard that asks a function about the user; nothing if everybody passes that."""
    held = dict(cells(function))
    test = held.get("test_func", held.get("test"))
    if test is None:
        written = qualname(function).partition(".")[0] or function.__code__.co_name
        return "" if NOT_REQUIRED.search(written) else written
    if returned(test, Visitor.ANONYMOUS, known=[USER]) == {True}:
        return ""
    written = qualname(test).partition(".")[0] if is_a(test, types.FunctionType) else ""
    return written if written.endswith("_required") else "user_passes_test"


def _home_of_guard(function: types.FunctionType) -> str:
    test: Any = dict(cells(function)).get("test_func")
    if is_a(test, types.FunctionType) and home(test).startswith("django.contrib."):
        return home(test)
    return home(function)


def _may_look_at_user(function: types.FunctionType) -> bool:
    scope = scope_of(Step(function, is_view=True))
    return scope is None or node_of(function) is None or bool(mentions_user(scope))


def by_mixin(classes: Iterable[type]) -> Iterator[str]:
    """The mixins that guard a class view: Django's, braces', and those named as they are."""
    for cls in classes:
        for base in cls.__mro__:
            if base is cls or not MIXIN.match(base.__name__) or _lets_everybody_in(cls):
                continue
            if base.__module__.startswith(MIXINS) or not _says_itself(base):
                yield f"{base.__name__} ({base.__module__})"


def _says_itself(base: type) -> bool:
    """Whether a mixin looks at the user where that can be read: then its conditions count."""
    scopes = [scope_of(step) for step in steps_of(base)]
    return any(scope is not None and mentions_user(scope) for scope in scopes)


def _lets_everybody_in(cls: type) -> bool:
    """Whether a `test_func` or `has_permission` of the site's own passes an anonymous visitor."""
    tests: list[Any] = [member(cls, name) for name in ("test_func", "get_test_func")]
    if "PermissionRequiredMixin" in {base.__name__ for base in cls.__mro__}:
        tests.append(member(cls, "has_permission"))
    if "LoginRequiredMixin" in {base.__name__ for base in cls.__mro__}:
        return False
    answers = [returned(test, Visitor.ANONYMOUS) for test in tests if test is not UNKNOWN]
    return any(answer == {True} for answer in answers)
