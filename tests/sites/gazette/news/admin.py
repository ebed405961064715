from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest

from .models import Article, Correction, Link, Section, Tag

admin.site.site_header = "The Gazette"
admin.site.site_title = "The Gazette"
admin.site.index_title = "Newsroom"


@admin.register(Section)
class SectionAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "accent", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "article_count"]
    prepopulated_fields = {"slug": ["name"]}
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return super().get_queryset(request).annotate(article_count=Count("articles"))

    @admin.display(description="articles", ordering="article_count")
    def article_count(self, tag: Tag) -> int:
        return tag.article_count


class CorrectionInline(admin.TabularInline):
    model = Correction
    extra = 0


class LinkInline(admin.TabularInline):
    model = Link
    extra = 0
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    list_display = ["headline", "section", "author", "status", "featured", "published_at"]
    list_filter = ["status", "featured", "section", "published_at"]
    list_select_related = ["section", "author"]
    list_per_page = 50
    search_fields = ["headline", "standfirst", "author__first_name", "author__last_name"]
    date_hierarchy = "published_at"
    autocomplete_fields = ["section", "author", "tags"]
    prepopulated_fields = {"slug": ["headline"]}
    inlines = [CorrectionInline, LinkInline]
    actions = ["publish", "withdraw"]
    fieldsets = [
        (None, {"fields": ["headline", "slug", "standfirst", "body"]}),
        ("Filed under", {"fields": ["section", "author", "tags"]}),
        ("Picture", {"fields": ["picture", "picture_caption"]}),
        ("Publication", {"fields": ["status", "published_at", "featured"]}),
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"author": request.user.pk, **super().get_changeform_initial_data(request)}

    def view_on_site(self, article: Article) -> str | None:
        return article.get_absolute_url() if article.is_public else None

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("news.publish_article")

    @admin.action(description="Publish selected articles", permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        drafts = list(queryset.filter(status=Article.Status.DRAFT))
        # An article that was published before keeps its date, and with it its place.
        Article.objects.filter(pk__in=[article.pk for article in drafts]).update(
            status=Article.Status.PUBLISHED, published_at=Coalesce("published_at", Now())
        )
        self._report(request, drafts, "published")

    @admin.action(description="Withdraw selected articles", permissions=["publish"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Article]) -> None:
        public = list(queryset.filter(status=Article.Status.PUBLISHED))
        Article.objects.filter(pk__in=[article.pk for article in public]).update(
            status=Article.Status.DRAFT
        )
        self._report(request, public, "withdrawn")

    def _report(self, request: HttpRequest, articles: list[Article], what: str) -> None:
        for article in articles:
            self.log_change(request, article, f"{what.capitalize()}.")
        noun = "article was" if len(articles) == 1 else "articles were"
        level = messages.SUCCESS if articles else messages.WARNING
        self.message_user(request, f"{len(articles)} {noun} {what}.", level)
