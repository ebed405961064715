from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.urls import reverse

from news.models import Article, Tag

from .factories import make_article, make_author, make_section

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


class AdminTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.section = make_section()
        cls.author = make_author()
        cls.editor = get_user_model().objects.create_superuser("editor")

    def setUp(self) -> None:
        self.client.force_login(self.editor)


class ArticleAdminTests(AdminTestCase):
    def form_data(self, **fields: Any) -> dict[str, Any]:
        return {
            "headline": "A new bridge",
            "slug": "a-new-bridge",
            "standfirst": "What it is about.",
            "body": "Text.",
            "section": self.section.pk,
            "author": self.author.pk,
            "status": "published",
            "published_at_0": "2026-03-14",
            "published_at_1": "09:00:00",
            "corrections-TOTAL_FORMS": 1,
            "corrections-INITIAL_FORMS": 0,
            "corrections-0-made_on": "2026-03-15",
            "corrections-0-text": "It was a Tuesday.",
            "links-TOTAL_FORMS": 1,
            "links-INITIAL_FORMS": 0,
            "links-0-title": "Minutes",
            "links-0-url": "https://example.org/m/",
            "links-0-position": 0,
            **fields,
        }

    def test_article_is_added_with_picture_and_inlines(self) -> None:
        media = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, media)
        tag = Tag.objects.create(name="Port", slug="port")
        picture = SimpleUploadedFile("bridge.gif", PIXEL, "image/gif")
        with override_settings(MEDIA_ROOT=media):
            response = self.client.post(
                reverse("admin:news_article_add"), self.form_data(tags=[tag.pk], picture=picture)
            )
            self.assertRedirects(response, reverse("admin:news_article_changelist"))
            article = Article.objects.get()
            self.assertEqual(Path(media, article.picture.name).read_bytes(), PIXEL)
        self.assertEqual(article.corrections.get().text, "It was a Tuesday.")
        self.assertEqual(article.links.get().title, "Minutes")
        self.assertEqual(article.tags.get(), tag)
        page = self.client.get(article.get_absolute_url())
        self.assertContains(page, f'src="/media/{article.picture.name}"')

    def test_published_article_without_date_is_refused_with_a_reason(self) -> None:
        response = self.client.post(
            reverse("admin:news_article_add"),
            self.form_data(published_at_0="", published_at_1=""),
        )
        self.assertContains(response, "needs a date of publication")
        self.assertFalse(Article.objects.exists())

    def test_changelist_searches_and_filters(self) -> None:
        make_article("bridge", self.section, self.author)
        make_article("tunnel", self.section, self.author, status=Article.Status.DRAFT)
        response = self.client.get(
            reverse("admin:news_article_changelist"), {"q": "marchetti", "status": "draft"}
        )
        self.assertContains(response, "Tunnel")
        self.assertNotContains(response, "Bridge")

    def test_author_is_found_by_autocomplete(self) -> None:
        response = self.client.get(
            reverse("admin:autocomplete"),
            {"term": "march", "app_label": "news", "model_name": "article", "field_name": "author"},
        )
        self.assertEqual(response.json()["results"], [{"id": str(self.author.pk), "text": "ada"}])

    def test_view_on_site_only_for_public_articles(self) -> None:
        for slug, status, shown in [("bridge", "published", True), ("tunnel", "draft", False)]:
            article = make_article(slug, self.section, self.author, status=status)
            response = self.client.get(reverse("admin:news_article_change", args=[article.pk]))
            self.assertEqual("View on site" in response.content.decode(), shown)


class PublishActionTests(AdminTestCase):
    def act(self, action: str, *articles: Article) -> Any:
        return self.client.post(
            reverse("admin:news_article_changelist"),
            {"action": action, "_selected_action": [article.pk for article in articles]},
            follow=True,
        )

    def test_publish_dates_drafts_and_leaves_the_others(self) -> None:
        draft = make_article(
            "draft", self.section, self.author, status=Article.Status.DRAFT, published_at=None
        )
        public = make_article("public", self.section, self.author)
        before = public.published_at
        response = self.act("publish", draft, public)
        self.assertContains(response, "1 article was published.")
        draft.refresh_from_db()
        public.refresh_from_db()
        self.assertTrue(draft.is_public)
        self.assertEqual(public.published_at, before)
        self.assertEqual(LogEntry.objects.get().object_id, str(draft.pk))

    def test_article_that_is_withdrawn_and_published_again_keeps_its_date(self) -> None:
        article = make_article("bridge", self.section, self.author)
        before = article.published_at
        self.assertContains(self.act("withdraw", article), "1 article was withdrawn.")
        article.refresh_from_db()
        self.assertFalse(article.is_public)
        self.act("publish", article)
        article.refresh_from_db()
        self.assertTrue(article.is_public)
        self.assertEqual(article.published_at, before)

    def test_publish_needs_its_own_permission(self) -> None:
        writer = get_user_model().objects.create_user("writer", is_staff=True)
        writer.user_permissions.set(
            Permission.objects.filter(codename__in=["view_article", "change_article"])
        )
        self.client.force_login(writer)
        draft = make_article("draft", self.section, self.author, status=Article.Status.DRAFT)
        self.act("publish", draft)
        draft.refresh_from_db()
        self.assertEqual(draft.status, Article.Status.DRAFT)


class OtherAdminTests(AdminTestCase):
    def test_sections_and_tags_are_listed(self) -> None:
        tag = Tag.objects.create(name="Port", slug="port")
        tag.articles.add(make_article("bridge", self.section, self.author))
        response = self.client.get(reverse("admin:news_tag_changelist"))
        self.assertContains(response, '<td class="field-article_count">1</td>', html=True)
        self.assertContains(self.client.get(reverse("admin:news_section_changelist")), "Town")
