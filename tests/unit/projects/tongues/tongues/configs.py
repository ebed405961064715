from __future__ import annotations

from django.contrib.admin.apps import AdminConfig
from django.contrib.sessions.apps import SessionsConfig


class Backstage(AdminConfig):
    default_site = "tongues.sites.Backstage"


class Sessions(SessionsConfig):
    pass
