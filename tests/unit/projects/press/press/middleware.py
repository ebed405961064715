from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponseRedirect


class Gate(SessionMiddleware):
    """Sessions, and a door: what a subclass adds is left out on main."""

    def process_request(self, request):
        super().process_request(request)
        if request.path.startswith("/members/") and "member" not in request.session:
            return HttpResponseRedirect("/join/")
        return None


def counting(get_response):
    """Looks for the sessions app, which main has not."""

    def middleware(request):
        request.sessions = settings.INSTALLED_APPS.index("django.contrib.sessions")
        return get_response(request)

    return middleware


def only_https(get_response):
    """What SECURE_SSL_REDIRECT does, by a site's own hand."""

    def middleware(request):
        if not request.is_secure():
            return HttpResponseRedirect(f"https://{request.get_host()}{request.get_full_path()}")
        return get_response(request)

    return middleware
