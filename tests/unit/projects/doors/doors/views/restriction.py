"""Each keeps some of its rows for those who are signed in; the others are public."""

from django.http import Http404, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.generic import DetailView, View


def hidden(request, pk):
    door = get_object_or_404(object, pk=pk)
    if door.is_hidden and not request.user.is_authenticated:
        raise Http404
    return render(request, "page.html")


def hidden_inside(request, pk):
    door = get_object_or_404(object, pk=pk)
    if door.is_hidden:  # noqa: SIM102 - as it is written elsewhere
        if not request.user.is_authenticated:
            return redirect("login")
    return render(request, "page.html")


def shown_first(request, pk):
    door = get_object_or_404(object, pk=pk)
    if door.is_open:
        return render(request, "page.html")
    if not request.user.is_authenticated:
        return redirect("login")
    return render(request, "page.html")


def forbidden(request):
    if request.user.is_anonymous:
        return redirect("login")
    return HttpResponseForbidden()


def answered_elsewhere(request, pk):
    door = get_object_or_404(object, pk=pk)
    if not door.can_read(request.user):
        return forbidden(request)
    return render(request, "page.html")


class InMethod(View):
    def get(self, request, pk):
        door = get_object_or_404(object, pk=pk)
        if door.is_hidden:
            return self.refuse()
        return render(request, "page.html")

    def refuse(self):
        if not self.request.user.is_authenticated:
            return redirect("login")
        return HttpResponseForbidden()


class RoomPermissionRequiredMixin:
    """Named as Django's, but it asks a room."""

    def dispatch(self, request, *args, **kwargs):
        if not self.get_object().allows(request.user) and not request.user.is_authenticated:
            return redirect("login")
        return super().dispatch(request, *args, **kwargs)


class PermissionRequiredMixin(RoomPermissionRequiredMixin):
    pass


class OfARoom(PermissionRequiredMixin, DetailView):
    pass


urlpatterns = [
    path("hidden/<int:pk>/", hidden),
    path("hidden-inside/<int:pk>/", hidden_inside),
    path("shown-first/<int:pk>/", shown_first),
    path("answered-elsewhere/<int:pk>/", answered_elsewhere),
    path("in-method/<int:pk>/", InMethod.as_view()),
    path("of-a-room/<int:pk>/", OfARoom.as_view()),
]
