from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import Letter


@admin.register(Letter)
class LetterAdmin(admin.ModelAdmin):
    list_display = ["subject", "name", "email", "received_at", "answered"]
    list_filter = ["answered", "received_at"]
    search_fields = ["subject", "name", "email", "text"]
    date_hierarchy = "received_at"
    readonly_fields = ["name", "email", "subject", "text", "received_at"]
    actions = ["mark_answered"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Mark selected letters as answered", permissions=["change"])
    def mark_answered(self, request: HttpRequest, queryset: QuerySet[Letter]) -> None:
        count = queryset.filter(answered=False).update(answered=True)
        self.message_user(request, f"Marked as answered: {count}.")
