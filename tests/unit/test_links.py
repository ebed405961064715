"""From the admin to the public pages: "View site", "View on site", get_absolute_url.

The proxy sends on to the public name whatever a link on the admin's own host leads to that is not
the admin's, so a link needs no host name.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.trial import Site

ADMIN = "office.other.example"


@pytest.fixture(scope="module")
def apart(make_site: Callable[..., Site]) -> Site:
    """With a host of the admin's own, and a base that speaks of its public name."""
    site = make_site("desk", "\nPREPEND_WWW = True\nCSRF_COOKIE_DOMAIN = '.trial.example'\n")
    site.plan(admin_host=ADMIN, main_anonymous_views=["*"])
    site.manage("admin", "migrate", "-v0")
    return site


def links(site: Site, host: str) -> dict[str, str]:
    """Where an editor's links lead who signs in by the form, with its token, under a host name."""
    found: dict[str, str] = site.ask(
        "admin",
        f"""
        import re
        from django.conf import settings
        from django.contrib.auth.models import User
        from django.test import Client, override_settings
        from desk.models import Note
        chief = User.objects.filter(username="linker").first()
        chief = chief or User.objects.create_superuser("linker", password="a-long-password")
        note, _ = Note.objects.get_or_create(author=chief, title="a note")
        client = Client(HTTP_HOST={host!r}, enforce_csrf_checks=True)
        # The plan's store is not there: nothing here is about where sessions are.
        with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
            form = client.get("/office/login/")
            token = re.search('csrfmiddlewaretoken" value="([^"]+)', form.content.decode())[1]
            fields = {{"username": "linker", "password": "a-long-password"}}
            posted = client.post("/office/login/", {{**fields, "csrfmiddlewaretoken": token}})
            assert posted.status_code == 302, posted.content.decode()
            page = client.get(f"/office/desk/note/{{note.pk}}/change/").content.decode()
            view = re.search('<a href="([^"]+)" class="viewsitelink"', page)[1]
            answer = {{
                "csrf": form.cookies["csrftoken"]["domain"],
                "site": re.search('<a href="([^"]+)">View site', page)[1],
                "object": view,
                "shortcut": client.get(view).headers["Location"],
            }}
        """,
    )
    assert found["object"].startswith("/office/r/")
    return found


def test_links_on_one_host_stay_there(desk: Site) -> None:
    found = links(desk, "trial.example")
    assert (found["site"], found["shortcut"]) == ("/", "http://trial.example/notes/1/")


def test_links_on_the_admins_host_are_left_to_its_proxy(apart: Site) -> None:
    """It redirects /notes/1/ to the public name, with the admin's own in the link or without."""
    found = links(apart, ADMIN)
    assert (found["site"], found["shortcut"]) == ("/", f"http://{ADMIN}/notes/1/")


def test_port_stays_in_a_link(apart: Site) -> None:
    assert links(apart, f"{ADMIN}:8080")["shortcut"] == f"http://{ADMIN}:8080/notes/1/"


def test_what_the_base_says_of_its_public_name_keeps_nobody_from_the_admin(apart: Site) -> None:
    """PREPEND_WWW would send the browser to www.office…, and no browser would take the cookie."""
    assert links(apart, ADMIN)["csrf"] == ""
    assert apart.ask("main", "from django.conf import settings; answer = settings.PREPEND_WWW")


@pytest.mark.slow
def test_cookie_domain_that_covers_the_admins_host_stays(make_site: Callable[..., Site]) -> None:
    site = make_site("desk", "\nCSRF_COOKIE_DOMAIN = '.trial.example'\n")
    plan = site.plan(admin_host="office.trial.example", main_anonymous_views=["*"])
    assert "CSRF_COOKIE_DOMAIN" not in plan.admin.unset
    assert "PREPEND_WWW" not in plan.admin.settings
