from __future__ import annotations

from datetime import datetime

from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet

from .models import Article, Section


class SectionSitemap(Sitemap):
    changefreq = "hourly"

    def items(self) -> QuerySet[Section]:
        return Section.objects.all()


class ArticleSitemap(Sitemap):
    changefreq = "monthly"

    def items(self) -> QuerySet[Article]:
        return Article.objects.published().only("slug", "published_at")

    def lastmod(self, article: Article) -> datetime:
        return article.published_at


SITEMAPS = {"sections": SectionSitemap, "articles": ArticleSitemap}
