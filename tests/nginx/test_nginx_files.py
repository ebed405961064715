"""Static files and uploads, served by nginx itself."""

from __future__ import annotations

import pytest

from nginx.conftest import SECRET
from nginx.stage import Site, site


def test_static_file_with_a_digest_in_its_name_is_kept_for_a_year(gazette: Site) -> None:
    response = gazette.ask("/static/app.0123456789ab.css")
    assert (response.status, response.header("content-type")) == (200, "text/css")
    assert response.header("cache-control") == "public, max-age=31536000, immutable"


def test_static_file_without_one_is_looked_at_again_soon(gazette: Site) -> None:
    assert gazette.ask("/static/app.css").header("cache-control") == "public, max-age=300"


def test_missing_static_file_is_not_kept(gazette: Site) -> None:
    response = gazette.ask("/static/app.ffffffffffff.css")
    assert (response.status, response.header("cache-control")) == (404, None)


def test_static_files_are_compressed(gazette: Site) -> None:
    response = gazette.ask("/static/app.0123456789ab.css", headers={"Accept-Encoding": "gzip"})
    assert (response.header("content-encoding"), response.header("vary")) == (
        "gzip",
        "Accept-Encoding",
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo.jpg", "image/jpeg"),
        ("report.pdf", "application/pdf"),
        ("drawing.svg", "image/svg+xml"),
    ],
)
def test_upload_that_runs_nothing_is_shown(gazette: Site, name: str, kind: str) -> None:
    response = gazette.ask(f"/media/{name}")
    assert (response.status, response.header("content-type")) == (200, kind)
    assert response.header("content-disposition") is None
    assert response.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        *["page.html", "page.HTM", "script.js", "feed.xml", "page.xhtml", "shell.php"],
        *["no-extension", "page.html.unknown", "sub/index.html", "sub/"],
    ],
)
def test_upload_that_could_run_is_saved_instead(gazette: Site, name: str) -> None:
    """It would run on the admin's own origin."""
    response = gazette.ask(f"/media/{name}")
    assert (response.status, response.header("content-type")) == (200, "application/octet-stream")
    assert response.header("x-content-type-options") == "nosniff"


def test_uploaded_drawing_may_not_run_a_script(gazette: Site) -> None:
    policy = gazette.ask("/media/drawing.svg").header("content-security-policy")
    assert policy is not None
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    # A policy on a PDF would only break the browsers' viewers.
    assert gazette.ask("/media/report.pdf").header("content-security-policy") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("target", ["/media/new.txt", "/static/app.css"])
def test_nothing_is_written_through_nginx(gazette: Site, method: str, target: str) -> None:
    assert gazette.ask(target, method=method, body=b"x").status in (404, 405)
    assert gazette.ask("/static/app.css").body == b"body {}"


@pytest.mark.parametrize("target", ["/static/", "/static/sub/", "/media/"])
def test_directories_are_not_listed(gazette: Site, target: str) -> None:
    assert gazette.ask(target).status in (403, 404)


@pytest.mark.parametrize("url", ["https://cdn.example.org/s/", "//cdn.example.org/s/", "", "/"])
def test_files_on_another_host_get_no_location(url: str) -> None:
    with site(static_url=url, media_url=url) as built:
        built.write()
        written = (built.config.parent / "sites/gazette/site.conf").read_text()
        assert "alias" not in written
        assert built.test().returncode == 0


def test_urls_without_their_slashes_are_served_with_them() -> None:
    with site(static_url="assets", media_url="/files") as built:
        built.put("static/app.css", "body {}")
        built.put("data/app.css", SECRET)
        built.start()
        assert built.ask("/assets/app.css").body == b"body {}"
        assert built.ask("/assets../data/app.css").instance == "main"
