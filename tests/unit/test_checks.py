"""System checks: every id fires when an instance is not what its plan says, and only then."""

from __future__ import annotations

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.support.variants import variant

SESSIONS = "django.contrib.sessions"
PUBLIC = "django_split_sessions"
# Right where the plan says so, and only there.
MODELS_ONLY = "django_split.runtime.main.models_only.AdminModelsConfig"

BACKENDS = "django.core.cache.backends"
LOCATION = "unix:///nowhere?db=0"
OURS = {
    "BACKEND": "django_split.sessions.caches.JSONRedisCache",
    "LOCATION": LOCATION,
    "KEY_PREFIX": "trial",
}
PICKLING = {**OURS, "BACKEND": f"{BACKENDS}.redis.RedisCache"}
REDIS = {
    **PICKLING,
    "OPTIONS": {"serializer": "django_split.sessions.serializers.JSONSerializer"},
}
MEMCACHED = {**OURS, "BACKEND": f"{BACKENDS}.memcached.PyMemcacheCache"}
OUR_MEMCACHED = {**OURS, "BACKEND": "django_split.sessions.caches.JSONMemcacheCache"}
GUARD = "django_split.sessions.guard.StoreGuardMiddleware"


def found(site: Site, instance: str, settings: str = "", plan: str = "") -> list[str]:
    """The ids, under settings changed after load(), or a plan changed under the settings."""
    code = f"""
        import copy
        from django.conf import settings
        from django.test import override_settings
        from django_split import checks, runtime
        S = settings
        plan = copy.deepcopy(runtime.plan())
        kept, runtime.plan = runtime.plan, lambda: plan
        {plan or "pass"}
        try:
            with override_settings({settings}):
                messages = checks.check_instance(None)
                answer = sorted({{message.id for message in messages}})
                assert all(message.hint for message in messages)
        finally:
            runtime.plan = kept
        """
    ids: list[str] = site.ask(instance, code)
    return ids


@pytest.fixture(scope="module")
def public(desk: Site) -> str:
    """Main with sessions of its own: another module, as the plan would have it."""
    return variant(desk, "public", change=with_public_sessions)


@pytest.fixture(scope="module")
def stock(desk: Site) -> str:
    """The admin on one of Django's own engines."""
    return variant(desk, "stock", "admin", with_a_cache)


def with_a_cache(plan: Plan) -> None:
    admin = plan.admin
    admin.settings["SESSION_ENGINE"] = f"{SESSIONS}.backends.cache"
    admin.settings["SESSION_CACHE_ALIAS"] = PUBLIC
    admin.caches = {PUBLIC: OURS}


def with_public_sessions(plan: Plan) -> None:
    main = plan.main
    main.first_middleware = [GUARD]
    main.public_sessions = "cache"
    main.drop_apps = ["desk.configs.DeskAdmin"]
    main.replace_middleware = {}
    main.settings["SESSION_ENGINE"] = f"{SESSIONS}.backends.cache"
    main.settings["SESSION_CACHE_ALIAS"] = PUBLIC
    main.settings["SESSION_SERIALIZER"] = f"{SESSIONS}.serializers.JSONSerializer"
    main.caches = {PUBLIC: {**OURS, "LOCATION": "unix:///public?db=0"}}


@pytest.mark.parametrize("instance", ["main", "admin", "public", "stock"])
def test_nothing_is_found_where_all_is_well(
    desk: Site, public: str, stock: str, instance: str
) -> None:
    assert found(desk, instance) == []
    assert "no issues" in desk.manage(instance, "check", "--fail-level", "WARNING")


def test_admins_in_several_languages_are_found_where_the_plan_has_them(tongues: Site) -> None:
    assert found(tongues, "main") == found(tongues, "admin") == []
    plan = "plan.main.urls.mounts[1].prefixes = ['/fr/backstage/']"
    messages = found(tongues, "admin", plan=plan)
    assert messages == ["split.W004"]


@pytest.mark.parametrize(
    ("id_", "settings"),
    [
        ("E001", "INSTALLED_APPS=[*S.INSTALLED_APPS, 'django.contrib.admin']"),
        ("E001", "INSTALLED_APPS=[*S.INSTALLED_APPS, 'desk.configs.DeskAdmin']"),
        ("E001", "INSTALLED_APPS=[*S.INSTALLED_APPS, 'django.contrib.sessions']"),
        ("E001", f"INSTALLED_APPS=[*S.INSTALLED_APPS, '{MODELS_ONLY}']"),
        ("E002", "SESSION_ENGINE='django.contrib.sessions.backends.db'"),
        ("E003", f"MIDDLEWARE=['{SESSIONS}.middleware.SessionMiddleware', *S.MIDDLEWARE]"),
        ("E004", "ROOT_URLCONF='desk.urls'"),
        ("E005", "MIDDLEWARE=S.MIDDLEWARE[:-1]"),
        ("E005", "MIDDLEWARE=[*S.MIDDLEWARE, 'desk.middleware.hosts']"),
        ("W001", "DJANGO_SPLIT={**S.DJANGO_SPLIT, 'drift': ['MIDDLEWARE is not what it was']}"),
    ],
)
def test_main_with_changed_settings(desk: Site, id_: str, settings: str) -> None:
    assert found(desk, "main", settings) == [f"split.{id_}"]


