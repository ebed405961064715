from __future__ import annotations

from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=100)
    readers = models.IntegerField(default=0)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return f"/article/{self.pk}/"


class Reader(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE)
