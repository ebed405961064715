"""The admin's Sessions page: who is signed in, how the store is, and ending sessions.

For superusers. Whoever is not may not know that it is there: 403, and no entry in the app list. In
all of it no session key leaves the process: a key is a credential.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import update_wrapper
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from django_split.runtime.admin import ending, health, roster
from django_split.sessions import listing
from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.listing import Listing, UnlistableError

NAME = "django_split_sessions"
ROUTE = "django_split/sessions/"

View = Callable[..., HttpResponse]


def is_superuser(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_active and getattr(user, "is_superuser", False))


class SessionsPage:
    """The page in one admin site; its URLs hang below the site's own."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        return [
            path(ROUTE, self._guarded(require_GET(self.show)), name=NAME),
            path(f"{ROUTE}end/", self._guarded(require_POST(self.end)), name=f"{NAME}_end"),
            path(
                f"{ROUTE}end-user/",
                self._guarded(require_http_methods(["GET", "POST"])(self.end_of_user)),
                name=f"{NAME}_end_user",
            ),
            path(
                f"{ROUTE}end-others/",
                self._guarded(require_http_methods(["GET", "POST"])(self.end_others)),
                name=f"{NAME}_end_others",
            ),
        ]

    def show(self, request: HttpRequest) -> HttpResponse:
        query = request.GET.get("q", "").strip()
        wanted, more_users = roster.named(query) if query else (None, False)
        page, refusal = roster.Page(), ""
        try:
            page = roster.page(
                listing.current(), request.GET.get("c", ""), _mine(request), wanted, roster.PATIENCE
            )
        except UnlistableError as error:
            refusal = str(error)
        except StoreUnavailableError as error:
            refusal = _away(error)
        except ValueError:  # no cursor of ours
            return HttpResponseRedirect(self._url())
        context = {
            "title": _("Sessions"),
            "page": page,
            "query": query,
            "cursor": request.GET.get("c", ""),
            "refusal": refusal,
            "more_users": more_users,
            "facts": health.facts(),
            "next_url": self._url(q=query, c=page.following) if page.following else "",
            "users_change": self._users_change(),
        }
        return self._page(request, "django_split/sessions.html", context)

    def end(self, request: HttpRequest) -> HttpResponse:
        """End the one whose handle was posted."""
        kept = self._listed(
            request,
            lambda sessions: listing.find(
                sessions, request.POST.get("session", ""), request.POST.get("c", "")
            ),
        )
        if kept is None:
            messages.warning(request, _("That session was over already."))
        elif kept.key == _mine(request):
            messages.warning(request, _("This is your own session: log out to end it."))
        else:
            ending.end_now(listing.current(), [kept])
            ended = Counter([kept.user_id]) if kept.user_id else Counter[str]()
            ending.log(request, ended)
            messages.success(request, _ended(1))
        return HttpResponseRedirect(
            self._url(q=request.POST.get("q", ""), c=request.POST.get("c", ""))
        )

    def end_of_user(self, request: HttpRequest) -> HttpResponse:
        user_id = request.GET.get("user", "")
        if not user_id:
            raise Http404
        user = roster.users([user_id]).get(user_id)
        name = user.get_username() if user else _("Deleted user %s") % user_id
        own = user_id == roster.id_of(request.user)
        return self._several(
            request,
            ending.users_own(user_id, _mine(request)),
            _("End the sessions of %s") % name,
            _("The session that you are using stays.") if own else "",
        )

    def end_others(self, request: HttpRequest) -> HttpResponse:
        return self._several(
            request,
            ending.others(_mine(request)),
            _("End all sessions but mine"),
            _("Everybody else has to sign in again. Sessions that nobody has signed in to stay."),
        )

    def _several(
        self, request: HttpRequest, chosen: ending.Choice, title: str, remark: str
    ) -> HttpResponse:
        """Ask first, then end what is chosen."""
        if request.method == "POST":
            ended, all_of_them = self._listed(
                request, lambda sessions: ending.end(sessions, request, chosen)
            )
            number = ended.total()
            (messages.success if number else messages.info)(request, _ended(number))
            if not all_of_them:
                unfinished = _("That took too long: there are more. Do it again.")
                messages.warning(request, unfinished)
            return HttpResponseRedirect(self._url())
        number, all_of_them = self._listed(
            request, lambda sessions: ending.count(sessions, chosen, roster.PATIENCE)
        )
        context = {"title": title, "remark": remark, "number": number, "at_least": not all_of_them}
        return self._page(request, "django_split/end_sessions.html", context)

    def _listed(self, request: HttpRequest, work: Callable[[Listing], Any]) -> Any:
        """What needs a listing. Where there is none, no form led here: 404."""
        try:
            return work(listing.current())
        except (UnlistableError, ValueError) as error:
            raise Http404(str(error)) from error

    def _guarded(self, view: View) -> View:
        """As AdminSite.get_urls wraps its own views, and for superusers only.

        Looked at in each request, and after the site's own has_permission.
        """

        def superusers(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not is_superuser(request):
                raise PermissionDenied
            request.current_app = self.site.name
            try:
                return view(request, *args, **kwargs)
            except StoreUnavailableError as error:
                messages.error(request, _away(error))
                return HttpResponseRedirect(self._url())

        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return self.site.admin_view(superusers)(request, *args, **kwargs)

        # What is ended is ended, and logged, whatever else fails; and a row that is to come back at
        # a rollback would bring its session back into the store.
        wrapper._non_atomic_requests = set(connections)  # type: ignore[attr-defined]
        wrapper.admin_site = self.site  # type: ignore[attr-defined]
        # Read by LoginRequiredMiddleware.
        wrapper.login_url = reverse_lazy("admin:login", current_app=self.site.name)  # type: ignore[attr-defined]
        return update_wrapper(wrapper, view)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.site.each_context(request), "list_url": self._url()}
        return TemplateResponse(request, template, shared | context)

    def _url(self, **query: str) -> str:
        said = urlencode({name: value for name, value in query.items() if value})
        url = reverse(f"admin:{NAME}", current_app=self.site.name)
        return f"{url}?{said}" if said else url

    def _users_change(self) -> str:
        """The name of the page that changes a user, where this site has one."""
        from django.contrib.auth import get_user_model

        model = get_user_model()
        if model not in self.site._registry:
            return ""
        return f"admin:{model._meta.app_label}_{model._meta.model_name}_change"


def _mine(request: HttpRequest) -> str:
    return request.session.session_key or ""


def _away(error: StoreUnavailableError) -> str:
    return _("The store does not answer as it should: %s") % error.reason


def _ended(number: int) -> str:
    return ngettext("%(number)d session was ended.", "%(number)d sessions were ended.", number) % {
        "number": number
    }
