"""Each looks at the user, and demands none."""

from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.generic import DetailView, ListView, TemplateView

from doors import cart as carts


def shown(request):
    return render(request, "page.html", {"user": request.user})


def greeted(request):
    name = request.user.username if request.user.is_authenticated else "reader"
    return HttpResponse(name)


def away(request):
    """The idiom of a page for those who are not signed in."""
    if request.user.is_authenticated:
        return redirect("home")
    return render(request, "page.html")


def signpost(request):
    if request.user.is_authenticated:
        return redirect("/home/")
    return redirect("/welcome/")


def signpost_in_else(request):
    if request.user.is_anonymous:
        return redirect("/welcome/")
    return redirect("/home/")


def more_for_staff(request):
    rows = []
    if request.user.is_staff:
        rows.append("draft")
    return render(request, "page.html", {"rows": rows})


def not_for_members(request):
    if request.user.is_authenticated:
        raise Http404
    return render(request, "page.html")


def draft(request, pk):
    door = get_object_or_404(object, pk=pk)
    if not door.is_public and not request.user.is_staff:
        raise Http404
    return render(request, "page.html")


def draft_later(request, pk):
    door = get_object_or_404(object, pk=pk)
    if door.is_public:
        return render(request, "page.html")
    if not request.user.has_perm("doors.change_door"):
        raise Http404
    return render(request, "page.html")


def answered(request):
    if not request.user.is_authenticated:
        return render(request, "welcome.html")
    return render(request, "page.html")


def unknown(request, pk):
    door = get_object_or_404(object, pk=pk)
    if not door.visible_to(request.user):
        raise Http404
    return render(request, "page.html")


def kept_for_members(request):
    """On main nobody is signed in: it is never written."""
    if request.user.is_authenticated:
        request.session["last"] = 1
        carts.mark(request, "last")
    return render(request, "page.html")


def kept_after_a_page(request):
    if not request.user.is_authenticated:
        return render(request, "page.html")
    request.session["last"] = 1
    return render(request, "page.html")


def marked(request):
    """For those who are signed in, there is more on the page."""
    rows = Group.objects.all()
    if request.user.is_authenticated:
        rows = rows.filter(user=request.user)
    return render(request, "page.html", {"rows": rows})


def marked_if_it_can_be(request):
    try:
        rows = Group.objects.filter(user=request.user)
    except TypeError:
        rows = []
    return render(request, "page.html", {"rows": rows})


def marked_by_number(request):
    rows = Group.objects.filter(user=request.user.pk)
    return render(request, "page.html", {"rows": rows})


class Greeted(TemplateView):
    def get_context_data(self, **kwargs):
        return {**super().get_context_data(**kwargs), "me": self.request.user}


class Rows(ListView):
    def get_queryset(self):
        rows = super().get_queryset()
        return rows if self.request.user.is_staff else rows.filter(public=True)


class Row(DetailView):
    def get_object(self, queryset=None):
        row = super().get_object(queryset)
        if not (row.public or self.request.user.is_staff):
            raise Http404
        return row


urlpatterns = [
    path("shown/", shown),
    path("greeted/", greeted),
    path("away/", away),
    path("signpost/", signpost),
    path("signpost-in-else/", signpost_in_else),
    path("more-for-staff/", more_for_staff),
    path("not-for-members/", not_for_members),
    path("draft/<int:pk>/", draft),
    path("draft-later/<int:pk>/", draft_later),
    path("answered/", answered),
    path("unknown/<int:pk>/", unknown),
    path("kept-for-members/", kept_for_members),
    path("kept-after-a-page/", kept_after_a_page),
    path("marked/", marked),
    path("marked-if-it-can-be/", marked_if_it_can_be),
    path("marked-by-number/", marked_by_number),
    path("class/", Greeted.as_view()),
    path("rows/", Rows.as_view()),
    path("row/<int:pk>/", Row.as_view()),
]
