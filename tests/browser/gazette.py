"""What an editor and a reader of the bundled site do, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def read_and_write_a_letter(tab: Page, address: str) -> None:
    """Read an article and send a letter: no session, and yet a token and a "thank you"."""
    tab.goto(f"{address}/")
    assert tab.context.cookies() == []
    tab.locator("article a").first.click()
    expect(tab.locator("h1").last).to_be_visible()
    assert tab.context.cookies() == []

    tab.goto(f"{address}/contact/")
    tab.fill("[name=name]", "Ada Reader")
    tab.fill("[name=email]", "ada@example.org")
    tab.fill("[name=subject]", "Tides")
    tab.fill("[name=text]", "The tide table of last week was right.")
    tab.click("form.letter button")
    expect(tab.get_by_text("Thank you, Ada Reader")).to_be_visible()
    names = {cookie["name"] for cookie in tab.context.cookies()}
    assert names <= {"csrftoken"}, "the message is shown, and its cookie is gone"


def write_an_article(tab: Page, address: str, password: str) -> None:
    """Sign in to the admin, change an article, see it on the public site, sign out."""
    tab.goto(f"{address}/admin/")
    tab.fill("[name=username]", "admin")
    tab.fill("[name=password]", password)
    tab.click("[type=submit]")
    expect(tab.locator("#user-tools")).to_be_visible()

    tab.goto(f"{address}/admin/news/article/?status__exact=published")
    tab.locator("#result_list tbody th a").first.click()
    number = tab.url.partition("/change/")[0].rpartition("/")[2]
    title = f"Written by Chromium, number {number}"
    tab.fill("[name=headline]", title)
    tab.click("[name=_continue]")
    expect(tab.locator(".success")).to_be_visible()

    # "View on site" leads from the admin instance to main, where nobody is signed in.
    tab.goto(_href(tab, "a.viewsitelink", address))
    expect(tab.locator("h1").last).to_have_text(title)
    expect(tab.get_by_text("Signed in as")).to_have_count(0)
    session = [c for c in tab.context.cookies() if c["name"] == "gazette_admin_sessionid"]
    assert len(session) == 1
    assert session[0]["path"] == "/admin/"
    assert session[0]["httpOnly"]

    tab.goto(f"{address}/admin/")
    expect(tab.locator("#user-tools")).to_be_visible()
    tab.click("#logout-form button")
    tab.goto(f"{address}/admin/")
    expect(tab.locator("[name=password]")).to_be_visible()


def _href(tab: Page, selector: str, address: str) -> str:
    href = tab.locator(selector).first.get_attribute("href")
    assert href
    return href if "://" in href else f"{address}{href}"
