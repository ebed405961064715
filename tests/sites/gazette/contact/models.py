from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Letter(models.Model):
    """What a reader wrote to the editor."""

    name = models.CharField(max_length=80)
    email = models.EmailField("e-mail address")
    subject = models.CharField(max_length=120)
    text = models.TextField("letter", max_length=5000)
    received_at = models.DateTimeField("received", default=timezone.now, editable=False)
    answered = models.BooleanField(default=False)

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(
                fields=["-received_at"], condition=Q(answered=False), name="contact_letter_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.name})"
