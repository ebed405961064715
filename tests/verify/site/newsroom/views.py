"""Main's views, each with the bug it can have."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render

from newsroom.bugs import BUGS


def front(request: HttpRequest) -> HttpResponse:
    """The front page; its bugs: a cookie, a session, death by an old cookie."""
    if "dies_with_a_cookie" in BUGS and settings.SESSION_COOKIE_NAME in request.COOKIES:
        raise RuntimeError("no session")
    if "session_page" in BUGS:
        # What a site that still has sessions does to every visitor
        request.session["seen"] = True
    response = render(request, "newsroom/front.html")
    if "cookie_page" in BUGS:
        response.set_cookie("visited", "yes")
    return response


def story(request: HttpRequest, number: int) -> HttpResponse:
    """A story without a form."""
    if "broken_page" in BUGS and number == 2:
        raise RuntimeError("broken")
    response = HttpResponse(f"<title>Story {number}</title><p>Text")
    if "varying_page" in BUGS and number == 2:
        response["Vary"] = "Accept-Language, Cookie"
    if "token_page" in BUGS and number == 2:
        # As a site does whose scripts POST: the token is in the page, without a form
        response.write(f'<body hx-headers=\'{{"X-CSRFToken": "{get_token(request)}"}}\'>')
    return response


def contact(request: HttpRequest) -> HttpResponse:
    """A form to POST: here a CSRF cookie is right."""
    return render(request, "newsroom/contact.html")


def forbidden(request: HttpRequest) -> HttpResponse:
    """What no verification may ever ask for; leaves a file when it is."""
    Path(settings.STATIC_ROOT, "..", "data", "asked-for").write_text(request.path)
    return HttpResponse("done")


def no_admin(request: HttpRequest) -> HttpResponse:
    """What main says of the admin's path."""
    return closed(request, "admin_url")


def closed(request: HttpRequest, bug: str = "closed_url") -> HttpResponse:
    """A prefix that main must not answer."""
    if bug not in BUGS:
        raise Http404
    return HttpResponse("private")
