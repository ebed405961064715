"""Each condition, both ways, and the order of what to change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_split.audit import facts
from django_split.audit.advice import changes
from django_split.audit.conditions import CONDITIONS, holding
from django_split.audit.facts import (
    Cache,
    Cleaning,
    Connection,
    Page,
    Pages,
    Setting,
    Site,
    Store,
    Table,
    Visit,
)


def site() -> Site:
    """A site of which there is nothing to say."""
    values = {
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_SAVE_EVERY_REQUEST": False,
        "SESSION_ENGINE": "",
        "SESSION_SERIALIZER": "",
        "CSRF_USE_SESSIONS": False,
        "MESSAGE_STORAGE": "",
        "CACHES": None,
        "DATABASES": None,
    }
    return Site(
        "shop.base",
        store=Store(facts.CACHE, "", cache=Cache("sessions", "", alone=True)),
        values={name: Setting(value) for name, value in values.items()},
        connection=Connection("default", "postgresql", 60),
        table=Table("django_session", "default", "postgresql", exists=True),
        cleaning=Cleaning(found=[["crontab:1", "clearsessions"]]),
        pages=Pages([Page("/", visits={"without_cookie": Visit(200)})]),
    )


def set_to(name: str, value: object) -> Callable[[Site], None]:
    def change(site: Site) -> None:
        site.values[name].value = value

    return change


def in_the_database(site: Site) -> None:
    site.store = Store(facts.DATABASE, "")


def without_cleaning(site: Site) -> None:
    site.store, site.cleaning = Store(facts.CACHED_DATABASE, ""), Cleaning()


def with_new_connections(site: Site) -> None:
    in_the_database(site)
    site.connection = Connection("default", "postgresql", 0)


def with_a_cache(**changes: object) -> Callable[[Site], None]:
    def change(site: Site) -> None:
        assert site.store is not None
        for name, value in changes.items():
            setattr(site.store.cache, name, value)

    return change


def saving_every_request(site: Site) -> None:
    in_the_database(site)
    site.values["SESSION_SAVE_EVERY_REQUEST"].value = True


def with_old_rows(site: Site) -> None:
    assert site.table is not None
    site.table.oldest_expiry, site.table.oldest_expired_days = "2024-01-01T00:00:00", 8.0


def giving_sessions(site: Site) -> None:
    assert site.pages is not None
    site.pages.asked[0].visits["without_cookie"].cookie = True


def unpickling(site: Site) -> None:
    site.unpickles = True


HOLDS: list[tuple[str, Callable[[Site], None]]] = [
    ("unshared-sessions", with_a_cache(reach=facts.PROCESS)),
    ("unshared-sessions", with_a_cache(reach=facts.NOBODY)),
    ("pickle", with_a_cache(pickles="pickles")),
    ("pickle", unpickling),
    ("database-sessions", in_the_database),
    ("database-sessions", with_a_cache(reach=facts.TABLE)),
    ("insecure-cookie", set_to("SESSION_COOKIE_SECURE", False)),
    ("insecure-cookie", set_to("SESSION_COOKIE_HTTPONLY", False)),
    ("insecure-cookie", set_to("SESSION_COOKIE_SAMESITE", "None")),
    ("insecure-cookie", set_to("SESSION_COOKIE_SAMESITE", False)),
    ("expired-rows", with_old_rows),
    ("no-cleanup", without_cleaning),
    ("connection-per-request", with_new_connections),
    ("save-every-request", saving_every_request),
    ("anonymous-sessions", giving_sessions),
    ("shared-cache", with_a_cache(alone=False)),
]


def test_none_holds_of_a_good_site() -> None:
    assert holding(site()) == dict.fromkeys(CONDITIONS, False)


def test_each_condition_is_tried() -> None:
    assert {name for name, _ in HOLDS} == set(CONDITIONS)


@pytest.mark.parametrize(("name", "change"), HOLDS)
def test_condition_holds(name: str, change: Callable[[Site], None]) -> None:
    found = site()
    change(found)
    held = [condition for condition, holds in holding(found).items() if holds]
    assert name in held
    assert [made.condition for made in changes(found) if made.condition] == held


def test_pool_is_no_new_connection() -> None:
    found = site()
    with_new_connections(found)
    found.connection = Connection("default", "postgresql", 0, pool=True)
    assert holding(found)["connection-per-request"] is False


def test_nothing_is_known_of_a_broken_site() -> None:
    broken = Site("shop.base", broken="does not start")
    assert holding(broken) == dict.fromkeys(CONDITIONS)
    assert changes(broken) == []


def test_changes_come_in_the_order_of_their_worth() -> None:
    found = site()
    for change in (giving_sessions, with_old_rows, saving_every_request, unpickling):
        change(found)
    found.cleaning = Cleaning()
    order = list(CONDITIONS)
    made = [change.condition for change in changes(found) if change.condition]
    assert len(made) > 4
    assert made == sorted(made, key=order.index)


def test_main_has_nothing_to_change() -> None:
    """It keeps no sessions: whatever its cookie is set to, it sends none."""
    found = site()
    found.store = Store(facts.NOWHERE, "")
    found.values["SESSION_COOKIE_SECURE"].value = False
    assert holding(found)["insecure-cookie"] is False
    assert changes(found) == []
