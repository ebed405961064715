"""Guards as sites write their own."""

from functools import wraps

from django.contrib.auth.decorators import login_required, user_passes_test
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseForbidden
from django.shortcuts import redirect
from django.utils.decorators import method_decorator


def with_wraps(view):
    @wraps(view)
    def inner(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect("/enter/")
        return view(request, *args, **kwargs)

    return inner


def without_wraps(view):
    def inner(request, *args, **kwargs):
        if request.user.is_staff:
            return view(request, *args, **kwargs)
        return HttpResponseForbidden()

    return inner


def with_argument(role):
    def decorator(view):
        def inner(request, *args, **kwargs):
            if request.user.groups.filter(name=role).exists():
                return view(request, *args, **kwargs)
            raise PermissionDenied

        return inner

    return decorator


class AsClass:
    def __init__(self, view):
        self.view = view

    def __call__(self, request, *args, **kwargs):
        if request.user.is_anonymous:
            raise Http404
        return self.view(request, *args, **kwargs)


members = user_passes_test(lambda user: user.groups.exists())
anonymous_required = user_passes_test(lambda user: not user.is_authenticated, "/")
everybody = user_passes_test(lambda user: True)


def check(request):
    if not request.user.has_perm("doors.enter"):
        raise PermissionDenied


def refused(request):
    if not request.user.is_authenticated:
        return redirect("/login/")
    return None


def may_enter(user):
    if user.is_superuser:
        return True
    return user.groups.filter(name="door").exists()


class LoginMixin:
    @method_decorator(login_required)
    def dispatch(self, request, *args, **kwargs):
        return super().dispatch(request, *args, **kwargs)


class OwnCheck:
    def dispatch(self, request, *args, **kwargs):
        if not self.is_allowed():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def is_allowed(self):
        return self.request.user.is_authenticated


def header_required(view):
    """Not a user's: a key in a header."""

    @wraps(view)
    def inner(request, *args, **kwargs):
        if request.headers.get("Authorization") != "key":
            return HttpResponseForbidden()
        return view(request, *args, **kwargs)

    return inner


auth_required = header_required
