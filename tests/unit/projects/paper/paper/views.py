from __future__ import annotations

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse


def page(request):
    return HttpResponse(f"{request.greeting}, reader")


def basket(request):
    request.session.setdefault("basket", []).append("paper")
    request.session["seen"] = "today"
    return HttpResponse(",".join(request.session["basket"]))


def byline(request):
    return render(request, "byline.html")


def contact(request):
    if request.method == "POST":
        messages.success(request, "Thank you")
        return HttpResponseRedirect("/byline/")
    return render(request, "form.html")


@staff_member_required
def staff(request):
    return HttpResponse("secret")


def edit_link(request, pk):
    names = [
        reverse("admin:paper_article_change", args=[pk]),
        reverse("admin:paper_article_proof", args=[pk]),
        reverse("admin:app_list", args=["paper"]),
    ]
    return HttpResponse(" ".join(names))


def tree(request, rest):
    return HttpResponse(f"tree: {rest}")


def not_found(request, exception):
    return HttpResponseNotFound("The Paper has no such page")
