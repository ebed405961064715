from __future__ import annotations

from django.conf import settings
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone


class Section(models.Model):
    class Accent(models.TextChoices):
        RED = "red"
        BLUE = "blue"
        GREEN = "green"
        AMBER = "amber"
        PURPLE = "purple"
        TEAL = "teal"

    name = models.CharField(max_length=60)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=200, blank=True)
    accent = models.CharField(max_length=10, choices=Accent, default=Accent.RED)
    position = models.PositiveSmallIntegerField(default=0, help_text="Lowest first.")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("news:section", args=[self.slug])


class Tag(models.Model):
    name = models.CharField(max_length=40)
    slug = models.SlugField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="news_tag_name_unique",
                violation_error_message="There is a tag of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("news:tag", args=[self.slug])


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self) -> ArticleQuerySet:
        return self.filter(status=Article.Status.PUBLISHED, published_at__lte=timezone.now())

    def for_listing(self) -> ArticleQuerySet:
        """What a list of articles shows, without the bodies: they are most of a row's bytes."""
        return self.select_related("section", "author").defer("body")

    def matching(self, query: str) -> ArticleQuerySet:
        """Articles that have every word of the query somewhere in their text."""
        articles = self
        for word in query.split():
            articles = articles.filter(
                Q(headline__icontains=word)
                | Q(standfirst__icontains=word)
                | Q(body__icontains=word)
            )
        return articles


class Article(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"

    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="articles")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="articles"
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="articles")
    headline = models.CharField(max_length=160)
    slug = models.SlugField(max_length=180, unique=True)
    standfirst = models.CharField(
        max_length=300, help_text="One or two sentences below the headline."
    )
    body = models.TextField(help_text="Plain text; an empty line begins a new paragraph.")
    picture = models.FileField(
        upload_to="pictures/%Y/%m/",
        blank=True,
        # No SVG: it can carry scripts, and would be served from our own host.
        validators=[FileExtensionValidator(["avif", "gif", "jpeg", "jpg", "png", "webp"])],
    )
    picture_caption = models.CharField(max_length=200, blank=True)
    featured = models.BooleanField(default=False, help_text="Leads the front page.")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    published_at = models.DateTimeField(
        "published", null=True, blank=True, help_text="In the future: not shown until then."
    )

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-pk"]
        get_latest_by = "published_at"
        permissions = [("publish_article", "Can publish articles")]
        indexes = [
            models.Index(
                fields=["-published_at", "-id"],
                condition=Q(status="published"),
                name="news_article_published",
            ),
            models.Index(
                fields=["section", "-published_at", "-id"],
                condition=Q(status="published"),
                name="news_article_by_section",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(status="published", published_at__isnull=False),
                name="news_article_published_has_date",
                violation_error_message="A published article needs a date of publication.",
            ),
        ]

    def __str__(self) -> str:
        return self.headline

    def get_absolute_url(self) -> str:
        return reverse("news:article", args=[self.slug])

    @property
    def byline(self) -> str:
        # Never the user name: that is one half of a login.
        return self.author.get_full_name() or "Our reporter"

    @property
    def is_public(self) -> bool:
        return (
            self.status == self.Status.PUBLISHED
            and self.published_at is not None
            and self.published_at <= timezone.now()
        )


class Correction(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="corrections")
    made_on = models.DateField(default=timezone.localdate)
    text = models.CharField(max_length=300)

    class Meta:
        ordering = ["-made_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.made_on}: {self.text}"


class Link(models.Model):
    """Further reading, below an article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="links")
    title = models.CharField(max_length=120)
    url = models.URLField("URL")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["article", "url"],
                name="news_link_once_per_article",
                violation_error_message="This article has this link already.",
            ),
        ]

    def __str__(self) -> str:
        return self.title
