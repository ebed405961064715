"""Each demands a user."""

from functools import partial, update_wrapper

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_required, permission_required, user_passes_test
from django.contrib.auth.mixins import (
    AccessMixin,
    LoginRequiredMixin,
    PermissionRequiredMixin,
    UserPassesTestMixin,
)
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.contrib.syndication.views import Feed
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.generic import DetailView, ListView, TemplateView, View

from doors import guards


def page(request, *args, **kwargs):
    return HttpResponse("page")


class Page(View):
    def get(self, request):
        return HttpResponse("page")


class Called:
    def __call__(self, request):
        return HttpResponse("page")


@login_required
def decorated(request):
    return HttpResponse()


@never_cache
@require_POST
@permission_required("doors.enter", raise_exception=True)
def deep(request):
    return HttpResponse()


@login_required
async def asynchronous(request):
    return HttpResponse()


class ByMixin(LoginRequiredMixin, Page):
    pass


class ByPermission(PermissionRequiredMixin, Page):
    permission_required = "doors.enter"


class ByTest(UserPassesTestMixin, Page):
    def test_func(self):
        return self.request.user.is_staff


class ByOwnTest(UserPassesTestMixin, DetailView):
    def test_func(self):
        obj = self.get_object()
        return obj.owner == self.request.user


class ByAccess(AccessMixin, Page):
    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        return super().dispatch(request, *args, **kwargs)


class StaffuserRequiredMixin:
    """As braces has it: it is known by its name."""


class ByBraces(StaffuserRequiredMixin, Page):
    pass


@method_decorator(login_required, name="dispatch")
class OnDispatch(Page):
    pass


@method_decorator([never_cache, permission_required("doors.enter")], name="get")
class OnGet(Page):
    pass


class OnMethod(View):
    def get(self, request):
        return HttpResponse()

    @method_decorator(staff_member_required)
    def post(self, request):
        return HttpResponse()


class OnOwnMethod(View):
    @method_decorator(guards.without_wraps)
    def get(self, request):
        return HttpResponse()


class FromOwnMixin(guards.LoginMixin, Page):
    pass


class FromOwnCheck(guards.OwnCheck, Page):
    pass


class LoginInAsView(View):
    @classmethod
    def as_view(cls, **kwargs):
        return login_required(super().as_view(**kwargs))

    def get(self, request):
        return HttpResponse()


class GuardedInDispatch(View):
    def dispatch(self, request, *args, **kwargs):
        return login_required(super().dispatch)(request, *args, **kwargs)


def if_not(request):
    if not request.user.is_authenticated:
        return redirect("login")
    return render(request, "page.html")


def if_anonymous(request):
    if request.user.is_anonymous:
        raise Http404
    return render(request, "page.html")


def other_way_round(request):
    if request.user.is_authenticated:
        return render(request, "page.html")
    return redirect("login")


def in_else(request):
    if request.user.is_staff:
        context = {}
    else:
        return JsonResponse({"error": "staff only"}, status=403)
    return render(request, "page.html", context)


def both_ways(request):
    if request.user.is_authenticated and request.user.is_active:
        return render(request, "page.html")
    return HttpResponse("no", status=401)


def by_name(request):
    user = request.user
    if not (user.is_superuser or user.has_perms(["doors.enter"])):
        raise PermissionDenied
    return render(request, "page.html")


def by_flag(request):
    is_member = request.user.is_authenticated and not request.user.is_anonymous
    if not is_member:
        return HttpResponseRedirect(settings.LOGIN_URL)
    return render(request, "page.html")


def by_owner(request, pk):
    door = get_object_or_404(object, pk=pk)
    if door.owner != request.user:
        raise Http404
    return render(request, "page.html")


def by_owner_id(request, pk):
    door = get_object_or_404(object, pk=pk)
    if request.user.pk != door.owner_id and not request.user.is_staff:
        raise PermissionDenied("not yours")
    return render(request, "page.html")


def by_membership(request, pk):
    door = get_object_or_404(object, pk=pk)
    if request.user not in door.members.all():
        return redirect_to_login(request.path)
    return render(request, "page.html")


def without_a_row(request, pk=None):
    """What sends somebody away first shows nobody a page."""
    if pk is None:
        return redirect("/rows/")
    if not request.user.is_authenticated:
        return redirect("login")
    return render(request, "page.html")


def guarded_as_it_runs(request):
    return login_required(page)(request)


def to_write(request):
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect("/login/")
        return redirect("/")
    return render(request, "page.html")


def to_write_at_once(request):
    if request.method == "POST" and request.user.is_staff is False:
        raise PermissionDenied
    return render(request, "page.html")


def asserted(request):
    assert request.user.is_authenticated
    return render(request, "page.html")


def conditional(request):
    return render(request, "page.html") if request.user.is_authenticated else redirect("/sign-in/")


def nested_refusal(request):
    if not request.user.is_authenticated:
        if request.headers.get("x-requested-with"):
            return JsonResponse({}, status=401)
        return redirect("login")
    return render(request, "page.html")


def called(request):
    guards.check(request)
    return render(request, "page.html")


def called_and_returned(request):
    response = guards.refused(request)
    if response:
        return response
    return render(request, "page.html")


def asked(request):
    if not guards.may_enter(request.user):
        raise PermissionDenied
    return render(request, "page.html")


def by_setting(request):
    if settings.MEMBERS_ONLY and not request.user.is_authenticated:
        return redirect("login")
    return render(request, "page.html")


def got(request):
    user = get_user(request)
    if user.is_anonymous:
        return redirect("login")
    return render(request, "page.html")


