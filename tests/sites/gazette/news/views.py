from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.generic import DetailView, ListView, TemplateView
from django.views.generic.dates import MonthArchiveView, YearArchiveView

from .forms import SearchForm
from .models import Article, Section, Tag


def tags_in_use() -> QuerySet[Tag]:
    published = Q(
        articles__status=Article.Status.PUBLISHED, articles__published_at__lte=timezone.now()
    )
    return (
        Tag.objects.annotate(article_count=Count("articles", filter=published))
        .filter(article_count__gt=0)
        .order_by("-article_count", "name")
    )


def published_months() -> QuerySet[Article, dict[str, Any]]:
    """The months that have articles, newest first, each with the number of them."""
    return (
        Article.objects.published()
        .annotate(month=TruncMonth("published_at"))
        .order_by("-month")
        .values("month")
        .annotate(article_count=Count("pk"))
    )


class HomeView(TemplateView):
    template_name = "news/home.html"

    top_stories = 5
    per_section = 5

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # With their bodies: the lead shows how its own begins.
        candidates = Article.objects.published().select_related("section", "author")
        top = list(candidates.filter(featured=True)[: self.top_stories])
        top = top or list(candidates[: self.top_stories])
        newest = (
            Article.objects.published()
            .for_listing()
            .exclude(pk__in=[article.pk for article in top])
        )
        sections = Section.objects.prefetch_related(
            Prefetch("articles", queryset=newest[: self.per_section], to_attr="newest")
        )
        return super().get_context_data(
            lead=top[0] if top else None,
            top_stories=top[1:],
            sections=sections,
            tags=tags_in_use()[:20],
            months=published_months()[:12],
            **kwargs,
        )


class ArticleView(DetailView):
    template_name = "news/article.html"
    context_object_name = "article"

    def get_queryset(self) -> QuerySet[Article]:
        return (
            Article.objects.published()
            .select_related("section", "author")
            .prefetch_related("tags", "corrections", "links")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = Article.objects.published().for_listing().filter(section=self.object.section_id)
        return super().get_context_data(more=more.exclude(pk=self.object.pk)[:4], **kwargs)


class ArticleListView(ListView):
    """A page of published articles; its children say which."""

    paginate_by = 12
    context_object_name = "articles"

    def get_queryset(self) -> QuerySet[Article]:
        return Article.objects.published().for_listing()


class SectionView(ArticleListView):
    template_name = "news/section.html"

    def get_queryset(self) -> QuerySet[Article]:
        self.section = get_object_or_404(Section, slug=self.kwargs["slug"])
        return super().get_queryset().filter(section=self.section)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **kwargs)


class TagView(ArticleListView):
    template_name = "news/tag.html"

    def get_queryset(self) -> QuerySet[Article]:
        self.tag = get_object_or_404(Tag, slug=self.kwargs["slug"])
        return super().get_queryset().filter(tags=self.tag)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(tag=self.tag, **kwargs)


class TagIndexView(ListView):
    template_name = "news/tags.html"
    context_object_name = "tags"

    def get_queryset(self) -> QuerySet[Tag]:
        return tags_in_use().order_by("name")


class AuthorView(ArticleListView):
    template_name = "news/author.html"
    # Somebody who never published is not an author, and has no page.
    allow_empty = False

    def get_queryset(self) -> QuerySet[Article]:
        self.author = get_object_or_404(get_user_model(), pk=self.kwargs["pk"])
        return super().get_queryset().filter(author=self.author)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            name=self.author.get_full_name() or "Our reporter", **kwargs
        )


class SearchView(ArticleListView):
    template_name = "news/search.html"

    def get_queryset(self) -> QuerySet[Article]:
        # Unbound without a query: an empty page is no mistake of the reader's.
        self.form = SearchForm(self.request.GET if "q" in self.request.GET else None)
        if not self.form.is_valid():
            return Article.objects.none()
        return super().get_queryset().matching(self.form.cleaned_data["q"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(form=self.form, **kwargs)


class ArchiveMixin:
    date_field = "published_at"
    context_object_name = "articles"

    def get_queryset(self) -> QuerySet[Article]:
        return Article.objects.published().for_listing()


class ArchiveView(TemplateView):
    template_name = "news/archive.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(months=published_months(), **kwargs)


class ArchiveYearView(ArchiveMixin, YearArchiveView):
    template_name = "news/archive_year.html"


class ArchiveMonthView(ArchiveMixin, MonthArchiveView):
    template_name = "news/archive_month.html"
    month_format = "%m"
    paginate_by = 24
