from __future__ import annotations

from datetime import datetime, timedelta, timezone

from django.contrib.auth import get_user_model
from django.test import TestCase
from django.urls import reverse

from news.models import Article, Correction, Link, Tag

from .factories import make_article, make_author, make_section


class PageTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.section = make_section("Town", description="Streets and neighbours.")
        cls.other_section = make_section("Sport", accent="green")
        cls.author = make_author()
        cls.tag = Tag.objects.create(name="Port", slug="port")
        cls.article = make_article("a-new-bridge", cls.section, cls.author)
        cls.article.tags.add(cls.tag)
        cls.draft = make_article(
            "not-yet", cls.section, cls.author, status=Article.Status.DRAFT, published_at=None
        )
        cls.draft.tags.add(cls.tag)
        newest = datetime(2026, 2, 1, tzinfo=timezone.utc)
        for number in range(14):
            make_article(
                f"match-{number}",
                cls.other_section,
                cls.author,
                published_at=newest - timedelta(days=number),
            )
        cls.pages = [
            reverse("news:home"),
            cls.article.get_absolute_url(),
            cls.section.get_absolute_url(),
            cls.other_section.get_absolute_url() + "?page=2",
            reverse("news:section_feed", args=["town"]),
            reverse("news:tags"),
            cls.tag.get_absolute_url(),
            reverse("news:author", args=[cls.author.pk]),
            reverse("news:archive"),
            reverse("news:archive_year", args=[2026]),
            reverse("news:archive_month", args=[2026, 3]),
            reverse("news:search"),
            reverse("news:search") + "?q=bridge",
            reverse("news:feed"),
            reverse("sitemap"),
        ]

    def test_no_page_sets_a_cookie_or_shows_a_draft(self) -> None:
        for page in self.pages:
            with self.subTest(page):
                response = self.client.get(page)
                self.assertEqual(response.status_code, 200)
                self.assertFalse(response.cookies)
                self.assertNotContains(response, "not-yet")

    def test_pages_that_are_not_there(self) -> None:
        nobody = get_user_model().objects.create_user("nobody")
        for page in [
            self.draft.get_absolute_url(),
            "/articles/nothing/",
            "/sections/nothing/",
            "/sections/nothing/feed/",
            "/sections/sport/?page=9",
            "/tags/nothing/",
            f"/authors/{nobody.pk}/",
            "/archive/1999/",
            "/archive/2026/13/",
        ]:
            with self.subTest(page):
                response = self.client.get(page)
                self.assertContains(response, "not in print", status_code=404)
                self.assertFalse(response.cookies)

    def test_home_leads_with_featured_articles(self) -> None:
        Article.objects.filter(slug="match-9").update(featured=True)
        response = self.client.get(reverse("news:home"))
        self.assertEqual(response.context["lead"].slug, "match-9")
        self.assertEqual(response.context["top_stories"], [])

    def test_home_shows_no_article_twice(self) -> None:
        response = self.client.get(reverse("news:home"))
        shown = [response.context["lead"], *response.context["top_stories"]]
        for section in response.context["sections"]:
            shown += section.newest
        self.assertEqual(len(shown), len({article.pk for article in shown}))

    def test_home_takes_as_many_queries_with_more_sections(self) -> None:
        Article.objects.filter(slug="match-9").update(featured=True)
        # Navigation, top stories, sections, their articles, tags, months.
        with self.assertNumQueries(6):
            self.client.get(reverse("news:home"))
        make_article("a-play", make_section("Culture"), self.author)
        with self.assertNumQueries(6):
            self.client.get(reverse("news:home"))

    def test_home_of_an_empty_newspaper(self) -> None:
        Article.objects.all().delete()
        self.assertContains(self.client.get(reverse("news:home")), "first edition")

    def test_article(self) -> None:
        Correction.objects.create(article=self.article, text="It was a Tuesday.")
        Link.objects.create(article=self.article, title="Minutes", url="https://example.org/m/")
        response = self.client.get(self.article.get_absolute_url())
        self.assertContains(response, "<h1>A new bridge</h1>", html=True)
        self.assertContains(response, "<p>Second paragraph.</p>", html=True)
        self.assertContains(response, "Ada Marchetti")
        self.assertContains(response, "It was a Tuesday.")
        self.assertContains(response, "https://example.org/m/")
        self.assertContains(response, self.tag.get_absolute_url())

    def test_article_text_is_escaped(self) -> None:
        Article.objects.filter(pk=self.article.pk).update(body="<script>alert(1)</script>")
        response = self.client.get(self.article.get_absolute_url())
        self.assertContains(response, "&lt;script&gt;alert(1)")

    def test_sections_are_paged(self) -> None:
        first = self.client.get("/sections/sport/")
        self.assertEqual(len(first.context["articles"]), 12)
        self.assertContains(first, 'href="?page=2"')
        second = self.client.get("/sections/sport/?page=2")
        self.assertEqual(
            [article.slug for article in second.context["articles"]], ["match-12", "match-13"]
        )

    def test_search_finds_and_keeps_its_query_when_paged(self) -> None:
        response = self.client.get("/search/", {"q": "match"})
        self.assertContains(response, "14 articles for")
        self.assertContains(response, '<a href="?q=match&amp;page=2">2</a>', html=True)

    def test_search_says_what_is_wrong_with_a_query(self) -> None:
        response = self.client.get("/search/", {"q": "x"})
        self.assertContains(response, "at least 2 characters")
        self.assertNotContains(response, "articles for")

    def test_archive_counts_by_month(self) -> None:
        response = self.client.get(reverse("news:archive"))
        self.assertEqual(
            [
                (row["month"].strftime("%Y-%m"), row["article_count"])
                for row in response.context["months"]
            ],
            [("2026-03", 1), ("2026-02", 1), ("2026-01", 13)],
        )

    def test_feed(self) -> None:
        response = self.client.get(reverse("news:feed"))
        self.assertEqual(response["Content-Type"], "application/rss+xml; charset=utf-8")
        self.assertContains(response, "<link>http://testserver/articles/a-new-bridge/</link>")
        self.assertContains(response, "<category>Port</category>")

    def test_section_feed_has_only_its_section(self) -> None:
        response = self.client.get(reverse("news:section_feed", args=["town"]))
        self.assertContains(response, "a-new-bridge")
        self.assertNotContains(response, "match-")

    def test_sitemap(self) -> None:
        response = self.client.get(reverse("sitemap"))
        self.assertContains(response, "<loc>http://testserver/articles/a-new-bridge/</loc>")


class AccountTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.author = make_author()
        cls.article = make_article("a-new-bridge", make_section(), cls.author)
        cls.edit = reverse("admin:news_article_change", args=[cls.article.pk])

    def test_visitors_see_no_account_and_no_edit_link(self) -> None:
        response = self.client.get(self.article.get_absolute_url())
        self.assertNotContains(response, "Signed in as")
        self.assertNotContains(response, self.edit)
        self.assertContains(response, 'href="/admin/"')

    def test_readers_with_an_account_see_no_edit_link(self) -> None:
        self.client.force_login(self.author)
        response = self.client.get(self.article.get_absolute_url())
        self.assertContains(response, "Signed in as <strong>ada</strong>")
        self.assertNotContains(response, self.edit)

    def test_staff_see_the_edit_link(self) -> None:
        self.client.force_login(get_user_model().objects.create_user("editor", is_staff=True))
        response = self.client.get(self.article.get_absolute_url())
        self.assertContains(response, f'href="{self.edit}"')
