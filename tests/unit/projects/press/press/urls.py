from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import path, re_path

from press import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("article/<int:pk>/", views.article),
    path("raw/", views.raw),
    path("past-django/", views.past_django),
    re_path(r"^number/(?P<n>\d+)/$", views.number),
    path("archive/<int:year>/", views.archive),
    path("search/", views.search),
    path("basket/", views.basket),
    path("mine/", views.mine),
    path("ask-first/", views.ask_first),
    path("forbidden/", views.forbidden),
    path("doors/", views.doors),
    path("enter/", views.Enter.as_view()),
    path("staff-door/", views.staff_door),
    path("members/", views.members),
    path("history/", views.history),
    path("caught/", views.caught),
    path("own-cookie/", views.own_cookie),
    path("made-of/", views.made_of),
    path("away/", views.away),
    path("visitor/", views.visitor),
    path("wrong/", views.wrong),
    path("says/", views.says),
    path("outside/", views.outside),
    path("thumbnail/", views.thumbnail),
    path("sign-out/", views.never),
    path("leave/", views.never, name="unsubscribe"),
    path("confirm/<int:n>/", views.never),
    path("robots.txt", views.robots),
    path("map.xml", views.sitemap),
    path("come-in/", views.number, {"n": 0}),
    path("", views.home),
]
if "django.contrib.sessions" in settings.INSTALLED_APPS:
    urlpatterns.append(path("only-here/", views.members))
