"""An app of the site's own, called as a package that people sign in with."""

from django.http import HttpResponse


def event(request):
    return HttpResponse()
