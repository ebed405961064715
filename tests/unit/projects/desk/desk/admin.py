from __future__ import annotations

from django.contrib import admin

from desk.models import Note


@admin.register(Note)
class Notes(admin.ModelAdmin):
    view_on_site = True
