"""Reads the base: a settings module as it is, or the class in it that django-configurations takes.

For analysis and instances alike. The one thing imported beside the base is django-configurations
itself, and only where the environment says that the site uses it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured

SETTINGS = "DJANGO_SETTINGS_MODULE"
CONFIGURATION = "DJANGO_CONFIGURATION"
IMPORTER = "configurations.importer"


def read(module_name: str) -> dict[str, Any]:
    """Import the base and give its upper-case values.

    Raises what the base raises, and ImproperlyConfigured for a base made of Configuration classes
    when nothing says which of them to take.
    """
    with _configurations(module_name):
        module = importlib.import_module(module_name)
    return {name: value for name, value in vars(module).items() if name.isupper()}


@contextmanager
def _configurations(module_name: str) -> Iterator[None]:
    if not os.environ.get(CONFIGURATION):
        try:
            yield
        except ImproperlyConfigured as error:
            if IMPORTER not in sys.modules:
                raise
            told = ImproperlyConfigured(
                f"{module_name} holds classes of django-configurations: set {CONFIGURATION} in the "
                "environment (site_env in the inventory) to the name of the one that is deployed"
            )
            # Its place is the site's, not this one.
            raise told.with_traceback(error.__traceback__) from error
        return
    try:
        importer = importlib.import_module(IMPORTER)
    except ImportError:
        yield  # the variable means nothing to this site
        return
    # Its importer takes the class out of the module that DJANGO_SETTINGS_MODULE names. For an
    # instance that is ours: it gets the base's name for as long as the base is imported.
    before = os.environ.get(SETTINGS)
    os.environ[SETTINGS] = module_name
    try:
        importer.install()
        yield
    finally:
        if before is None:
            del os.environ[SETTINGS]
        else:
            os.environ[SETTINGS] = before
