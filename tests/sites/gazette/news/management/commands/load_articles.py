from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.text import slugify

from news.models import Article, Correction, Link, Section, Tag
from news.sample import LAST_EDITION, MAX_ARTICLES, SampleArticle, sample_articles
from news.sample_words import AUTHORS, SECTIONS, TAGS

BATCH_SIZE = 500


class Command(BaseCommand):
    help = (
        "Loads a made-up newspaper. The same seed always gives the same articles; those that "
        "are there already are left as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=2000, help="how many (default: 2000)")
        parser.add_argument("--seed", type=int, default=1, help="which newspaper (default: 1)")

    @transaction.atomic
    def handle(self, *args: Any, count: int, seed: int, **options: Any) -> None:
        if not 0 <= count <= MAX_ARTICLES:
            raise CommandError(f"--count must be between 0 and {MAX_ARTICLES}.")
        if seed < 0:
            raise CommandError("--seed must not be negative.")

        samples = list(sample_articles(count, seed))
        present = set(Article.objects.values_list("slug", flat=True))
        missing = [sample for sample in samples if sample.slug not in present]
        if not missing:
            self.stdout.write(
                f"Nothing to do: all {count} articles of seed {seed} are there already."
            )
            return
        self.create(missing)
        self.stdout.write(
            self.style.SUCCESS(
                f"Loaded {len(missing)} articles of seed {seed} "
                f"({count - len(missing)} were there already)."
            )
        )

    def create(self, samples: list[SampleArticle]) -> None:
        sections, tags, authors = self.sections(), self.tags(), self.authors()
        articles = Article.objects.bulk_create(
            [
                Article(
                    section=sections[sample.section],
                    author=authors[sample.author],
                    headline=sample.headline,
                    slug=sample.slug,
                    standfirst=sample.standfirst,
                    body=sample.body,
                    featured=sample.featured,
                    status=(
                        Article.Status.PUBLISHED if sample.published_at else Article.Status.DRAFT
                    ),
                    published_at=sample.published_at,
                )
                for sample in samples
            ],
            batch_size=BATCH_SIZE,
        )
        pairs = list(zip(articles, samples, strict=True))
        tagging = Article.tags.through
        tagging.objects.bulk_create(
            [
                tagging(article_id=article.pk, tag_id=tags[name].pk)
                for article, sample in pairs
                for name in sample.tags
            ],
            batch_size=BATCH_SIZE,
        )
        Correction.objects.bulk_create(
            [
                Correction(article=article, made_on=sample.correction[0], text=sample.correction[1])
                for article, sample in pairs
                if sample.correction
            ],
            batch_size=BATCH_SIZE,
        )
        Link.objects.bulk_create(
            [
                Link(article=article, title=title, url=url, position=position)
                for article, sample in pairs
                for position, (title, url) in enumerate(sample.links)
            ],
            batch_size=BATCH_SIZE,
        )

    def sections(self) -> dict[str, Section]:
        return {
            slug: Section.objects.get_or_create(
                slug=slug,
                defaults={
                    "name": name,
                    "description": description,
                    "accent": accent,
                    "position": position,
                },
            )[0]
            for position, (slug, name, description, accent) in enumerate(SECTIONS)
        }

    def tags(self) -> dict[str, Tag]:
        return {
            name: Tag.objects.get_or_create(slug=slugify(name), defaults={"name": name})[0]
            for names in TAGS.values()
            for name in names
        }

    def authors(self) -> list[Any]:
        users = get_user_model().objects
        return [
            users.get_or_create(
                username=f"{first}.{last}".lower(),
                defaults={
                    "first_name": first,
                    "last_name": last,
                    "email": f"{first}.{last}@example.com".lower(),
                    # Nobody can sign in with it.
                    "password": make_password(None),
                    "date_joined": LAST_EDITION,
                },
            )[0]
            for first, last in AUTHORS
        ]
