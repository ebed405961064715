"""The plan: what each instance's settings change in the base, and why.

A plan is made by analysis, reviewed by people and applied by `django_split.settings`. It never
holds a value of the base, so nothing secret reaches the disk and values from the environment keep
working: a change is either a value of ours or a rule ("when the path lies inside the source, use
this one").
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from django_split.findings import Finding

FORMAT = 2

SPLIT = "split"
SPLIT_WITH_EXTRA_PREFIXES = "split with extra admin prefixes"
PUBLIC_SESSIONS = "public sessions"
MOSTLY_PRIVATE = "mostly private"
NOTHING_TO_SPLIT = "nothing to split"

T = TypeVar("T")


class PlanError(Exception):
    """The plan cannot be read, or cannot be applied to this base."""


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
        return self.is_ not in (MOSTLY_PRIVATE, NOTHING_TO_SPLIT) and not self.decisions


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
    settings: dict[str, Any] = field(default_factory=dict)
    # Left to Django's default, which TOML could not write: None.
    unset: list[str] = field(default_factory=list)
    caches: dict[str, dict[str, Any]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


@dataclass
class Proxy:
    """What nginx needs to know.

    An empty URL means that the site has none that a proxy could serve.
    """

    admin_prefixes: list[str]
    closed_prefixes: list[str]
    static_url: str
    static_root: str
    media_url: str
    media_root: str


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
    def read(cls, path: str | Path, whole: bool = True) -> Plan:
        """Read a plan from TOML or, by its suffix, JSON.

        Not `whole`: what settings are derived from, without findings and ghosts. They are most of a
        plan, and with them reading it was most of what an instance's settings cost.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise PlanError(f"the plan {path} cannot be read: {error.strerror}") from error
        try:
            data = json.loads(text) if path.suffix == ".json" else _toml(text, whole)
        except ValueError as error:
            raise PlanError(f"the plan {path} is not valid: {error}") from error
        return cls.from_data(data, where=str(path))

    @classmethod
    def from_data(cls, data: Mapping[str, Any], where: str = "plan") -> Plan:
        if data.get("format") != FORMAT:
            raise PlanError(
                f"{where} has format {data.get('format')!r}, this django-split reads {FORMAT}. "
                "Make it again with `django-split plan`."
            )
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
    drift = _drift(plan, base)
    values = {name: copied(value) for name, value in base.items()}
    if instance == "main":
        _apply_main(plan.main, values)
    elif instance == "admin":
        _apply_admin(plan.admin, values)
    else:
        raise PlanError(f"there is no instance {instance!r}: it is main or admin")
    for place, derived in plan.deploy.items():
        _apply_derived(place, derived, values, instance)
    return values, drift


def copied(value: Any) -> Any:
    """A copy of dictionaries, lists and tuples all the way down; what they hold is shared.

    One of a package's own class stays of that class: a site may use what that one adds.
    """
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if isinstance(value, dict):
        table = copy.copy(value)
        for key, item in value.items():
            table[key] = copied(item)
        return table
    if isinstance(value, list):
        entries = copy.copy(value)
        entries[:] = [copied(item) for item in value]
        return entries
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(copied(item) for item in value)
    return value


def structure(base: Mapping[str, Any]) -> dict[str, str]:
    """Digests of those settings of a base that a plan depends on."""
    parts: dict[str, Any] = {
        name: list(base.get(name) or ()) for name in ("INSTALLED_APPS", "MIDDLEWARE")
    }
    parts["ROOT_URLCONF"] = str(base.get("ROOT_URLCONF"))
    parts["TEMPLATES"] = [
        list(_context_processors(engine)) for engine in base.get("TEMPLATES") or ()
    ]
    return {
        name: hashlib.sha256(json.dumps(part, default=str).encode()).hexdigest()[:12]
        for name, part in parts.items()
    }


def lies_inside(path: Any, directory: str) -> bool:
    """Whether a setting's path is in the directory. A relative one counts from there."""
    if not directory or not isinstance(path, (str, os.PathLike)):
        return False
    path = str(path)  # a lazy one says that it is a str, and os.path does not take it
    if path in ("", ":memory:") or path.startswith("file:"):
        return False
    # As it is written, too: a folder that settings make in the source is a link to a shared one.
    return any(
        os.path.commonpath([seen(os.path.join(directory, path)), seen(directory)])
        == seen(directory)
        for seen in (os.path.abspath, os.path.realpath)
    )


