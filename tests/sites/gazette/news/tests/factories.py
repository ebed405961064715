from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from django.contrib.auth import get_user_model

from news.models import Article, Section


def make_section(name: str = "Town", **fields: Any) -> Section:
    return Section.objects.create(name=name, **{"slug": name.lower(), **fields})


def make_author(username: str = "ada") -> Any:
    return get_user_model().objects.create_user(username, first_name="Ada", last_name="Marchetti")


def make_article(slug: str, section: Section, author: Any, **fields: Any) -> Article:
    defaults = {
        "headline": slug.replace("-", " ").capitalize(),
        "standfirst": "What it is about.",
        "body": "First paragraph.\n\nSecond paragraph.",
        "status": Article.Status.PUBLISHED,
        "published_at": datetime(2026, 3, 14, 9, 0, tzinfo=timezone.utc),
    }
    return Article.objects.create(
        slug=slug, section=section, author=author, **{**defaults, **fields}
    )
