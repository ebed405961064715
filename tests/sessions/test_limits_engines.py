"""The limits hold whatever engine keeps the sessions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sessions.offices import Office, office
from tests.sessions.test_page_engines import ENGINES, UNLISTABLE, module
from tests.support.stores import memcached_store, redis_store

pytestmark = pytest.mark.slow

# As an engine of the site's own would be: "the base's", where no store is asked for.
ALL = {**ENGINES, **UNLISTABLE}
IDLE = "\nDJANGO_SPLIT_SESSIONS = DJANGO_SPLIT_SESSIONS | {'idle': 1800}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    place = tmp_path_factory.mktemp("limits")
    with (
        redis_store(place / "store.sock"),
        memcached_store(place / "memcached.sock"),
        office(place) as made,
    ):
        for name, added in ALL.items():
            made.also(module(name), added + IDLE)
        yield made


@pytest.mark.parametrize("engine", ALL)
def test_a_session_is_seen_and_ends(site: Office, engine: str) -> None:
    code = """
        from importlib import import_module
        SessionStore = import_module(settings.SESSION_ENGINE).SessionStore
        def kept(client):
            return SessionStore(key_of(client))
        def last_seen(client, before):
            session = kept(client)
            record = session["_split"]
            session["_split"] = {**record, "seen": int(time.time()) - before}
            session.save()
            client.cookies["office"] = session.session_key
        client = signed_in()
        last_seen(client, 1700)
        used = client.get("/who/").content.decode()
        seen = time.time() - kept(client)["_split"]["seen"]
        last_seen(client, 1900)
        key = key_of(client)
        left = client.get("/who/").content.decode()
        answer = used, seen < 10, left, SessionStore().exists(key), key_of(client)
        """
    assert site.does(code, module(engine)) == ["chief", True, "nobody", False, ""]
