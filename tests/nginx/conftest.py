from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from nginx.stage import Site, site

# What must never leave the host by way of nginx.
SECRET = "SQLite format 3: the site's database"


@pytest.fixture(scope="session", autouse=True)
def _nginx_is_installed() -> None:
    if shutil.which("nginx") is None:
        pytest.skip("needs nginx: apt-get install nginx-light")


@pytest.fixture(scope="session")
def gazette() -> Iterator[Site]:
    """The site that most tests ask; nothing in it is changed or stopped."""
    with site() as built:
        built.put("data/db.sqlite3", SECRET)
        built.put("static-old/app.css", SECRET)
        built.put("static/app.css", "body {}")
        built.put("static/app.0123456789ab.css", "body {}" * 500)
        built.put("static/sub/page.html", "<p>the site's own")
        built.put("media/photo.jpg", "\xff\xd8")
        built.put("media/report.pdf", "%PDF")
        built.put("media/drawing.svg", "<svg/>")
        for name in ("page.html", "page.HTM", "script.js", "feed.xml", "page.xhtml", "shell.php"):
            built.put(f"media/{name}", "<script>alert(document.cookie)</script>")
        for name in ("no-extension", "page.html.unknown", "sub/index.html"):
            built.put(f"media/{name}", "<script>alert(document.cookie)</script>")
        built.start()
        yield built
