from __future__ import annotations

from django.db import models


class Visit(models.Model):
    session = models.ForeignKey("sessions.Session", null=True, on_delete=models.SET_NULL)
    day = models.DateField()