async def awaited(request):
    user = await request.auser()
    if not user.is_authenticated:
        return redirect("login")
    return HttpResponse()


def of_the_user(request):
    rows = Group.objects.filter(user=request.user)
    return render(request, "page.html", {"rows": rows})


def one_of_the_user(request, pk):
    row = get_object_or_404(Group, pk=pk, user=request.user)
    return render(request, "page.html", {"row": row})


def made_by_the_user(request):
    if request.method == "POST":
        Group.objects.create(user=request.user)
    return render(request, "page.html")


class OfTheUser(ListView):
    def get_queryset(self):
        return Group.objects.filter(user=self.request.user)


def by_template(request):
    if not request.user.is_staff:
        return render(request, "403.html")
    return render(request, "page.html")


def by_text(request):
    if not request.user.is_authenticated:
        return JsonResponse({"error": "You must be logged in"})
    return JsonResponse({})


def strange_name(req):
    if not req.user.is_authenticated:
        raise PermissionDenied
    return HttpResponse()


def in_try(request):
    try:
        if not request.user.is_staff:
            raise PermissionDenied
    except ValueError:
        pass
    return HttpResponse()


class InMethod(TemplateView):
    template_name = "page.html"

    def get_context_data(self, **kwargs):
        if not self.request.user.is_staff:
            raise Http404
        return super().get_context_data(**kwargs)


class InHelper(TemplateView):
    def get(self, request):
        self.check(request.user)
        return super().get(request)

    def check(self, user):
        if not user.is_authenticated:
            raise PermissionDenied


class News(Feed):
    title = link = description = ""

    def items(self):
        return []


class Bound:
    """An object that has views of its own, as many a package does."""

    def page(self, request):
        if not self.known(request):
            return redirect("login")
        return HttpResponse()

    def known(self, request):
        return request.user.is_authenticated


def relay(request):
    """It hands on to what it carries, and closes over nothing."""
    inside = vars(relay)["__wrapped__"]
    return inside(request)


relay.__wrapped__ = login_required(page)


def without_wraps(view):
    def inner(request):
        return view(request)

    return inner


urlpatterns = [
    path("login-required/", decorated),
    path("deep/", deep),
    path("asynchronous/", asynchronous),
    path("in-urls/", login_required(page)),
    path("with-arguments/", login_required(login_url="/x/")(page)),
    path("staff-member/", staff_member_required(page)),
    path("passes-test/", user_passes_test(lambda user: user.is_staff)(page)),
    path("members/", guards.members(page)),
    path("admin-view/", admin.site.admin_view(page)),
    path("partial/", partial(login_required(page), extra=1)),
    path("partial-inside/", login_required(partial(page, extra=1))),
    path("partial-wrapped/", update_wrapper(partial(login_required(page)), page)),
    path("hidden-by-a-decorator/", without_wraps(login_required(page))),
    path("called-object/", login_required(Called())),
    path("class-decorated/", login_required(Page.as_view())),
    path("relay/", relay),
    path("feed/", login_required(News())),
    path("mixin/", ByMixin.as_view()),
    path("mixin-hidden/", without_wraps(ByMixin.as_view())),
    path("permission/", ByPermission.as_view()),
    path("test/", ByTest.as_view()),
    path("own-test/<int:pk>/", ByOwnTest.as_view()),
    path("access/", ByAccess.as_view()),
    path("braces/", ByBraces.as_view()),
    path("on-dispatch/", OnDispatch.as_view()),
    path("on-get/", OnGet.as_view()),
    path("on-method/", OnMethod.as_view()),
    path("on-own-method/", OnOwnMethod.as_view()),
    path("own-mixin/", FromOwnMixin.as_view()),
    path("own-check/", FromOwnCheck.as_view()),
    path("in-as-view/", LoginInAsView.as_view()),
    path("own-wraps/", guards.with_wraps(page)),
    path("own-without-wraps/", guards.without_wraps(page)),
    path("own-with-argument/", guards.with_argument("door")(page)),
    path("own-class/", guards.AsClass(page)),
    path("if-not/", if_not),
    path("if-anonymous/", if_anonymous),
    path("other-way-round/", other_way_round),
    path("in-else/", in_else),
    path("both-ways/", both_ways),
    path("by-name/", by_name),
    path("by-flag/", by_flag),
    path("by-owner/<int:pk>/", by_owner),
    path("by-owner-id/<int:pk>/", by_owner_id),
    path("by-membership/<int:pk>/", by_membership),
    path("without-a-row/", without_a_row),
    path("guarded-as-it-runs/", guarded_as_it_runs),
    path("guarded-in-dispatch/", GuardedInDispatch.as_view()),
    path("to-write/", to_write),
    path("to-write-at-once/", to_write_at_once),
    path("asserted/", asserted),
    path("conditional/", conditional),
    path("nested-refusal/", nested_refusal),
    path("called/", called),
    path("called-and-returned/", called_and_returned),
    path("asked/", asked),
    path("by-setting/", by_setting),
    path("got/", got),
    path("awaited/", awaited),
    path("of-the-user/", of_the_user),
    path("one-of-the-user/<int:pk>/", one_of_the_user),
    path("made-by-the-user/", made_by_the_user),
    path("class-of-the-user/", OfTheUser.as_view()),
    path("by-template/", by_template),
    path("by-text/", by_text),
    path("strange-name/", strange_name),
    path("in-try/", in_try),
    path("in-method/", InMethod.as_view()),
    path("in-helper/", InHelper.as_view()),
    path("bound/", Bound().page),
]
