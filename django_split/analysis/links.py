"""What a page leads to: its links, and where its forms send a password."""

from __future__ import annotations

import re
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

LOCATION = re.compile(r"<loc>\s*(.*?)\s*</loc>", re.DOTALL)
SITEMAP = re.compile(r"^sitemap:\s*(\S+)", re.IGNORECASE | re.MULTILINE)

# A sitemap may list every article of a site.
MOST = 200


class Reader(HTMLParser):
    """Collects links, and the targets of forms that ask for a password."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.url = url
        self.links: list[str] = []
        self.passwords: list[str] = []
        self.form = url

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "base" and values.get("href"):
            self.base = join(self.url, values["href"])
        elif tag in ("a", "area") and values.get("href") and len(self.links) < MOST:
            self.links.append(join(self.base, values["href"]))
        elif tag == "form":
            # A form without an action is sent to its own page, whatever <base> says.
            self.form = join(self.base, values["action"]) if values.get("action") else self.url
        elif tag == "input" and values.get("type", "").lower() == "password":
            self.passwords.append(self.form)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = self.url


def of_page(url: str, content_type: str, text: str) -> tuple[list[str], list[str]]:
    """The links of a page and the targets of its forms with a password, as absolute URLs."""
    if "html" in content_type:
        reader = Reader(url)
        # It gives up on some broken markup: then what came before is what there is.
        with suppress(AssertionError):
            reader.feed(text)
        return reader.links, reader.passwords
    if "xml" in content_type:
        # A sitemap names the site as it calls itself, which need not be how it was asked.
        return [_here(url, found) for found in LOCATION.findall(text)[:MOST]], []
    if "text/plain" in content_type:
        return [_here(url, found) for found in SITEMAP.findall(text)[:MOST]], []
    return [], []


def path_of(url: str, host: str) -> str | None:
    """The path, with its query, of an absolute URL on this host; None for any other."""
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
    except ValueError:
        return None
    on_host = parts.scheme in ("http", "https") and name == host.partition(":")[0].lower()
    if not on_host or not parts.path.startswith("/"):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def join(base: str, url: str) -> str:
    """A link as an absolute URL; what is none, as "http://[", leads nowhere."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return ""


def _here(url: str, other: str) -> str:
    path = other.replace("&amp;", "&").partition("://")[2].partition("/")[2]
    return join(url, f"/{path}")
