from __future__ import annotations

from io import StringIO
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import TestCase

from news.models import Article, Section
from news.sample import sample_articles


def load(**options: Any) -> str:
    output = StringIO()
    call_command("load_articles", stdout=output, **options)
    return output.getvalue()


def rows() -> list[tuple[Any, ...]]:
    return [
        (
            *article,
            *Article.tags.through.objects.filter(article=article[0]).values_list(
                "tag__name", flat=True
            ),
        )
        for article in Article.objects.order_by("pk").values_list(
            "pk", "slug", "headline", "body", "section__slug", "author__username", "published_at"
        )
    ]


class LoadArticlesTests(TestCase):
    def test_second_run_changes_nothing_and_says_so(self) -> None:
        self.assertIn("Loaded 60 articles", load(count=60))
        before = rows()
        with self.assertNumQueries(3):  # a savepoint, the slugs, and its release
            self.assertIn("Nothing to do", load(count=60))
        self.assertEqual(rows(), before)

    def test_same_seed_gives_the_same_articles(self) -> None:
        self.assertEqual(list(sample_articles(300, seed=5)), list(sample_articles(300, seed=5)))

    def test_other_seed_gives_other_articles(self) -> None:
        load(count=20, seed=1)
        self.assertIn("Loaded 20 articles", load(count=20, seed=2))
        self.assertEqual(Article.objects.count(), 40)

    def test_larger_count_adds_and_changes_no_article(self) -> None:
        load(count=20)
        before = rows()
        self.assertIn("Loaded 10 articles of seed 1 (20 were there already)", load(count=30))
        self.assertEqual(rows()[:20], before)

    def test_what_an_editor_changed_stays(self) -> None:
        load(count=5)
        Article.objects.filter(pk=Article.objects.first().pk).update(headline="Ours")
        load(count=6)
        self.assertTrue(Article.objects.filter(headline="Ours").exists())

    def test_every_section_is_filled_and_some_articles_are_drafts(self) -> None:
        load(count=200)
        self.assertEqual(Article.objects.filter(status=Article.Status.DRAFT).count(), 4)
        for section in Section.objects.all():
            self.assertGreater(section.articles.count(), 20)

    def test_authors_cannot_sign_in(self) -> None:
        load(count=1)
        for author in get_user_model().objects.all():
            self.assertFalse(author.has_usable_password())
            self.assertFalse(author.is_staff)

    def test_bad_options_are_refused(self) -> None:
        for options in [{"count": -1}, {"count": 100_001}, {"seed": -1}]:
            with self.subTest(options), self.assertRaises(CommandError):
                load(**options)
