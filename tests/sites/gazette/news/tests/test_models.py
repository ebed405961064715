from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase
from django.utils import timezone

from news.models import Article, Tag

from .factories import make_article, make_author, make_section


class ArticleTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.section = make_section()
        cls.author = make_author()

    def test_only_published_articles_of_the_past_are_public(self) -> None:
        public = make_article("public", self.section, self.author)
        draft = make_article("draft", self.section, self.author, status=Article.Status.DRAFT)
        tomorrow = make_article(
            "tomorrow",
            self.section,
            self.author,
            published_at=timezone.now() + timedelta(days=1),
        )
        self.assertEqual(list(Article.objects.published()), [public])
        self.assertTrue(public.is_public)
        self.assertFalse(draft.is_public)
        self.assertFalse(tomorrow.is_public)

    def test_database_refuses_published_article_without_date(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            make_article("undated", self.section, self.author, published_at=None)

    def test_picture_must_be_a_picture(self) -> None:
        article = make_article("pictured", self.section, self.author)
        article.picture.name = "pictures/script.svg"
        with self.assertRaises(ValidationError) as raised:
            article.full_clean()
        self.assertEqual(set(raised.exception.message_dict), {"picture"})

    def test_byline_never_shows_the_user_name(self) -> None:
        nameless = type(self.author).objects.create_user("admin")
        article = make_article("anonymous", self.section, nameless)
        self.assertEqual(article.byline, "Our reporter")

    def test_search_wants_every_word(self) -> None:
        both = make_article("ferry", self.section, self.author, body="A ferry in the harbour.")
        make_article("harbour", self.section, self.author, body="The harbour alone.")
        self.assertEqual(list(Article.objects.matching("HARBOUR ferry")), [both])


class TagTests(TestCase):
    def test_names_differ_by_more_than_case(self) -> None:
        Tag.objects.create(name="Port", slug="port")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Tag.objects.create(name="PORT", slug="port-2")
