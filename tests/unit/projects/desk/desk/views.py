from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import HttpResponse
from django.utils.crypto import get_random_string
from django.views.generic import View


def page(request, **kwargs):
    return HttpResponse("public")


def member_list(request):
    return HttpResponse("members")


class Drawer(View):
    def get(self, request):
        return HttpResponse("drawer")


def basket(request):
    request.session.setdefault("basket", ["secret thing"])
    return HttpResponse("kept")


def step(request, number):
    request.session[f"step_{number}"] = number
    return HttpResponse("kept")


def tidy(request):
    request.session["for a moment"] = 1
    del request.session["for a moment"]
    return HttpResponse("nothing kept")


def cart(request):
    if not request.session.session_key:
        request.session.create()
    return HttpResponse(request.session.session_key)


def broken(request):
    request.session["basket"] = 1
    return HttpResponse(status=500)


def sign_in(request):
    user = authenticate(request, username="chief", password="a-long-password")
    if user:
        login(request, user)
    return HttpResponse(str(user))


def talk(request, times):
    for _ in range(times):
        messages.info(request, get_random_string(200))
    return HttpResponse("said")
