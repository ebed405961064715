"""Main's MESSAGE_STORAGE: Django's cookie storage, under a cookie name of main's own.

With the same name as the admin's, either instance would show, or delete unread, the other's
messages (FACTS A22).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage

from django_split.runtime.main import losses


class MainCookieStorage(CookieStorage):
    cookie_name: str = settings.DJANGO_SPLIT_MESSAGES_COOKIE

    def _store(self, messages: list[Any], response: Any, *args: Any, **kwargs: Any) -> list[Any]:
        # Django's default storage would put into the session what the cookie does not hold.
        unstored: list[Any] = super()._store(messages, response, *args, **kwargs)  # type: ignore[misc]
        if unstored:
            losses.record(self.request, [losses.MESSAGES])
        return unstored
