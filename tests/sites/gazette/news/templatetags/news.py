from __future__ import annotations

from collections.abc import Iterator

from django import template
from django.core.paginator import Page
from django.db.models import QuerySet

from ..models import Section

register = template.Library()


@register.simple_tag
def get_sections() -> QuerySet[Section]:
    return Section.objects.all()


@register.simple_tag
def page_numbers(page: Page) -> Iterator[int | str]:
    """The pages to link to from this one, with an ellipsis for those left out."""
    return page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
