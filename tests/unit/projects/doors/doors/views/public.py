"""None of these needs a session or a user."""

from functools import partial, wraps

import requests_like
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.staticfiles.views import serve
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView, TemplateView, View
from django.views.i18n import JavaScriptCatalog, set_language
from registration import views as registrations

from doors import guards


def _woken():
    raise SystemExit("a lazy object was woken")  # past every "except Exception"


lazy = SimpleLazyObject(_woken)


def plain(request):
    return HttpResponse()


def with_lazy(request):
    lazy.something(request)
    lazy(request)
    return HttpResponse()


def thanks(request):
    messages.success(request, "Thank you")
    return redirect("/")


def reads(request):
    return HttpResponse(request.session.get("cart", "empty"))


def profile(request, user):
    """A name from the URL is no signed-in user."""
    if not user:
        raise Http404
    if user.lower() != user:
        return redirect("/")
    return HttpResponse(user)


def of_a_row(request, pk):
    comment = get_object_or_404(object, pk=pk)
    if not comment.user.is_active:
        raise Http404
    return HttpResponse()


def other_sessions(request):
    session = requests_like.Session()
    session["x"] = 1
    session.headers.update({})
    return HttpResponse()


def row_that_is_a_request(request, pk):
    friend_request = get_object_or_404(object, pk=pk)
    friend_request.session["x"] = 1
    return HttpResponse()


def own_login(request):
    """A function of that name that has nothing to do with Django's."""

    def login(request):
        return None

    login(request)
    return HttpResponse()


def login_box(request):
    return render(request, "page.html", {"form": AuthenticationForm()})


def only_post(request):
    if request.method != "POST":
        raise PermissionDenied
    return HttpResponse()


class LetsAllIn(UserPassesTestMixin, View):
    def test_func(self):
        return True

    def get(self, request):
        return HttpResponse()


class HasMore(TemplateView):
    """What a method inherits counts only if it is called."""

    def dispatch(self, request, *args, **kwargs):
        return HttpResponse()


class Open(guards.LoginMixin, TemplateView):
    def dispatch(self, request, *args, **kwargs):
        return TemplateView.dispatch(self, request, *args, **kwargs)


class Called:
    def __call__(self, request):
        return HttpResponse()


def broken(view):
    """A closure with all sorts of things in it."""
    things = {"view": view, "lazy": lazy}
    later = lazy

    @wraps(view)
    def inner(request, *args, **kwargs):
        return things and later and view(request, *args, **kwargs)

    return inner


class Strange:
    """What Django does not ask of it fails."""

    def __getattr__(self, name):
        if name.startswith("__") or name in ("admin_site", "view_class", "cls"):
            raise AttributeError(name)
        raise RuntimeError(name)

    def __call__(self, request):
        return HttpResponse()


def from_text():
    """It has no source that could be read, and is not guessed at."""
    return eval("lambda request: request.session.update(x=request.user)")  # noqa: S307


urlpatterns = [
    path("plain/", plain),
    path("with-lazy/", with_lazy),
    path("cached/", cache_page(60)(plain)),
    path("exempt/", csrf_exempt(never_cache(plain))),
    path("thanks/", thanks),
    path("reads/", reads),
    path("profile/<user>/", profile),
    path("of-a-row/<int:pk>/", of_a_row),
    path("other-sessions/", other_sessions),
    path("row-request/<int:pk>/", row_that_is_a_request),
    path("own-login/", own_login),
    path("login-box/", login_box),
    path("only-post/", only_post),
    path("lets-all-in/", LetsAllIn.as_view()),
    path("has-more/", HasMore.as_view()),
    path("open/", Open.as_view()),
    path("anonymous-required/", guards.anonymous_required(plain)),
    path("everybody/", guards.everybody(plain)),
    path("by-header/", guards.auth_required(plain)),
    path("language/", set_language),
    path("catalog/", JavaScriptCatalog.as_view()),
    path("static/<path:path>", serve),
    path("redirect/", RedirectView.as_view(url="/login/")),
    path("template/", TemplateView.as_view(template_name="page.html")),
    path("called-object/", Called()),
    path("broken/", broken(plain)),
    path("strange/", Strange()),
    path("lambda/", lambda request: HttpResponse()),
    path("partial/", partial(plain)),
    path("from-text/", from_text()),
    path("builtin/", print),
    path("registration/", registrations.event),
]
