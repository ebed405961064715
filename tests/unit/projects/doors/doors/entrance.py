from django.contrib.auth import login
from django.http import HttpResponse


def enter(request):
    _really(request)
    return HttpResponse()


def _really(request):
    login(request, None)


class Entrance:
    def __init__(self, request):
        self.request = request

    def open(self):
        self._turn()

    def _turn(self):
        login(self.request, None)
