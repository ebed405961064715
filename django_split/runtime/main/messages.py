"""Main's MESSAGE_STORAGE: Django's cookie storage, under a cookie name of main's own.

With the same name as the admin's, either instance would show, or delete unread, the other's
messages (FACTS A22).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class MainCookieStorage(CookieStorage):
    cookie_name: str = settings.DJANGO_SPLIT_MESSAGES_COOKIE
