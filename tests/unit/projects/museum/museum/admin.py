from __future__ import annotations

from django.contrib import admin

from museum.models import Visit
from museum.workshop import recent

admin.site.register(Visit)
admin.site.index_title = f"Museum {recent.__name__}"
