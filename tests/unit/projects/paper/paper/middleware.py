from __future__ import annotations

from django.apps import apps

# A middleware module that uses models: imported while settings load, it would fail.
apps.check_apps_ready()


class Visits:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.last_seen = request.session.get("seen")
        request.session.get_expiry_date()
        return self.get_response(request)


class Hosts:
    """As django-hosts does: another URLconf for another name."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "HTTP_URLCONF" in request.META:
            request.urlconf = request.META["HTTP_URLCONF"]
        return self.get_response(request)


class Greeting:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.greeting = "Welcome back" if request.user.is_authenticated else "Hello"
        return self.get_response(request)
