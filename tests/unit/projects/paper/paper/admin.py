from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.urls import re_path

from paper.models import Article

admin.site.unregister(User)


@admin.register(User)
class Users(UserAdmin):
    pass


@admin.register(Article)
class Articles(admin.ModelAdmin):
    def get_urls(self):
        own = re_path(r"^(?P<pk>\d+)/proof/$", self.proof, name="paper_article_proof")
        return [own, *super().get_urls()]

    def proof(self, request, pk):
        raise NotImplementedError
