"""What a page holds that the claims are about: links, forms, assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VALUE_LESS = ("submit", "button", "image", "reset", "file")


@dataclass
class Form:
    """A form with the values a browser would send; `kinds` has the type of each input."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def first(self, *kinds: str) -> str:
        """The name of the first input of one of these types, or ""."""
        return next((name for name, kind in self.kinds.items() if kind in kinds), "")


@dataclass
class Page:
    """The parts of an HTML page."""

    links: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)

    @property
    def login_form(self) -> Form | None:
        """The form that asks for a password."""
        return next((form for form in self.forms if form.first("password")), None)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.page.links.append(attributes["href"])
        elif tag == "link" and attributes.get("href"):
            self.page.assets.append(attributes["href"])
        elif tag in ("script", "img") and attributes.get("src"):
            self.page.assets.append(attributes["src"])
        elif tag == "form":
            method = attributes.get("method", "get").strip().lower()
            self._form = Form(attributes.get("action", ""), method)
            self.page.forms.append(self._form)
        elif tag == "input" and self._form is not None:
            self._input(self._form, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None

    @staticmethod
    def _input(form: Form, attributes: dict[str, str]) -> None:
        name = attributes.get("name", "")
        kind = attributes.get("type", "text").lower() or "text"
        if not name or kind in VALUE_LESS:
            return
        if kind in ("checkbox", "radio") and "checked" not in attributes:
            return
        form.kinds[name] = kind
        form.values[name] = attributes.get("value", "")


def read(html: str) -> Page:
    """Parse a page; broken HTML gives what can be made of it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
