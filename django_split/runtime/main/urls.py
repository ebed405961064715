"""Main's ROOT_URLCONF."""

from __future__ import annotations

from django_split import runtime
from django_split.runtime.main.urlconf import HANDLERS, filtered

_filtered = filtered(runtime.plan().main.urls.root_urlconf)
urlpatterns = _filtered.urlpatterns
globals().update({name: getattr(_filtered, name) for name in HANDLERS if hasattr(_filtered, name)})
