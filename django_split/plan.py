"""The plan: what each instance's settings change in the base, and why.

A plan is made by analysis, reviewed by people and applied by `django_split.settings`. It never
holds a value of the base, so nothing secret reaches the disk and values from the environment keep
working: a change is either a value of ours or a rule ("when the path lies inside the source, use
this one").
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from django_split.apply import apply_data
from django_split.apply import copied as copied
from django_split.apply import lies_inside as lies_inside
from django_split.apply import structure as structure
from django_split.findings import Finding
from django_split.plan_file import FORMAT, can_be_split, check_format, read_data
from django_split.plan_file import MOSTLY_PRIVATE as MOSTLY_PRIVATE
from django_split.plan_file import NOTHING_TO_SPLIT as NOTHING_TO_SPLIT
from django_split.plan_file import PlanError as PlanError

SPLIT = "split"
SPLIT_WITH_EXTRA_PREFIXES = "split with extra admin prefixes"
PUBLIC_SESSIONS = "public sessions"

T = TypeVar("T")


@dataclass
class Verdict:
    """What analysis says of the site.

    `decisions` are questions that only the operator can answer.
    """

    is_: str
    reasons: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)

    @property
    def can_be_split(self) -> bool:
        return can_be_split(self.is_, self.decisions)


@dataclass
class Ghost:
    """A named URL below an admin mount that main must still be able to reverse.

    Exactly one of `route` (as in `path()`) and `regex` (as in `re_path()`) is set.
    """

    name: str
    route: str | None = None
    regex: str | None = None


@dataclass
class Mount:
    """A place in the URLconf where an admin hangs.

    `kind` is "django" for an AdminSite, else the name of another admin (see `django_split.mounts`).
    `prefixes` are the paths it answers on, one per language under `i18n_patterns`.
    """

    route: str
    kind: str
    prefixes: list[str]
    namespace: str | None = None
    app_name: str | None = None
    ghosts: list[Ghost] = field(default_factory=list)


@dataclass
class ShadowField:
    """A foreign key of a dropped app's model to a model that main keeps, or to another shadow.

    `to_field` is empty where it points at the primary key.
    """

    name: str
    to: str
    column: str
    on_delete: str
    null: bool = False
    to_field: str = ""


@dataclass
class Shadow:
    """A table of a dropped app, with rows that point at what main may delete."""

    name: str
    table: str
    pk: str
    pk_class: str
    fields: list[ShadowField]
    app: str = ""  # the entry in INSTALLED_APPS that it stands in for


@dataclass
class MainUrls:
    root_urlconf: str
    mounts: list[Mount] = field(default_factory=list)
    # Prefixes, and dotted names of views in which * stands for anything, that answer 404.
    closed: list[str] = field(default_factory=list)
    closed_views: list[str] = field(default_factory=list)
    # Such names of views that may lose what they write to the session: counted, not logged.
    anonymous_views: list[str] = field(default_factory=list)
    # URL modules that are admins of another kind than Django's.
    other_admins: dict[str, str] = field(default_factory=dict)


@dataclass
class Main:
    """What main's settings change.

    `why` gives a reason for each dotted name in the other tables.
    """

    urls: MainUrls
    # The name of the site behind `admin.site`: it is the namespace that its URLs reverse under.
    default_admin_site: str = "admin"
    # Its class, where it is one of the site's own: urls.py may use what that one adds.
    default_admin_class: str = ""
    add_apps: list[str] = field(default_factory=list)
    drop_apps: list[str] = field(default_factory=list)
    # Apps of which main keeps the models and templates, and nothing else.
    replace_apps: dict[str, str] = field(default_factory=dict)
    drop_middleware: list[str] = field(default_factory=list)
    replace_middleware: dict[str, str] = field(default_factory=dict)
    add_middleware: list[str] = field(default_factory=list)
    # Before all others, in this order.
    first_middleware: list[str] = field(default_factory=list)
    swap_context_processors: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    # Left to Django's default, which TOML could not write: None.
    unset: list[str] = field(default_factory=list)
    caches: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The engine of main's own sessions, where the operator chose to have them.
    public_sessions: str = ""
    models: list[Shadow] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)


@dataclass
class AdminSession:
    engine: str
    store: str
    cookie: str
    path: str


@dataclass
class Admin:
    """What the admin's settings change.

    `path` is the primary admin mount, `login` the URL path of its login.
    """

    path: str
    login: str
    prefixes: list[str]
    session: AdminSession
    add_apps: list[str] = field(default_factory=list)
    # Before all others, in this order; and directly behind the last place of an entry of the base.
    first_middleware: list[str] = field(default_factory=list)
    after_middleware: dict[str, list[str]] = field(default_factory=dict)
    # Whether its SECRET_KEY is the one in the environment, DJANGO_SPLIT_ADMIN_SECRET_KEY.
    own_secret_key: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    # Left to Django's default, which TOML could not write: None.
    unset: list[str] = field(default_factory=list)
    caches: dict[str, dict[str, Any]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


@dataclass
class Proxy:
    """What nginx needs to know.

    An empty URL means that the site has none that a proxy could serve. `admin_logins` are pages
    that main has too: on the admin's own host they are the admin instance's.
    """

    admin_prefixes: list[str]
    closed_prefixes: list[str]
    static_url: str
    static_root: str
    media_url: str
    media_root: str
    admin_logins: list[str] = field(default_factory=list)


@dataclass
class Derived:
    """A deployment setting for both instances.

    `how` is one of
    - "set": always this value;
    - "add": the value's items are added to the base's list;
    - "default": this value where the base says nothing;
    - "move": this value where the base's own is a path inside the directory `inside`;
    - "own": this path with the instance's name behind it, for what two users cannot share.
    `for_admin` is the admin's own value, where it is not the same as main's.
    """

    how: Literal["set", "add", "default", "move", "own"]
    value: Any
    reason: str
    inside: str = ""
    for_admin: Any = None


@dataclass
class Plan:
    base: str
    django: str
    site: str
    wsgi: str  # empty: Django's own
    verdict: Verdict
    main: Main
    admin: Admin
    proxy: Proxy
    format: int = FORMAT
    findings: list[Finding] = field(default_factory=list)
    # Where the base writes what is changed: an entry or a setting -> "mysite/settings.py:40".
    where: dict[str, str] = field(default_factory=dict)
    # Keyed by the setting's place: "DEBUG", "DATABASES.default.NAME".
    deploy: dict[str, Derived] = field(default_factory=dict)
    # Digests of the base's structure; when one differs from the base in force, the plan is out of
    # date.
    drift: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path, without: Collection[str] = ()) -> Plan:
        """Read a plan from TOML or, by its suffix, JSON.

        `without` what is not needed: see `django_split.plan_file`.
        """
        return cls.from_data(read_data(str(path), without), where=str(path))

    @classmethod
    def from_data(cls, data: Mapping[str, Any], where: str = "plan") -> Plan:
        check_format(data, where)
        return build(cls, data, where)

    def data(self) -> dict[str, Any]:
        """Plain dictionaries and lists, in the order of the dataclasses, without None."""
        plain: dict[str, Any] = _plain(self)
        return {"format": plain.pop("format"), **plain}

    def toml(self) -> str:
        # Here, so that an instance, which only reads plans, does without it.
        import tomli_w

        return tomli_w.dumps(self.data())

    def json(self) -> str:
        return json.dumps(self.data(), indent=2) + "\n"


def apply(plan: Plan, instance: str, base: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Derive an instance's settings from the base's.

    Takes the base's upper-case names and gives back all settings of the instance and a list of what
    no longer fits ("drift"). Works by string only and leaves every object of the base as it was.
    """
    return apply_data(plan.data(), instance, base)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {
            f.name.rstrip("_"): _plain(item)
            for f, item in pairs
            # TOML has no None, and an empty text that is the default anyway is only noise.
            if item is not None and not (item == "" and f.default == "")
        }
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def build(cls: type[T], data: Any, where: str) -> T:
    """Make a dataclass of a plan's from plain data, by its annotations.

    Raises PlanError with the place of what is wrong.
    """
    if not isinstance(data, Mapping):
        raise PlanError(f"{where} must be a table, not {type(data).__name__}")
    parts = _parts(cls)  # type: ignore[arg-type]  # a class can be hashed
    if unknown := sorted(data.keys() - parts.keys()):
        raise PlanError(f"{where} has an unknown key {unknown[0]!r}")
    values = {}
    for key, value in data.items():
        name, shape, inner = parts[key]
        values[name] = _part(shape, inner, value, f"{where}: {key}") if inner else value
    try:
        return cls(**values)
    except TypeError as error:
        raise PlanError(f"{where} is incomplete: {error}") from error


def _part(shape: str, inner: type[Any], value: Any, where: str) -> Any:
    if shape == "list":
        return [build(inner, item, where) for item in value]
    if shape == "dict":
        return {key: build(inner, item, f"{where}.{key}") for key, item in value.items()}
    return build(inner, value, where)


@functools.cache
def _parts(cls: type[Any]) -> dict[str, tuple[str, str, type[Any] | None]]:
    """The keys of a table, each with its attribute, and the dataclass that it is made of.

    By the text of the annotations: typing.get_type_hints took more time than all the rest.
    """
    found: dict[str, tuple[str, str, type[Any] | None]] = {}
    for item in dataclasses.fields(cls):
        match = re.fullmatch(r"(?:(list)\[|(dict)\[str, )?(\w+)\]?", str(item.type))
        inner = globals().get(match[3]) if match else None
        shape = (match[1] or match[2] or "") if match else ""
        known = inner if dataclasses.is_dataclass(inner) and isinstance(inner, type) else None
        found[item.name.rstrip("_")] = (item.name, shape, known)
    return found
