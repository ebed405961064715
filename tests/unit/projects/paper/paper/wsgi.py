from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

# Not setdefault: this would run the base whatever the environment says.
os.environ["DJANGO_SETTINGS_MODULE"] = "paper.settings"

django_application = get_wsgi_application()


def application(environ, start_response):
    environ["paper.wsgi"] = True
    return django_application(environ, start_response)
