"""The gunicorn application of an instance: `django_split.runtime.wsgi:application`.

It runs the site's own WSGI callable, under the instance's settings. Many a `wsgi.py` sets
`os.environ["DJANGO_SETTINGS_MODULE"]`, which would silently run the base with the admin in it. So
the instance's settings are put in force first, and looked at again when the site's module has been
imported.
"""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from django_split import runtime


def load() -> Any:
    """Import the site's WSGI callable.

    Raises ImproperlyConfigured when other settings are in force after it.
    """
    runtime.instance()
    mine = settings.SETTINGS_MODULE
    dotted = runtime.plan().wsgi
    callable_ = import_string(dotted) if dotted else get_wsgi_application()
    in_force = getattr(settings, "SETTINGS_MODULE", None)
    if in_force != mine:
        raise ImproperlyConfigured(
            f"{dotted} put other settings in force: {in_force} instead of {mine}. "
            "An instance runs its own settings or not at all."
        )
    # The site's processes (a worker it starts, a management command) must not fall back to the base
    # either.
    os.environ["DJANGO_SETTINGS_MODULE"] = mine
    return callable_


application = load()
