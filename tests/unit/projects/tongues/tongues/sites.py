from __future__ import annotations

from django.contrib.admin import AdminSite


class Backstage(AdminSite):
    def __init__(self, name="backstage"):
        super().__init__(name)


class Office(AdminSite):
    final_catch_all_view = False


office = Office(name="office")
