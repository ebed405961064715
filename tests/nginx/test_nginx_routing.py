"""Which program answers: the table as it was written, then targets that nobody would write."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nginx.conftest import SECRET
from nginx.stage import Site

ADMIN_TREES = ("/admin/", "/django-admin/", "/accounts/login/")
ADMIN_PAGES = ("/one-page",)


@pytest.mark.parametrize(
    ("target", "instance"),
    [
        ("/", "main"),
        ("/articles/2026/", "main"),
        ("/articles/?next=/admin/", "main"),
        ("/admin/", "admin"),
        ("/admin/login/?next=/admin/", "admin"),
        ("/admin/news/article/1/change/", "admin"),
        ("/admin/?q=/static/", "admin"),
        ("/django-admin/", "admin"),
        ("/django-admin/auth/user/", "admin"),
        ("/accounts/login/", "admin"),
        ("/accounts/", "main"),
        ("/accounts/logout/", "main"),
        ("/one-page", "admin"),
        ("/one-page?x=1", "admin"),
        # Neighbours of the prefixes
        ("/one-page/", "main"),
        ("/one-page-more", "main"),
        ("/administration/", "main"),
        ("/admin-of-something-else/", "main"),
        ("/admin.html", "main"),
        ("/admin;/", "main"),
        ("/Admin/", "main"),
        ("/ADMIN/", "main"),
        ("/en/admin/", "main"),
        ("/staticadmin/", "main"),
        ("/static", "main"),
        ("/media", "main"),
        ("/static../app.css", "main"),
        # Where a path ends up when its dots are followed
        ("/admin/../", "main"),
        ("/admin/../articles/", "main"),
        ("/admin/%2e%2e/articles/", "main"),
        ("/admin/..%2farticles/", "main"),
        ("/admin/x/../y/", "admin"),
        # Files are nginx's own business
        ("/static/app.css", "nginx"),
        ("/static/missing.css", "nginx"),
        ("/media/photo.jpg", "nginx"),
    ],
)
def test_table(gazette: Site, target: str, instance: str) -> None:
    assert gazette.ask(target).instance == instance


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_method_does_not_change_who_answers(gazette: Site, method: str) -> None:
    if method == "HEAD":
        gazette.ask("/admin/?head-only", method=method)
        assert gazette.logged("head-only")["instance"] == "admin"
        return
    assert gazette.ask("/admin/", method=method).instance == "admin"
    assert gazette.ask("/", method=method).instance == "main"


@pytest.mark.parametrize("prefix", ADMIN_TREES)
def test_prefix_without_its_slash_is_sent_to_the_prefix(gazette: Site, prefix: str) -> None:
    response = gazette.ask(f"{prefix[:-1]}?a=1&b=2")
    assert response.status == 301
    # Relative: right behind any port mapping or TLS in front.
    assert response.header("location") == f"{prefix}?a=1&b=2"


@pytest.mark.parametrize(
    "target",
    [
        "/news/../admin/",
        "//admin/",
        "/./admin/",
        "/%2e/admin/",
        "/x/%2e%2e/admin/login/",
        "/static/../admin/",
        "/%61dmin/",
        "/admin%2flogin/",
        "/one%2dpage",
    ],
)
def test_admin_under_another_spelling_is_nobodys(gazette: Site, target: str) -> None:
    """nginx judges the path with dots followed and codes decoded; Django gets it as it was sent.

    So the admin's catch-all patterns would be asked for a path outside the prefix.
    """
    response = gazette.ask(target)
    assert (response.status, response.instance) == (404, "nginx")


@pytest.mark.parametrize(
    "target", ["/admin/x%2fy/?q=%20", "/a%20b/%E4%BD%A0/?x=%2F&y", "/x//y/", "/a/./b", "/~ted;v=1/"]
)
def test_target_arrives_as_it_was_sent(gazette: Site, target: str) -> None:
    assert gazette.ask(target).said["target"] == target


def test_public_page_cannot_send_a_visitor_into_the_admin(gazette: Site) -> None:
    response = gazette.ask("/?accel=/admin/")
    assert response.instance == "main"
    assert response.said["path"] == "/"


# --- Generated ------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *["/", "//", "/", "/./", "/../", "..", ".", "\\", ";", ":", "@", "+", "~", "*", "|", "^"],
        *["admin", "admin/", "/admin/", "Admin", "django-admin/", "accounts/login/", "one-page"],
        *["login/", "news", "x", "static", "static/", "media/", "app.css", "data/db.sqlite3"],
        *["%2f", "%2F", "%5c", "%2e", "%2e%2e", "%252e", "%252f", "%61", "%41", "%3f", "%23"],
        *["%00", "%0a", "%0d%0a", "%09", "%20", "%ff", "%c0%af", "%e4%bd%a0", "%", "%u002f", "%zz"],
        *["?", "&", "=", "#", "admin%2f", "a%64min/", "http:", "//localhost", "\u00e9", "'", '"'],
    ]
)
TARGETS = st.builds(
    lambda start, pieces: (start + "".join(pieces)).encode(),
    st.sampled_from(
        ["/", "/", "/", "//", "/admin", "/admin/", "/static/", "/media/", "http://localhost/"]
    ),
    st.lists(PIECES, max_size=7),
)


def starts_with_admin(target: bytes) -> bool:
    """What the promise says, read off the bytes as sent: no decoding, no dots, no merging."""
    path = target.decode("latin-1")
    if not path.startswith("/"):
        path = path[len("http://localhost") :]
    path = path.split("?")[0].split("#")[0]
    return path.startswith(ADMIN_TREES) or path in ADMIN_PAGES


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(target=TARGETS)
@example(target=b"/static/..%2fdata/db.sqlite3")
@example(target=b"/static/../data/db.sqlite3")
@example(target=b"/static../data/db.sqlite3")
@example(target=b"/static..%2fdata/db.sqlite3")
@example(target=b"/static-old/app.css")
@example(target=b"/media/%2e%2e/data/db.sqlite3")
@example(target=b"/media/..\\data\\db.sqlite3")
@example(target=b"/media//../../data/db.sqlite3")
@example(target=b"http://localhost/x/../admin/")
@example(target=b"http://localhost/admin/")
@example(target=b"/admin/%2e%2e%2f")
@example(target=b"/admin%00/")
@example(target=b"/%2561dmin/")
def test_no_target_reaches_the_admin_outside_its_location(gazette: Site, target: bytes) -> None:
    response = gazette.ask(target)
    assert SECRET.encode() not in response.body
    if response.instance == "admin":
        assert starts_with_admin(target)
        # What the admin was asked is what was sent: no rewriting between judge and judged.
        sent = urlsplit(target.decode("latin-1")).path if target.startswith(b"http") else None
        assert sent is None or response.said["target"].startswith(sent)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rest=st.text(alphabet="abcz019-_~/", max_size=30), prefix=st.sampled_from(ADMIN_TREES))
def test_every_ordinary_target_below_a_prefix_reaches_the_admin(
    gazette: Site, prefix: str, rest: str
) -> None:
    assert gazette.ask(prefix + rest).instance == "admin"
