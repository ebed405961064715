"""Applying a plan, and deciding on one, whatever the settings and the findings are."""

from __future__ import annotations

import copy
import json
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest
from django.utils.functional import SimpleLazyObject, lazystr

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from django_split import findings as kinds
from django_split.analysis.deployment import Deployment
from django_split.analysis.verdict import answered, decide
from django_split.apply import apply_data
from django_split.findings import NEED_AN_ANSWER, Finding
from django_split.mounts import is_below
from django_split.plan import (
    PUBLIC_SESSIONS,
    Admin,
    AdminSession,
    Derived,
    Main,
    MainUrls,
    Mount,
    Plan,
    Proxy,
    Verdict,
    apply,
    structure,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

INSTANCES = ("main", "admin")

# Enough to find what is wrong, few enough for the inner loop.
modest = settings(max_examples=50, deadline=None)


class Entries(list[Any]):
    """A list of a package's own, as some settings are made with."""


class Pair(NamedTuple):
    first: Any
    second: Any


APPS = ["django.contrib.admin", "django.contrib.sessions", "shop", "shop.apps.Shop", "news"]
MIDDLEWARE = ["SessionMiddleware", "AuthMiddleware", "shop.Visits", "shop.Last"]
PROCESSORS = ["auth", "messages", "request", "shop.basket"]
OURS = "django_split.runtime.main"

words = st.sampled_from(["", "a", "/srv/src/x", "/srv/src/db.sqlite3", "/var/x", "x/y", "postgres"])
leaves = st.one_of(
    words,
    st.none(),
    st.booleans(),
    st.integers(0, 9),
    words.map(Path),
    words.map(PurePosixPath),
    words.map(lazystr),
    words.map(lambda word: SimpleLazyObject(lambda: word)),
    st.just(len),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=3)
    tables = st.dictionaries(st.sampled_from(["default", "a.b", "NAME", "x"]), inner, max_size=3)
    return st.one_of(
        lists,
        lists.map(tuple),
        lists.map(Entries),
        st.builds(Pair, inner, inner),
        tables,
        tables.map(OrderedDict),
        tables.map(lambda table: defaultdict(list, table)),
    )


values = st.recursive(leaves, containers, max_leaves=6)


def entries(pool: list[str]) -> st.SearchStrategy[Any]:
    """Any order, with some twice."""
    lists = st.lists(st.sampled_from(pool), max_size=7)
    return st.one_of(lists, lists.map(tuple), lists.map(Entries))


def tables(inner: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    plain = st.fixed_dictionaries({}, optional=inner)
    return st.one_of(plain, plain.map(OrderedDict))


engines = tables(
    {
        "BACKEND": words,
        "DIRS": values,
        "OPTIONS": st.one_of(
            st.none(), tables({"context_processors": entries(PROCESSORS), "loaders": values})
        ),
    }
)
databases = tables({"default": tables({"ENGINE": words, "NAME": leaves}), "other": values})
caches = tables(
    {
        alias: tables(
            {"BACKEND": st.sampled_from(["filebased.Cache", "locmem.Cache"]), "LOCATION": leaves}
        )
        for alias in ("default", "pages")
    }
)
logging = tables({"handlers": tables({"a.b": tables({"filename": leaves}), "c": values})})
bases = st.fixed_dictionaries(
    {},
    optional={
        "INSTALLED_APPS": entries(APPS),
        "MIDDLEWARE": entries(MIDDLEWARE),
        "TEMPLATES": st.one_of(
            *(st.lists(engines, max_size=2).map(kind) for kind in (list, tuple, Entries))
        ),
        "DATABASES": databases,
        "CACHES": caches,
        "LOGGING": logging,
        "MEDIA_ROOT": leaves,
        "ALLOWED_HOSTS": st.one_of(st.none(), entries(["a.example", "b.example"])),
        "DEBUG": st.booleans(),
        "ROOT_URLCONF": st.just("shop.urls"),
        "SESSION_ENGINE": words,
        "SESSION_COOKIE_DOMAIN": words,
        "SITE": values,
        "NAMES": values,
    },
)

plain = st.one_of(words, st.booleans(), st.integers(0, 9), st.lists(words, max_size=3))
PLACES = {
    "DEBUG": ["set"],
    "ALLOWED_HOSTS": ["add"],
    "MEDIA_ROOT": ["default", "move"],
    "LOGGING": ["default"],
    "DATABASES.default.NAME": ["move"],
    "LOGGING.handlers.a.b.filename": ["move"],
    "CACHES.pages.LOCATION": ["own"],
}


def derived(place: str, how: str) -> st.SearchStrategy[Derived]:
    value: st.SearchStrategy[Any] = st.sampled_from(["/srv/data/x", "/srv/src/x"])
    if how == "add":
        value = st.lists(st.sampled_from(["a.example", "shop.example"]), max_size=3)
    elif place == "DEBUG":
        value = st.just(False)
    elif place == "LOGGING":
        value = st.just({"version": 1, "handlers": {"ours": {"class": "x"}}})
    admins = st.one_of(st.none(), value)
    return st.builds(Derived, st.just(how), value, st.just("why"), st.just("/srv/src"), admins)


@st.composite
def changed(draw: st.DrawFn, pool: list[str]) -> tuple[list[str], dict[str, str]]:
    """Some entries dropped, others replaced, each by something of ours."""
    fate = {entry: draw(st.sampled_from(["stay", "drop", "replace"])) for entry in pool}
    dropped = [entry for entry in pool if fate[entry] == "drop"]
    return dropped, {e: f"{OURS}.{e}" for e in pool if fate[e] == "replace"}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    drop_apps, replace_apps = draw(changed(APPS))
    drop_middleware, replace_middleware = draw(changed(MIDDLEWARE))
    _, processors = draw(changed(PROCESSORS))
    ours = {"django_split_sessions": {"BACKEND": "locmem.Cache", "LOCATION": "x"}}
    some = st.dictionaries(st.sampled_from(["SESSION_ENGINE", "OURS"]), plain)
    unset = st.sampled_from([[], ["SESSION_COOKIE_DOMAIN"]])
    deploy = {}
    for place in draw(st.lists(st.sampled_from(sorted(PLACES)), unique=True)):
        deploy[place] = draw(derived(place, draw(st.sampled_from(PLACES[place]))))
    return Plan(
        base="shop.settings",
        django="5.2",
        site="shop",
        wsgi="",
        verdict=Verdict("split"),
        main=Main(
            urls=MainUrls("shop.urls", [Mount("/admin/", "django", ["/admin/"])]),
            add_apps=[f"{OURS}.apps.MainConfig"],
            drop_apps=drop_apps,
            replace_apps=replace_apps,
            drop_middleware=drop_middleware,
            replace_middleware=replace_middleware,
            add_middleware=[f"{OURS}.middleware.Last"],
            first_middleware=draw(st.sampled_from([[], ["ours.Guard"]])),
            swap_context_processors=processors,
            settings=draw(some),
            unset=draw(unset),
            caches=draw(st.sampled_from([{}, ours])),
        ),
        admin=Admin(
            path="/admin/",
            login="/admin/login/",
            prefixes=["/admin/"],
            session=AdminSession("cache", "redis", "shop_admin_sessionid", "/admin/"),
            add_apps=draw(st.sampled_from([[], ["django.contrib.sessions"]])),
            first_middleware=draw(
                st.sampled_from([[], ["ours.Guard"], ["ours.Guard", "ours.Old"]])
            ),
            after_middleware=draw(
                st.dictionaries(st.sampled_from(MIDDLEWARE), st.just(["ours.Limits"]), max_size=1)
            ),
            settings=draw(some),
            unset=draw(unset),
            caches=draw(st.sampled_from([{}, ours])),
        ),
        proxy=Proxy(["/admin/"], [], "/static/", "", "", ""),
        deploy=deploy,
    )


def listed(value: Any) -> Iterator[int]:
    """What could be changed in place, all the way down."""
    if isinstance(value, dict):
        yield id(value)
        for item in value.values():
            yield from listed(item)
    elif isinstance(value, (list, tuple)):
        if isinstance(value, list):
            yield id(value)
        for item in value:
            yield from listed(item)


@modest
@given(plans(), bases)
def test_applying_twice_is_applying_once(plan: Plan, base: dict[str, Any]) -> None:
    for instance in INSTANCES:
        once, _ = apply(plan, instance, base)
        twice, _ = apply(plan, instance, once)
        assert twice == once


@modest
@given(plans(), bases)
def test_base_and_plan_are_left_as_they_were(plan: Plan, base: dict[str, Any]) -> None:
    before, planned = copy.deepcopy(base), copy.deepcopy(plan)
    for instance in INSTANCES:
        made, _ = apply(plan, instance, base)
        assert base == before
        assert plan == planned
        # A site may append to a list in force; nobody else's may grow by that.
        assert not set(listed(made)) & {*listed(base), *listed(plan.data())}
        assert not set(listed(made)) & set(listed([vars(plan.main), vars(plan.admin)]))


@modest
@given(plans(), bases)
def test_what_stays_keeps_its_order(plan: Plan, base: dict[str, Any]) -> None:
    main, made = plan.main, apply(plan, "main", base)[0]
    for name, dropped, instead, added in (
        ("INSTALLED_APPS", main.drop_apps, main.replace_apps, main.add_apps),
        (
            "MIDDLEWARE",
            main.drop_middleware,
            main.replace_middleware,
            [*main.first_middleware, *main.add_middleware],
        ),
    ):
        kept = [instead.get(entry, entry) for entry in base.get(name, ()) if entry not in dropped]
        assert [entry for entry in made[name] if entry not in added] == kept
        assert [entry for entry in made[name] if entry in added] == added
    apps = list(base.get("INSTALLED_APPS", ()))
    assert apply(plan, "admin", base)[0]["INSTALLED_APPS"][: len(apps)] == apps


@modest
@given(plans(), bases)
def test_what_comes_first_is_first_and_what_follows_is_behind_the_last_of_its_kind(
    plan: Plan, base: dict[str, Any]
) -> None:
    first, after = plan.admin.first_middleware, plan.admin.after_middleware
    before = list(base.get("MIDDLEWARE", ()))
    made = list(apply(plan, "admin", base)[0].get("MIDDLEWARE", ()))
    ours = [entry for entry in made if entry.startswith("ours.")]
    assert made[: len(first)] == first
    assert [entry for entry in made if entry not in ours] == before
    expected = [*first, *("ours.Limits" for entry in after if entry in before)]
    assert ours == expected
    for entry in after:
        if entry in before:
            place = made.index("ours.Limits")
            assert made[place - 1] == entry
            assert entry not in made[place:]
    main = plan.main.first_middleware
    assert list(apply(plan, "main", base)[0]["MIDDLEWARE"])[: len(main)] == main


def test_of_two_session_middlewares_the_last_one_is_followed() -> None:
    """It is the one whose session the rest of the chain sees."""
    part = {"after_middleware": {"Sessions": ["ours.Limits"]}, "settings": {}}
    values, _ = apply_data({"admin": part}, "admin", {"MIDDLEWARE": ["Sessions", "a", "Sessions"]})
    assert values["MIDDLEWARE"] == ["Sessions", "a", "Sessions", "ours.Limits"]


@modest
@given(plans(), bases)
def test_context_processors_are_swapped_in_place(plan: Plan, base: dict[str, Any]) -> None:
    made = apply(plan, "main", base)[0]
    for before, after in zip(base.get("TEMPLATES", ()), made.get("TEMPLATES", ()), strict=True):
        old, new = ((engine.get("OPTIONS") or {}) for engine in (before, after))
        swaps = plan.main.swap_context_processors
        expected = [swaps.get(entry, entry) for entry in old.get("context_processors", ())]
        assert list(new.get("context_processors", ())) == expected
        for part, other in ((before, after), (old, new)):
            others = {"OPTIONS", "context_processors"}
            assert {k: v for k, v in part.items() if k not in others} == {
                k: v for k, v in other.items() if k not in others
            }


def changes_middleware(admin: Admin) -> bool:
    return bool(admin.first_middleware or admin.after_middleware)


@modest
@given(plans(), bases)
def test_what_the_plan_does_not_name_stays(plan: Plan, base: dict[str, Any]) -> None:
    for instance, part in (("main", plan.main), ("admin", plan.admin)):
        made = apply(plan, instance, base)[0]
        touched = {
            *part.settings,
            *part.unset,
            *(["CACHES"] if part.caches else []),
            *(place.partition(".")[0] for place in plan.deploy),
            "INSTALLED_APPS",
            *(["TEMPLATES"] if instance == "main" else []),
            *(["MIDDLEWARE"] if part is plan.main or changes_middleware(plan.admin) else []),
        }
        for name in set(base) - touched:
            assert made[name] == base[name]
            assert type(made[name]) is type(base[name])
        assert set(made) - set(base) <= touched
        assert isinstance(made["INSTALLED_APPS"], list)


@modest
@given(plans())
def test_plan_is_written_and_read_without_loss(plan: Plan) -> None:
    assert Plan.from_data(json.loads(plan.json())) == plan
    assert Plan.from_data(tomllib.loads(plan.toml())) == plan


@modest
@given(bases, bases)
def test_drift_is_told_when_and_only_when_the_structure_changes(
    base: dict[str, Any], later: dict[str, Any]
) -> None:
    plan = Plan(
        "s",
        "5.2",
        "s",
        "",
        Verdict("split"),
        Main(MainUrls("s.urls")),
        Admin("", "", [], AdminSession("", "", "", "")),
        Proxy([], [], "", "", "", ""),
        drift=structure(base),
    )
    assert apply(plan, "main", base)[1] == []
    differs = any(
        list(base.get(name, ())) != list(later.get(name, ()))
        for name in ("INSTALLED_APPS", "MIDDLEWARE")
    )
    if differs:
        assert apply(plan, "main", later)[1]


PATHS = ["/", "/accounts/login/", "/accounts/me/", "/shop/<int:pk>/", "/blog/", ""]
VIEWS = ["", "shop.views.me", "auth.Login"]
WHOLE_SITE = [kinds.EVERYWHERE, kinds.MOUNT]
PAGES = [kind for kind in (*NEED_AN_ANSWER, kinds.USER, kinds.BELOW) if kind not in WHOLE_SITE]
found = st.one_of(
    st.builds(
        Finding,
        st.sampled_from(WHOLE_SITE),
        st.just("what"),
        st.just(""),
        st.sampled_from(VIEWS),
    ),
    st.builds(
        Finding,
        st.sampled_from(PAGES),
        st.just("what"),
        st.sampled_from(PATHS),
        st.sampled_from(VIEWS),
    ),
)
deployments = st.builds(
    lambda **said: Deployment.read(said, default_site="shop"),
    admin_extra_prefixes=st.lists(st.sampled_from(["/accounts/", "/blog/"]), max_size=2),
    main_closed_prefixes=st.lists(st.sampled_from(["/accounts/me/", "/shop/"]), max_size=2),
    main_closed_views=st.lists(st.sampled_from(["shop.*", "auth.Login"]), max_size=1),
    main_anonymous_views=st.lists(st.sampled_from(["*", "shop.views.me"]), max_size=1),
    public_sessions=st.sampled_from(["none", "cached_db", "redis"]),
)
places = st.sampled_from([[], ["/admin/"], ["/"], ["/admin/", "/cms/"]])


def decided(
    findings: list[Finding], said: Deployment, mounted: list[str], routes: int
) -> tuple[list[Finding], Verdict]:
    prefixes = [*mounted, *said.admin_extra_prefixes]
    mounts = [Mount(path, "django", [path]) for path in mounted]
    with_answers = answered(findings, said, prefixes)
    return with_answers, decide(with_answers, mounts, prefixes, said, "shop.urls", routes)


@modest
@given(st.lists(found, max_size=6), deployments, places, st.integers(0, 12))
def test_what_is_not_answered_is_not_split(
    findings: list[Finding], said: Deployment, mounted: list[str], routes: int
) -> None:
    seen, verdict = decided(findings, said, mounted, routes)
    if any(finding.is_open for finding in seen):
        assert not verdict.can_be_split
    if any(finding.kind == kinds.EVERYWHERE for finding in seen):
        assert verdict.is_ == PUBLIC_SESSIONS
        assert said.has_public_sessions or not verdict.can_be_split
    if not mounted or "/" in mounted:
        assert not verdict.can_be_split


@modest
@given(st.lists(found, max_size=6), deployments, places)
def test_answer_is_what_the_operator_said(
    findings: list[Finding], said: Deployment, mounted: list[str]
) -> None:
    seen, _ = decided(findings, said, mounted, 10)
    for before, after in zip(findings, seen, strict=True):
        assert (after.kind, after.url, after.view) == (before.kind, before.url, before.view)
        if after.answer == kinds.ADMIN:
            assert is_below(after.url, [*mounted, *said.admin_extra_prefixes])
        elif after.answer == kinds.CLOSED:
            assert is_below(after.url, said.main_closed_prefixes) or said.main_closed_views
        elif after.answer == kinds.ANONYMOUS:
            assert said.main_anonymous_views
            assert after.kind not in (kinds.OPENED, kinds.BREAKS, kinds.MOUNT, kinds.EVERYWHERE)
        elif after.answer == kinds.PUBLIC_SESSIONS:
            assert said.has_public_sessions
            assert after.kind not in (kinds.OPENED, kinds.BREAKS, kinds.MOUNT)
        assert after.kind in NEED_AN_ANSWER or not after.answer


@modest
@given(st.lists(found, max_size=6), found, deployments, places, st.integers(0, 12))
def test_one_more_finding_never_decides(
    findings: list[Finding], more: Finding, said: Deployment, mounted: list[str], routes: int
) -> None:
    """But for a login: where every page demands one, a page to sign in on is what was missing."""
    _, before = decided(findings, said, mounted, routes)
    seen, after = decided([*findings, more], said, mounted, routes)
    if not before.can_be_split and (more.kind != kinds.LOGIN or seen[-1].is_open):
        assert not after.can_be_split


@modest
@given(st.lists(found, max_size=6), deployments, places, st.integers(1, 12), st.randoms())
def test_order_of_findings_does_not_matter(
    findings: list[Finding], said: Deployment, mounted: list[str], routes: int, random: Any
) -> None:
    shuffled = list(findings)
    random.shuffle(shuffled)
    one, other = (decided(group, said, mounted, routes)[1] for group in (findings, shuffled))
    assert (one.is_, one.can_be_split) == (other.is_, other.can_be_split)
