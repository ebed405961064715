"""The admin instance: the whole base, with its sessions in the store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.stores import memcached_store, redis_store
from tests.support.trial import Site

PASSWORD = "a-long-password"

SIGN_IN = f"""
from django.test import Client
client = Client(HTTP_HOST="trial.example")
reply = client.post("/admin/login/?next=/admin/", {{"username": "chief", "password": {PASSWORD!r}}})
assert reply.status_code == 302, reply.content.decode()
cookie = client.cookies["trial_admin_sessionid"]
"""

Superuser = dict[str, str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with redis_store(tmp_path_factory.mktemp("store") / "store.sock") as path:
        yield path


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Site], store: Path) -> Site:
    return prepared(make_site("paper"), url=f"unix://{store}?db=0", key_prefix="trial")


def prepared(site: Site, **session: str) -> Site:
    site.plan(session=session)
    site.manage("admin", "migrate", "-v0")
    created = f"""
        from django_split.superuser import ensure
        answer = ensure({{"username": "chief", "email": "", "password": {PASSWORD!r}}})
        """
    assert site.ask("admin", created) == {"created": True, "username": "chief"}
    return site


def superuser(site: Site, action: str, **changes: str) -> dict[str, object]:
    wanted = {"username": "chief", "email": "chief@trial.example", "password": PASSWORD, **changes}
    done = site.run(
        ["-m", "django_split.superuser", action], settings="split_admin", stdin=json.dumps(wanted)
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def locate(site: Site, key: str) -> dict[str, object]:
    answer: dict[str, object] = site.ask(
        "admin", f"from django_split.sessions.locate import locate; answer = locate({key!r})"
    )
    return answer


def sign_in(site: Site) -> str:
    return str(site.ask("admin", f"{SIGN_IN}\nanswer = cookie.value"))


def raw(store: Path, code: str) -> str:
    """Run a line on a redis-py client, as somebody who can open the socket would."""
    import redis

    with redis.Redis(unix_socket_path=str(store), decode_responses=True) as client:
        return str(eval(code, {"client": client}))  # noqa: S307 - the tests' own code


def test_login_makes_a_session_in_the_store_and_none_in_the_database(site: Site) -> None:
    key = sign_in(site)
    assert locate(site, key) == {
        "engine": "django.contrib.sessions.backends.cache",
        "store": True,
        "database": False,
        "user": "1",
    }


def test_locate_takes_the_key_on_standard_input(site: Site) -> None:
    key = sign_in(site)
    command = ["-m", "django_split.sessions.locate"]
    done = site.run(command, settings="split_admin", stdin=f"{key}\n")
    assert json.loads(done.stdout) == locate(site, key)


def test_store_that_is_down_is_one_line(make_site: Callable[..., Site]) -> None:
    site = make_site("paper")
    site.plan()
    done = site.run(["-m", "django_split.sessions.locate"], "split_admin", stdin="x", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ConnectionError: ")


def test_unknown_session_is_nowhere(site: Site) -> None:
    found = locate(site, "0" * 32)
    assert (found["store"], found["database"], found["user"]) == (False, False, None)


def test_session_cookie_is_the_admins_own(site: Site) -> None:
    written = site.ask("admin", f"{SIGN_IN}\nanswer = cookie.OutputString()")
    assert written.startswith("trial_admin_sessionid=")
    assert {part.strip() for part in written.split(";")[1:]} >= {
        "HttpOnly",
        "Path=/admin/",
        "SameSite=Lax",
    }
    assert "Secure" not in written
    assert "Domain" not in written


def test_signed_in_user_sees_the_admin(site: Site) -> None:
    page = site.ask("admin", f'{SIGN_IN}\nanswer = client.get("/admin/").content.decode()')
    assert "The Paper" in page


def test_session_is_kept_as_json(site: Site, store: Path) -> None:
    """FACTS A16: Django's RedisCache pickles."""
    key = sign_in(site)
    kept = json.loads(raw(store, f"client.get('trial:1:django.contrib.sessions.cache{key}')"))
    assert kept["_auth_user_id"] == "1"


def test_pickle_in_the_store_is_not_run(site: Site, store: Path, tmp_path: Path) -> None:
    """FACTS E: with pickle this ran before any login."""
    ran = tmp_path / "ran"
    payload = f"cos\nsystem\n(S'touch {ran}'\ntR."
    raw(store, f"client.set('trial:1:django.contrib.sessions.cache{'e' * 32}', {payload!r})")
    page = site.get("admin", "/admin/", cookie=f"trial_admin_sessionid={'e' * 32}")
    assert page.status == 302
    assert not ran.exists()


def test_both_names_of_a_session_cookie_pass_each_other_by(site: Site) -> None:
    """The public page of main neither reads nor deletes the admin's cookie."""
    key = sign_in(site)
    page = site.get("main", "/", cookie=f"trial_admin_sessionid={key}")
    assert (page.body, page.cookies) == ("Hello, reader", [])
    assert locate(site, key)["store"] is True


def test_cached_db_keeps_the_session_in_both(make_site: Callable[..., Site], store: Path) -> None:
    site = prepared(
        make_site("paper"), engine="cached_db", url=f"unix://{store}?db=0", key_prefix="both"
    )
    key = sign_in(site)
    raw(store, "client.delete(*client.keys('both:*'))")
    found = locate(site, key)
    assert (found["store"], found["database"], found["user"]) == (False, True, "1")


def test_memcached_keeps_the_session_as_json(
    make_site: Callable[..., Site], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with memcached_store(tmp_path_factory.mktemp("store") / "store.sock") as path:
        site = prepared(make_site("paper"), store="memcached", url=f"unix:{path}")
        key = sign_in(site)
        assert locate(site, key)["store"] is True
        from pymemcache import Client

        with contextlib.closing(Client(f"unix:{path}")) as client:
            kept = client.get(f"trial:1:django.contrib.sessions.cache{key}")
        assert json.loads(kept)["_auth_user_id"] == "1"


def test_superuser_is_left_alone_once_it_is_there(site: Site) -> None:
    assert superuser(site, "ensure", password="another-password") == {
        "created": False,
        "username": "chief",
    }
    assert superuser(site, "check") == {"valid": True}
    assert superuser(site, "check", password="another-password") == {"valid": False}
    assert superuser(site, "check", username="nobody") == {"valid": False}


def test_superuser_without_a_password_is_one_line(site: Site) -> None:
    done = site.run(
        ["-m", "django_split.superuser", "ensure"],
        "split_admin",
        stdin='{"username": "x"}',
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ValueError: expected {")
    assert done.stderr.count("\n") == 1


def test_base_without_the_sessions_app_needs_none_for_cache(make_site: Callable[..., Site]) -> None:
    """FACTS A16."""
    without = (
        "\nINSTALLED_APPS = tuple(a for a in INSTALLED_APPS if a != 'django.contrib.sessions')\n"
    )
    site = make_site("paper", without)
    site.plan()
    installed = (
        "from django.apps import apps; answer = apps.is_installed('django.contrib.sessions')"
    )
    assert site.ask("admin", installed) is False
    assert site.get("admin", "/admin/login/").status == 200
    plan = site.plan(session={"engine": "cached_db"})
    assert plan.admin.add_apps[1:] == ["django.contrib.sessions"]


def test_sites_own_caches_stay(site: Site) -> None:
    names = "from django.conf import settings; answer = sorted(settings.CACHES)"
    assert site.ask("admin", names) == ["default", "django_split_sessions", "pages"]
    assert site.ask("main", names) == ["default", "pages"]
