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
        "engine": "django_split.sessions.redis",
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
    assert done.stderr.startswith("StoreUnavailableError: ")


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
    key = sign_in(site)
    kept = json.loads(raw(store, f"client.get('trial:session:{key}')"))
    assert kept["_auth_user_id"] == "1"


def test_stock_engine_keeps_it_as_json_where_our_own_finds_it(
    make_site: Callable[..., Site], store: Path
) -> None:
    """FACTS A16: Django's RedisCache pickles. The Sessions page reads what either has written."""
    url = f"unix://{store}?db=0"
    site = prepared(make_site("paper"), engine="cache", url=url, key_prefix="stock")
    key = sign_in(site)
    assert locate(site, key) == {
        "engine": "django.contrib.sessions.backends.cache",
        "store": True,
        "database": False,
        "user": "1",
    }
    kept = raw(store, f"client.get('stock:1:django.contrib.sessions.cache{key}')")
    found = f"from django_split.sessions.store import Store; answer = Store.current().get({key!r})"
    assert site.ask("admin", f"{found}.decode()") == kept
    assert json.loads(kept)["_auth_user_id"] == "1"


def test_pickle_in_the_store_is_not_run(site: Site, store: Path, tmp_path: Path) -> None:
    """FACTS E: with pickle this ran before any login."""
    ran = tmp_path / "ran"
    payload = f"cos\nsystem\n(S'touch {ran}'\ntR."
    raw(store, f"client.set('trial:session:{'e' * 32}', {payload!r})")
    page = site.get("admin", "/admin/", cookie=f"trial_admin_sessionid={'e' * 32}")
    assert page.status == 302
    assert not ran.exists()


def test_both_names_of_a_session_cookie_pass_each_other_by(site: Site) -> None:
    """The public page of main neither reads nor deletes the admin's cookie."""
    key = sign_in(site)
    page = site.get("main", "/", cookie=f"trial_admin_sessionid={key}")
    assert (page.body, page.cookies) == ("Hello, reader", [])
    assert locate(site, key)["store"] is True


@pytest.mark.parametrize("engine", ["redis_db", "cached_db"])
def test_session_that_is_in_both_outlives_the_store(
    make_site: Callable[..., Site], store: Path, engine: str
) -> None:
    site = prepared(
        make_site("paper"), engine=engine, url=f"unix://{store}?db=0", key_prefix=engine
    )
    key = sign_in(site)
    both = locate(site, key)
    assert (both["store"], both["database"], both["user"]) == (True, True, "1")
    raw(store, f"client.delete(*client.keys('{engine}:*'))")
    found = locate(site, key)
    assert (found["store"], found["database"], found["user"]) == (False, True, "1")
    page = site.get("admin", "/admin/", cookie=f"trial_admin_sessionid={key}")
    assert page.status == 200


@pytest.mark.parametrize("store_name", ["redis", "memcached"])
def test_middleware_is_the_guard_first_and_the_limits_behind_the_sites_own_sessions(
    make_site: Callable[..., Site], store_name: str
) -> None:
    """The session middleware may be a class of the site's own."""
    site = make_site("paper")
    (site.source / "paper" / "own.py").write_text(
        "from django.contrib.sessions.middleware import SessionMiddleware\n"
        "class Sessions(SessionMiddleware): pass\n"
    )
    settings = site.source / "paper" / "settings.py"
    stock = "django.contrib.sessions.middleware.SessionMiddleware"
    settings.write_text(settings.read_text().replace(stock, "paper.own.Sessions"))
    plan = site.plan(session={"store": store_name})
    written = site.ask("admin", "from django.conf import settings; answer = settings.MIDDLEWARE")
    assert written[:5] == [
        "django_split.sessions.guard.StoreGuardMiddleware",
        "django_split.sessions.takeover.TakeoverMiddleware",
        "django.middleware.security.SecurityMiddleware",
        "paper.own.Sessions",
        "django_split.sessions.limits.SessionLimitsMiddleware",
    ]
    ours = [entry for entry in written if entry.startswith("django_split.")]
    assert set(ours) <= set(plan.admin.why)
    main = site.ask("main", "from django.conf import settings; answer = settings.MIDDLEWARE")
    assert not [entry for entry in main if entry.startswith("django_split.sessions.")]


def test_plan_says_where_sessions_are_and_how_long_they_last(
    make_site: Callable[..., Site],
) -> None:
    site = make_site("paper")
    said = site.plan(["--session-preset", "hardened"], session_record_client=True)
    assert said.admin.settings["DJANGO_SPLIT_SESSIONS"] == {
        "url": f"unix://{site.place}/store.sock?db=0",
        "prefix": "trial:session:",
        "idle": 1800,
        "absolute": 43200,
        "record_client": True,
    }
    page = {"url": "unix:///a?db=0", "page": "unix:///a?db=0"}
    own = site.plan(["--session-idle-timeout", "60"], session=page).admin
    assert own.settings["DJANGO_SPLIT_SESSIONS"]["page"] == "unix:///a?db=0"
    assert own.settings["DJANGO_SPLIT_SESSIONS"]["idle"] == 60
    assert own.settings["SESSION_COOKIE_SAMESITE"] == "Lax"


def test_nothing_of_a_store_is_on_a_laptop_that_has_none(make_site: Callable[..., Site]) -> None:
    laptop = make_site("paper").plan(hosts=[], session={}).admin
    assert (laptop.first_middleware, laptop.after_middleware) == ([], {})
    assert "DJANGO_SPLIT_SESSIONS" not in laptop.settings
    assert laptop.session.store == "local"


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
    for engine in ("redis_db", "cached_db"):
        plan = site.plan(session={"engine": engine})
        assert plan.admin.add_apps[1:] == ["django.contrib.sessions"]


def test_sites_own_caches_stay(site: Site) -> None:
    names = "from django.conf import settings; answer = sorted(settings.CACHES)"
    assert site.ask("admin", names) == ["default", "pages"]
    assert site.ask("main", names) == ["default", "pages"]
