"""Where the fleet keeps its things, and how they are named."""

from __future__ import annotations

import os
from pathlib import Path

# Teardown goes by this prefix alone, so nothing else on the machine may carry it.
PREFIX = "django-split-test-"

CACHE = Path(os.environ.get("DJANGO_SPLIT_TESTS_CACHE", "/var/cache/django-split-tests"))
IMAGES = CACHE / "images"
HOSTS = CACHE / "hosts"

REPOSITORY = Path(__file__).resolve().parents[2]
