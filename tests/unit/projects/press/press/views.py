from __future__ import annotations

from itertools import count
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.views import View

from press.models import Article, Reader

held = caches["held"]
visitors = count()

LINKS = [
    *(f"/number/{n}/" for n in range(1, 20)),
    "/static/press.css",
    "http://elsewhere.example/number/30/",
    "http://[/",
    "mailto:press@press.example",
    "/admin/",
    "/signout/",
    "/search/?q=a",
    "/search/?q=b",
    "/search/?q=c",
    "/search/?delete=1",
    "/nowhere/#top",
]


def mark(name):
    """Leave a trace in the file system, which no database keeps from it."""
    settings.OUTSIDE.mkdir(exist_ok=True)
    with Path(settings.OUTSIDE, "marks").open("a") as file:
        file.write(f"{name}\n")


def home(request):
    return render(request, "page.html", {"text": "The Press", "links": LINKS})


def number(request, n):
    mark(f"number {n}")
    return HttpResponse(f"number {n}")


def archive(request, year):
    mark(f"archive {year}")
    return HttpResponse(f"the year {year}")


def search(request):
    mark(request.get_full_path())
    return HttpResponse("found")


def article(request, pk):
    """Counts its readers, in the three ways in which it is done."""
    found = get_object_or_404(Article, pk=pk)
    found.readers = F("readers") + 1
    found.save(update_fields=["readers"])
    with transaction.atomic():
        Article.objects.select_for_update().get(pk=pk)
        Reader.objects.create(article=found)
        Reader.objects.bulk_create([Reader(article=found), Reader(article=found)])
    Reader.objects.get_or_create(article_id=pk)
    return HttpResponse(found.title)


def raw(request):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE written_by_hand (id integer)")
    return HttpResponse("made")


def past_django(request):
    """By the driver itself: only the database can refuse that."""
    connection.ensure_connection()
    cursor = connection.connection.cursor()
    cursor.execute("INSERT INTO press_article (title, readers) VALUES ('by hand', 0)")
    return HttpResponse("made")


def basket(request):
    request.session["basket"] = ["paper"]
    return HttpResponse("in your basket")


@login_required
def mine(request):
    return HttpResponse("secret")


def ask_first(request):
    """As login_required, without it, and to a page whose name says nothing."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect("/doors/?back=/ask-first/")
    return HttpResponse("secret")


def forbidden(request):
    raise PermissionDenied


def doors(request):
    return render(request, "page.html", {"form": "/enter/"})


class Enter(View):
    def post(self, request):
        return HttpResponse("in")


def staff_door(request):
    return render(request, "page.html", {"form": "/admin/login/"})


def members(request):
    return HttpResponse("only for members")


def history(request):
    return HttpResponse(settings.INSTALLED_APPS.index("django.contrib.admin"))


def caught(request):
    """A site's own page for errors."""
    if "django.contrib.admin" not in settings.INSTALLED_APPS:
        return HttpResponse("sorry", status=503)
    return HttpResponse("fine")


def own_cookie(request):
    response = HttpResponse("with a cookie of the same name")
    response.set_cookie("sessionid", "made-by-hand")
    return response


def made_of(request):
    return HttpResponse(f"made of\n{settings.ROOT_URLCONF} and more")


def away(request):
    there = "django.contrib.admin" in settings.INSTALLED_APPS
    return HttpResponseRedirect("/number/1/" if there else "/number/2/")


def visitor(request):
    return HttpResponse(f"visitor {next(visitors)}")


def wrong(request):
    return HttpResponse(1 / 0)


def says(request):
    messages.info(request, "hello")
    return HttpResponse("said")


def outside(request):
    send_mail("seen", "somebody looked", "press@press.example", ["chief@press.example"])
    caches["pages"].set("looked", 1)
    held.set("looked", 1)
    return HttpResponse("sent")


def thumbnail(request):
    """Made when it is first looked at, and read again."""
    name = default_storage.save("thumbnails/1.txt", ContentFile("small"))
    default_storage.delete("kept.txt")
    return HttpResponse(default_storage.open(name).read())


def never(request):
    mark("never")
    return HttpResponse("gone")


def robots(request):
    return HttpResponse("Sitemap: https://press.example/map.xml", content_type="text/plain")


def sitemap(request):
    text = "<urlset><url><loc>https://press.example/archive/1977/</loc></url></urlset>"
    return HttpResponse(text, content_type="application/xml")
