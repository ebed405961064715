from __future__ import annotations

from django.contrib.auth.models import Group

from tongues.sites import office

office.register(Group)