@pytest.mark.parametrize(
    ("id_", "plan"),
    [
        ("E001", "plan.main.drop_apps.append('desk')"),
        ("E003", "plan.main.public_sessions = 'cache'"),
        ("W002", "plan.django = '3.2'"),
    ],
)
def test_main_with_a_changed_plan(desk: Site, id_: str, plan: str) -> None:
    assert f"split.{id_}" in found(desk, "main", plan=plan)


@pytest.mark.parametrize(
    ("id_", "settings"),
    [
        ("E002", "SESSION_ENGINE='django.contrib.sessions.backends.db'"),
        ("E006", "SESSION_SERIALIZER='desk.pickling.Serializer'"),
        ("E007", "DJANGO_SPLIT_SESSIONS={**S.DJANGO_SPLIT_SESSIONS, 'url': 'unix:///other'}"),
        ("E007", "DJANGO_SPLIT_SESSIONS={**S.DJANGO_SPLIT_SESSIONS, 'idle': 9}"),
        ("E007", "DJANGO_SPLIT_SESSIONS={}"),
        ("E008", "SESSION_COOKIE_NAME='sessionid'"),
        ("E012", "MIDDLEWARE=[*S.MIDDLEWARE[2:]]"),
        ("E012", "MIDDLEWARE=['desk.middleware.hosts', *S.MIDDLEWARE]"),
        ("E013", "MIDDLEWARE=[m for m in S.MIDDLEWARE if 'Limits' not in m]"),
        (
            "E013",
            "MIDDLEWARE=[*[m for m in S.MIDDLEWARE if 'Limits' not in m], "
            "*[m for m in S.MIDDLEWARE if 'Limits' in m]]",
        ),
        ("E013", "MIDDLEWARE=[m for m in S.MIDDLEWARE if 'SessionMiddleware' not in m]"),
        ("E009", "INSTALLED_APPS=[a for a in S.INSTALLED_APPS if a != 'desk.configs.DeskAdmin']"),
        ("E010", "ROOT_URLCONF='desk.without_admin'"),
        ("W004", "ROOT_URLCONF='desk.moved'"),
        ("W001", "DJANGO_SPLIT={**S.DJANGO_SPLIT, 'drift': ['MIDDLEWARE is not what it was']}"),
    ],
)
def test_admin_with_changed_settings(desk: Site, id_: str, settings: str) -> None:
    written = {
        "pickling": "import pickle\nclass Serializer:\n"
        "    dumps = staticmethod(pickle.dumps)\n    loads = staticmethod(pickle.loads)\n",
        "without_admin": "from django.urls import path\nfrom desk import views\n"
        "urlpatterns = [path('', views.page)]\n",
        "moved": "from django.contrib import admin\nfrom django.urls import path\n"
        "urlpatterns = [path('elsewhere/', admin.site.urls)]\n",
    }
    for name, text in written.items():
        (desk.source / "desk" / f"{name}.py").write_text(text)
    assert found(desk, "admin", settings) == [f"split.{id_}"]


@pytest.mark.parametrize(
    ("id_", "plan"),
    [
        ("E002", "plan.admin.settings['SESSION_ENGINE'] = 'other'"),
        ("E007", "plan.admin.settings['DJANGO_SPLIT_SESSIONS']['url'] = 'unix:///other'"),
        ("E008", "plan.main.settings['SESSION_COOKIE_NAME'] = S.SESSION_COOKIE_NAME"),
        ("W002", "plan.django = '3.2'"),
        ("W004", "plan.main.urls.mounts[0].prefixes.append('/more/')"),
    ],
)
def test_admin_with_a_changed_plan(desk: Site, id_: str, plan: str) -> None:
    assert found(desk, "admin", plan=plan) == [f"split.{id_}"]


def test_base_says_more_of_its_old_cookie_than_the_plan_does(desk: Site) -> None:
    """It is in the settings, and the plan holds no value of the base's."""
    kept = desk.ask(
        "admin", "from django.conf import settings as s; answer = s.DJANGO_SPLIT_SESSIONS"
    )
    planned = Plan.read(desk.place / "plan.toml").admin.settings["DJANGO_SPLIT_SESSIONS"]
    assert {name: kept.pop(name) for name in planned} == planned
    assert kept == {
        "base_cookie": "sessionid",
        "base_cookie_path": "/",
        "base_cookie_domain": None,
    }


