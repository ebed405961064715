from __future__ import annotations

from django.contrib.sessions.middleware import SessionMiddleware


class Sessions(SessionMiddleware):
    """A site's own: known by its base."""
