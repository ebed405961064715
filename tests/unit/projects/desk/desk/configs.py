from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class DeskAdmin(AdminConfig):
    default_site = "desk.office.DeskAdminSite"
