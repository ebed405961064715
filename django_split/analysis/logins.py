"""Views that sign in or out, register, or change a password.

Without a session they fail silently: the same redirect as ever, and nobody is signed in.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from django_split.analysis.anatomy import Call, View, calls_of, scope_of
from django_split.analysis.evidence import at
from django_split.analysis.follow import Reached
from django_split.analysis.layers import peel
from django_split.analysis.objects import Bound, is_a
from django_split.analysis.source import home, is_installed, last_name

# Where a package keeps the views that its users sign in with: a module as a pattern, and the names
# of the views there, as a regular expression; empty for all of them.
VIEWS = {
    "django.contrib.auth.views": "Log(in|out)View|Password.*View|logout_then_login",
    "django.contrib.admin.sites": "login|logout|password_change|password_change_done",
    # Registration, local and by others
    "allauth.account.views": "",
    "allauth.headless.*": "",
    "allauth.idp.*.views": "",
    "allauth.mfa.*views": "",
    "allauth.socialaccount.providers.*": "",
    "allauth.socialaccount.views": "",
    "allauth.usersessions.views": "",
    "django_registration.*": "",
    "registration.*views": "",
    "organizations.backends.*": "",
    "invitations.views": "AcceptInvite",
    "mezzanine.accounts.views": "login|logout|signup|signup_verify|password_reset.*|profile_update",
    "spirit.user.auth.views": "",
    "userena.views": "",
    "account.views": "",  # django-user-accounts
    # Second factors and links
    "axes.decorators": "",
    "deux.*": "",
    "django_otp.views": "",
    "magiclink.views": "",
    "drfpasswordless.views": "",
    "mfa.*": "",
    "passkeys.*": "",
    "sesame.views": "",
    "two_factor.plugins.*views": "",
    "two_factor.views.core": "",
    "two_factor.views.profile": "",
    # The password of a page, which the session remembers
    "wagtail.documents.views.serve": "authenticate_with_password",
    "wagtail.views": "authenticate_with_password",
    # Providers: OAuth, OIDC, SAML, CAS
    "django_auth_adfs.views": "",
    "django_cas_ng.views": "",
    "djangosaml2.views": "Log.*|AssertionConsumer.*|.*LogoutView|FinishLogout.*",
    "django_saml2_auth.views": "",
    "esia.views": "",
    "mama_cas.views": "",
    "microsoft_auth.views": "",
    "mozilla_django_oidc.views": "",
    "oauth2_provider.views.base": "AuthorizationView",
    "oauth2_provider.views.device": "Device(UserCode|Confirm).*",
    "oauth2_provider.views.oidc": "RPInitiatedLogoutView",
    "oidc_provider.views": "Authorize.*|EndSession.*",
    "onelogin.*": "",
    "simple_sso.*": "",
    "social_django.views": "",
    # By an API
    "dj_rest_auth.*views": "Log(in|out)View|Password.*|Register.*|.*Social.*",
    "djoser.views": "UserViewSet|Token.*",
    "knox.views": "",
    "rest_auth.*views": "Log(in|out)View|Password.*|Register.*|.*Social.*",
    # As somebody else
    "hijack.views": "",
    "impersonate.views": "",
    "loginas.views": "",
    "su.views": "",
}
DOES = "signs in or out, registers, or asks for a password"
# Words that a site may well use for an app of its own: these count from an installed package only.
WORDS = frozenset(
    {
        "account",
        "hijack",
        "impersonate",
        "invitations",
        "magiclink",
        "mfa",
        "organizations",
        "passkeys",
        "registration",
        "su",
    }
)

CALLS = {
    "django.contrib.auth": "a?log(in|out)|a?update_session_auth_hash",
    "django.contrib.auth.views": "logout_then_login",
    "allauth.account.utils": "perform_login|complete_signup|setup_user_email",
    "allauth.account.internal.flows.*": "perform_login|perform_password_login|complete_signup"
    "|logout|reset_password|change_password|set_password",
    "social_core.actions": "do_.*",
}
# Methods of a user, or of its model.
CHANGES = re.compile(r"a?create_(super)?user\Z|set_password\Z")

FORMS = frozenset(
    {
        "AuthenticationForm",
        "BaseUserCreationForm",
        "PasswordChangeForm",
        "PasswordResetForm",
        "SetPasswordForm",
        "UserCreationForm",
    }
)
# A form that is given what was sent; without it, it is a login box on somebody's front page.
SENT = re.compile(r"POST|\bdata\b|body|\*")
# Further away than this a password belongs to something else.
CHANGES_WITHIN = 2

Evidence = tuple[str, str]  # what, where


def by_name(view: View) -> str:
    """What a view is, by the table; or nothing."""
    for cls in view.layers.classes:
        for base in cls.__mro__:
            if _is_known("views", base.__module__, base.__name__):
                return f"{base.__name__} ({base.__module__})"
    owners = [type(instance).__module__ for instance in view.layers.instances]
    for function in view.layers.functions:
        name = function.__code__.co_name
        if home(function).startswith("django.") and home(function) not in owners:
            name = function.__name__ if "__wrapped__" not in function.__dict__ else ""
        if name and _is_known("views", home(function), name):
            return f"{name} ({home(function)})"
    return ""


# The same few hundred names are asked for by every view.
@functools.cache
def _is_known(table: str, module: str, name: str) -> bool:
    for pattern, names in {"views": VIEWS, "calls": CALLS}[table].items():
        if fnmatchcase(module, pattern):
            top = module.partition(".")[0]
            file = getattr(sys.modules.get(module), "__file__", None) or ""
            installed = top not in WORDS or is_installed(file)
            if installed and re.fullmatch(names or ".*", name):
                return True
    return False


def by_form(view: View) -> str:
    """The form of Django's that a view shows; or nothing."""
    given = [*view.layers.given]
    for cls in view.layers.classes:
        for base in cls.__mro__:
            given += [value for name, value in base.__dict__.items() if "form" in name]
    for thing in given:
        if is_a(thing, type) and (form := _form(thing)):
            named = thing.__name__
            return named if named == form else f"{named}, a {form}"
    return ""


def _form(cls: type) -> str:
    for base in cls.__mro__:
        if base.__module__ == "django.contrib.auth.forms" and base.__name__ in FORMS:
            return base.__name__
    return ""


def by_calls(item: Reached) -> Iterator[Evidence]:
    """What a function that a view reaches does to somebody's being signed in."""
    scope = scope_of(item.step)
    for call in calls_of(item.step) if scope else ():
        what = _what(call, item.depth)
        if what:
            yield what, at(item.step.function.__code__.co_filename, call.node.lineno)


def _what(call: Call, depth: int) -> str:
    target: Any = call.target
    name = last_name(call.node.func)
    if CHANGES.match(name) and last_name(call.node.func) and depth <= CHANGES_WITHIN:
        return f"it calls {name}()"
    if is_a(target, type):
        arguments = [*call.node.args, *(word.value for word in call.node.keywords)]
        sent = any(SENT.search(ast.unparse(argument)) for argument in arguments)
        form = _form(target) if sent else ""
        return f"it uses {target.__name__}, a form that signs in or sets a password" if form else ""
    owner = target.owner if is_a(target, Bound) else None
    if owner and any(_is_known("views", base.__module__, base.__name__) for base in owner.__mro__):
        return f"it calls {owner.__name__} ({owner.__module__})" if name == "as_view" else ""
    for function in peel(target.method if is_a(target, Bound) else target).functions:
        if _is_known("calls", home(function), function.__name__):
            return f"it calls {function.__name__}() of {home(function)}"
    return ""
