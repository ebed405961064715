"""Routes and prefixes, as text."""

from __future__ import annotations

import pytest
from django.urls import path, re_path

from django_split.mounts import route


def view() -> None: ...


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (path("admin/", view), ("admin/", True)),
        (path("<slug:x>/admin/", view), ("<slug:x>/admin/", False)),
        (re_path(r"^admin/", view), ("admin/", True)),
        (re_path(r"^back\-stage\.x/$", view), ("back-stage.x/", True)),
        (re_path(r"^admin.x/", view), ("admin.x/", False)),
        (re_path(r"^(admin|office)/", view), ("(admin|office)/", False)),
        (re_path(r"(?i)^admin/", view), ("(?i)^admin/", False)),
        (re_path(r"^\d+/", view), (r"\d+/", False)),
    ],
)
def test_route_is_literal_or_said_not_to_be(pattern: object, expected: tuple[str, bool]) -> None:
    assert route([pattern]) == expected  # type: ignore[list-item]
