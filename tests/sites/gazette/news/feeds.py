from __future__ import annotations

from datetime import datetime

from django.contrib.syndication.views import Feed
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse, reverse_lazy

from .models import Article, Section

FEED_LENGTH = 20


class LatestFeed(Feed):
    title = "The Gazette"
    description = "News from Port Ellery."
    link = reverse_lazy("news:home")

    def items(self, section: Section | None = None) -> QuerySet[Article]:
        articles = Article.objects.published().for_listing().prefetch_related("tags")
        if section is not None:
            articles = articles.filter(section=section)
        return articles[:FEED_LENGTH]

    def item_title(self, article: Article) -> str:
        return article.headline

    def item_description(self, article: Article) -> str:
        return article.standfirst

    def item_author_name(self, article: Article) -> str:
        return article.byline

    def item_pubdate(self, article: Article) -> datetime:
        return article.published_at

    def item_categories(self, article: Article) -> list[str]:
        return [article.section.name, *(tag.name for tag in article.tags.all())]


class SectionFeed(LatestFeed):
    def get_object(self, request: HttpRequest, slug: str) -> Section:
        return get_object_or_404(Section, slug=slug)

    def title(self, section: Section) -> str:
        return f"The Gazette: {section.name}"

    def description(self, section: Section) -> str:
        return section.description

    def link(self, section: Section) -> str:
        return reverse("news:section", args=[section.slug])