@pytest.mark.parametrize(
    ("id_", "settings", "plan"),
    [
        ("E007", f"CACHES={{'{PUBLIC}': {PICKLING}}}", ""),
        ("E007", "SESSION_CACHE_ALIAS='default'", ""),
        ("E007", "", f"plan.admin.caches['{PUBLIC}']['LOCATION'] = 'unix:///other'"),
        ("E012", "MIDDLEWARE=S.MIDDLEWARE[1:]", ""),
    ],
)
def test_stock_engine_with_what_differs(
    desk: Site, stock: str, id_: str, settings: str, plan: str
) -> None:
    assert found(desk, stock, settings, plan) == [f"split.{id_}"]


@pytest.mark.parametrize(
    ("id_", "cache"),
    [
        ("E007", PICKLING),
        ("E007", MEMCACHED),
        ("", REDIS),
        ("", OURS),
        ("", OUR_MEMCACHED),
    ],
    ids=str,
)
def test_store_that_pickles_is_found_though_the_plan_says_so(
    desk: Site, stock: str, id_: str, cache: dict[str, object]
) -> None:
    plan = f"plan.admin.caches['{PUBLIC}'] = {cache!r}"
    settings = f"CACHES={{'{PUBLIC}': {cache!r}}}"
    assert found(desk, stock, settings, plan) == ([f"split.{id_}"] if id_ else [])


@pytest.mark.parametrize(
    ("id_", "settings", "plan"),
    [
        ("E001", "INSTALLED_APPS=[*S.INSTALLED_APPS, 'django.contrib.admin']", ""),
        ("E002", "SESSION_ENGINE='django_split.runtime.main.sessions'", ""),
        ("E003", "MIDDLEWARE=[m for m in S.MIDDLEWARE if 'SessionMiddleware' not in m]", ""),
        ("E006", "SESSION_SERIALIZER='desk.pickling.Serializer'", ""),
        ("E007", f"CACHES={{'{PUBLIC}': {PICKLING}}}", ""),
        ("E008", "SESSION_COOKIE_NAME='trial_admin_sessionid'", ""),
        ("E011", "", f"plan.admin.caches['{PUBLIC}'] = plan.main.caches['{PUBLIC}']"),
        # The engines write different keys, and who may write the one may write the other.
        (
            "E011",
            "",
            "plan.admin.settings['DJANGO_SPLIT_SESSIONS']['url'] = 'unix:///public?db=0'",
        ),
        ("E012", "MIDDLEWARE=S.MIDDLEWARE[1:]", ""),
        (
            "W005",
            f"SESSION_ENGINE='{SESSIONS}.backends.cached_db'",
            "plan.main.settings['SESSION_ENGINE'] = plan.admin.settings['SESSION_ENGINE'] = "
            f"'{SESSIONS}.backends.cached_db'",
        ),
    ],
)
def test_main_with_public_sessions(
    desk: Site, public: str, id_: str, settings: str, plan: str
) -> None:
    assert found(desk, public, settings, plan) == [f"split.{id_}"]


def test_sessions_of_a_process_alone_are_nobody_elses(desk: Site, public: str) -> None:
    """A laptop's store is the process's own memory, on both sides under one name."""
    local = "{'BACKEND': 'django.core.cache.backends.locmem.LocMemCache', 'LOCATION': 'desk'}"
    plan = (
        f"plan.admin.caches = plan.main.caches = {{'{PUBLIC}': {local}}}; "
        "plan.admin.settings.pop('DJANGO_SPLIT_SESSIONS')"
    )
    assert found(desk, public, f"CACHES={{'{PUBLIC}': {local}}}", plan) == []


def test_laptops_admin_may_keep_sessions_as_the_base_does(desk: Site) -> None:
    plan = "plan.admin.settings.pop('SESSION_ENGINE')"
    assert found(desk, "admin", f"SESSION_ENGINE='{SESSIONS}.backends.file'", plan) == []


@pytest.mark.parametrize(
    ("instance", "added", "id_"),
    [
        ("main", "SESSION_ENGINE = 'django.contrib.sessions.backends.db'", "split.E002"),
        ("admin", "SESSION_COOKIE_NAME = 'sessionid'", "split.E008"),
    ],
)
def test_command_ends_with_the_error_and_a_hint(
    desk: Site, instance: str, added: str, id_: str
) -> None:
    """It is registered in both instances, and a deploy that runs `check` stops."""
    name = variant(desk, f"wrong_{instance}", instance, added=added)
    done = desk.run(["-m", "django", "check"], settings=f"split_{name}", check=False)
    assert done.returncode == 1
    assert id_ in done.stderr
    assert "HINT" in done.stderr


def test_drift_of_the_base_is_a_warning_of_both(desk: Site) -> None:
    def older(plan: Plan) -> None:
        plan.drift["MIDDLEWARE"] = "0" * 12

    for instance in ("main", "admin"):
        name = variant(desk, f"drifted_{instance}", instance, older)
        said = desk.manage(name, "check")
        assert "(split.W001) desk.settings: MIDDLEWARE is not what it was when" in said
