from django.contrib.auth import login
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect

OPEN = ("/login/",)


class Visits:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return self.get_response(request)


def seen(request):
    request.session.setdefault("seen", "today")
    return {}


class Wall:
    """Every page demands a login, whatever the class is called."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path in OPEN or any(request.path.startswith(path) for path in OPEN):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return redirect("/login/")
        return self.get_response(request)


class WallByView:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, args, kwargs):
        if request.user.is_authenticated or getattr(view_func, "is_open", False):
            return None
        return redirect_to_login(request.path)


def function_wall(get_response):
    def middleware(request):
        if not request.user.is_authenticated and request.path not in OPEN:
            raise PermissionDenied
        return get_response(request)

    return middleware


class Fence:
    """Only what stands under a prefix."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/intranet/") and not request.user.is_authenticated:
            return redirect("/login/")
        return self.get_response(request)


class Gate:
    """Only what a row says."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        page = Group.objects.first()
        if page.login_required and not request.user.is_authenticated:
            return redirect("/login/")
        return self.get_response(request)


class Agreed:
    """Asks something of those who are signed in."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not request.user.is_authenticated:
            return self.get_response(request)
        if not request.user.has_agreed:
            return redirect("/terms/")
        return self.get_response(request)


class SignsIn:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "token" in request.GET:
            login(request, None)
        return self.get_response(request)