def _drift(plan: Plan, base: Mapping[str, Any]) -> list[str]:
    now = structure(base)
    return [
        f"{name} is not what it was when the plan was made"
        for name, digest in plan.drift.items()
        if now.get(name) != digest
    ]


def _apply_main(main: Main, values: dict[str, Any]) -> None:
    kept = [
        main.replace_apps.get(app, app)
        for app in values.get("INSTALLED_APPS", ())
        if app not in main.drop_apps
    ]
    # Once, also where the base is an instance's settings already.
    values["INSTALLED_APPS"] = [*main.add_apps, *(app for app in kept if app not in main.add_apps)]
    values["MIDDLEWARE"] = [
        *(
            main.replace_middleware.get(entry, entry)
            for entry in values.get("MIDDLEWARE", ())
            if entry not in (*main.drop_middleware, *main.add_middleware)
        ),
        *main.add_middleware,
    ]
    for engine in values.get("TEMPLATES", ()):
        if processors := _context_processors(engine):
            engine["OPTIONS"]["context_processors"] = [
                main.swap_context_processors.get(entry, entry) for entry in processors
            ]
    _apply_changes(main, values)


def _apply_admin(admin: Admin, values: dict[str, Any]) -> None:
    apps = values.get("INSTALLED_APPS", ())
    values["INSTALLED_APPS"] = [*apps, *(app for app in admin.add_apps if app not in apps)]
    _apply_changes(admin, values)


def _apply_changes(changes: Main | Admin, values: dict[str, Any]) -> None:
    if changes.caches:
        caches = values.get("CACHES") or {
            # What Django itself uses when a base says nothing; naming ours alone would take it
            # away.
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        }
        values["CACHES"] = {**caches, **copied(changes.caches)}
    values.update(copied(changes.settings))
    for name in changes.unset:
        values.pop(name, None)


def _apply_derived(place: str, derived: Derived, values: dict[str, Any], instance: str) -> None:
    holder, last = _holder(place, values)
    if holder is None:
        return  # a database or handler that this environment does not have
    differs = instance == "admin" and derived.for_admin is not None
    value = copied(derived.for_admin if differs else derived.value)
    if derived.how == "add":
        present = list(holder.get(last) or ())
        holder[last] = [*present, *(item for item in value if item not in present)]
    elif (
        derived.how == "set"
        or (derived.how == "default" and not holder.get(last))
        or (derived.how == "move" and lies_inside(holder.get(last), derived.inside))
    ):
        holder[last] = value
    elif derived.how == "own" and "filebased" in str(holder.get("BACKEND")):
        holder[last] = f"{value}-{instance}"


def _holder(place: str, values: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The dictionary that a place like "DATABASES.default.NAME" is in, and its key there.

    A key may hold dots itself, as a logging handler's name does.
    """
    if "." not in place or place in values:
        return values, place
    for key, value in values.items():
        if place.startswith(f"{key}.") and isinstance(value, dict):
            return _holder(place.removeprefix(f"{key}."), value)
    return None, place


def _context_processors(engine: Any) -> list[str]:
    return list(((engine or {}).get("OPTIONS") or {}).get("context_processors") or ())


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


def _toml(text: str, whole: bool) -> dict[str, Any]:
    # Where no string can go over several lines, a line that looks like a header is one.
    if not whole and '"""' not in text and "'''" not in text:
        short = text
        for bulk in _BULK:
            short = bulk.sub("", short)
        with contextlib.suppress(ValueError):
            return tomllib.loads(short)
    return tomllib.loads(text)


_BULK = [
    re.compile(pattern, re.MULTILINE | re.DOTALL)
    for pattern in (
        # As an array of what fits into a line each, or as tables.
        r"^(?:findings|ghosts) = \[\n.*?^\]\n",
        r"^\[\[findings\]\]\n.*?(?=^\[(?!\[findings\])|\Z)",
        r"^\[\[main\.urls\.mounts\.ghosts\]\]\n.*?(?=^\[|\Z)",
    )
]


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
