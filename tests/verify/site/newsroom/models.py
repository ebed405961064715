"""What makes a page private: a row of a table that is there anyway."""

from __future__ import annotations

from django.db import models


class StoryViewRestriction(models.Model):
    """Known by its name to be one of those that restrict."""

    name = models.CharField(max_length=150)

    class Meta:
        """The groups' own table."""

        managed = False
        db_table = "auth_group"
