"""What each variable may say, beyond its type. Where a value was set is added later."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

# A unix socket's path has 108 bytes in the kernel, the last of them a NUL.
SOCKET_BYTES = 107
SITE_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
# Users, groups and folders of these names are somebody else's, or ours for another purpose.
RESERVED_NAMES = frozenset(
    """
    django-split nginx proxy redis memcached postgres postgresql supervisor systemd dbus udev sshd
    ssh root daemon bin sys adm tty disk lp mail news uucp man kmem dialout fax voice cdrom floppy
    tape sudo audio dip www-data backup operator list irc src gnats shadow utmp video sasl plugdev
    staff games users nogroup nobody crontab messagebus input kvm render lock log user mount
    initctl sendsigs network installed
    """.split()  # noqa: SIM905
)
# A site called news-main would have the group that is the user of the site news.
RESERVED_ENDINGS = (
    "-main",
    "-admin",
    "-store",
    "-public",
    "-build",
    "-owner",
    "-main-http",
    "-admin-http",
)

# Which store keeps the sessions of which engine.
SERVES = {
    ("redis", "redis"),
    ("redis", "valkey"),
    ("redis_db", "redis"),
    ("redis_db", "valkey"),
    ("cache", "redis"),
    ("cache", "valkey"),
    ("cache", "memcached"),
    ("cached_db", "redis"),
    ("cached_db", "valkey"),
    ("cached_db", "memcached"),
}
# Engines of Django's that are not served, and why not.
REFUSED_ENGINES = {
    "db": "keeps every session in the database, which is what the split ends: "
    '"redis_db" keeps a copy there',
    "file": 'keeps sessions in files, which no second host can read: use "redis"',
    "signed_cookies": 'keeps sessions with the visitor, where nobody can end them: use "redis"',
}

TLS = (
    "site_port",
    "proxy_tls",
    "proxy_tls_certificate",
    "proxy_tls_key",
    "proxy_tls_port",
    "proxy_hsts",
    "proxy_acme_email",
    "proxy_acme_server",
    "site_hosts",
    "admin_host",
)

# Set by django-split for each instance; a value of the operator's would start the wrong settings.
OWN_ENVIRONMENT = (
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_SPLIT_ADMIN_SECRET_KEY",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
OWN_PROCESSES = (
    "main",
    "admin",
    "store",
    "public",
    "nginx",
    "manage",
    "build",
    "owner",
    "purge",
    "watch",
    "rotate",
    "certificate",
    "supervisord",
)

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")

# A view as the plan names it: news.views.edit, or news.views.factory.<locals>.view.
VIEW = re.compile(r"(?:[\w*]+|<locals>|<lambda>)(?:\.(?:[\w*]+|<locals>|<lambda>))+")
MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True)
class Finding:
    """A sentence about a variable; ``value`` is the element that it is about, if not the whole."""

    variable: str
    what: str
    value: object = None


Values = Mapping[str, Any]
Rule = Callable[[Values], Iterator[Finding]]


def check(values: Values, explicit: set[str]) -> Iterator[Finding]:
    """Run every rule whose variables are there and, one by one, sound.

    ``explicit`` names the variables that somebody has set: a default is never the operator's fault.
    """
    wrong: set[str] = set()
    for needs, rule in RULES:
        if all(name in values and name not in wrong for name in needs):
            for finding in rule(values):
                wrong.add(finding.variable)
                yield finding
    if {"session_store", "session_persistent"} <= values.keys():
        yield from persistence(values, explicit)
    if {"session_engine", "session_store"} <= values.keys():
        yield from session(values, explicit)
    if set(TLS) <= values.keys() - wrong:
        yield from tls(values, explicit)


def socket_paths(site: str) -> list[str]:
    """The longest sockets of a site; a release's id has 12 characters."""
    return [f"/run/{site}/admin/admin-{'0' * 12}.sock", f"/run/{site}/public/store.sock"]


def site_name(values: Values) -> Iterator[Finding]:
    name = values["site_name"]
    ending = next((end for end in RESERVED_ENDINGS if name.endswith(end)), "")
    longest = max(len(path.encode()) for path in socket_paths(name))
    if longest > SOCKET_BYTES:
        yield Finding(
            "site_name",
            f"site_name is {len(name)} characters long: a socket would have a path of {longest} "
            f"bytes, and the system takes {SOCKET_BYTES}. A name has at most 20 characters.",
        )
    elif not SITE_NAME.fullmatch(name):
        yield Finding(
            "site_name",
            f'site_name is "{name}": a name is a lower-case letter, then at most 19 lower-case '
            'letters, digits or "-"'
            f"{_plain_name(name)}",
        )
    elif name in RESERVED_NAMES:
        yield Finding(
            "site_name",
            f'site_name is "{name}": the system has a user, a group or a folder of that name. '
            "Take another.",
        )
    elif ending:
        yield Finding(
            "site_name",
            f'site_name is "{name}": a name that ends in "{ending}" is that of a user of the site '
            f'"{name.removesuffix(ending)}". Take another.',
        )


def _plain_name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-0123456789")[:20].strip("-")
    return f" ({plain} would do)" if SITE_NAME.fullmatch(plain) else ""


def site_hosts(values: Values) -> Iterator[Finding]:
    hosts = values["site_hosts"]
    if not hosts:
        yield Finding(
            "site_hosts", "site_hosts is empty: name at least one host that the site answers to"
        )
    for number, host in enumerate(hosts):
        wrong = _host_wrong(host)
        if wrong:
            yield Finding("site_hosts", f'site_hosts has "{host}": {wrong}', host)
        elif host in hosts[:number]:
            yield Finding("site_hosts", f'site_hosts has "{host}" twice', host)


def admin_host(values: Values) -> Iterator[Finding]:
    host = values["admin_host"]
    wrong = _host_wrong(host) if host else ""
    if wrong:
        yield Finding("admin_host", f'admin_host is "{host}": {wrong}')
    elif host in values["site_hosts"]:
        yield Finding(
            "admin_host",
            f'admin_host is "{host}", which is one of site_hosts too: the admin needs a name of '
            "its own. Take it out of one of them.",
        )


def _host_wrong(host: str) -> str:
    if "://" in host:
        return f'a name without a scheme is asked for ("{host.partition("://")[2].rstrip("/")}")'
    if host.startswith("["):
        return "" if _is_address(host) else "no IPv6 address"
    if host.count(":") > 1:
        return f'an IPv6 address stands in brackets ("[{host}]")'
    if ":" in host:
        return "a port does not belong here; it is site_port's"
    if "*" in host or host.startswith("."):
        return "patterns are not served; write each name out"
    if host != host.lower():
        return f'write it in lower case ("{host.lower()}")'
    if not host.isascii():
        try:
            return f'write it as DNS does ("{host.encode("idna").decode()}")'
        except UnicodeError:
            return "no host name"
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(HOST_LABEL.fullmatch(label) for label in labels):
        return "no host name"
    if host.endswith("."):
        return f'leave the last dot out ("{host[:-1]}")'
    if labels[-1].isdecimal() and not _is_address(host):
        return "no IPv4 address"
    return ""


def _is_address(text: str) -> bool:
    """An IPv4 address, or an IPv6 address in brackets."""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        address = ipaddress.ip_address(text[1:-1] if bracketed else text)
    except ValueError:
        return False
    return bracketed == (address.version == 6)


def proxy_listen(values: Values) -> Iterator[Finding]:
    if not values["proxy_listen"]:
        yield Finding(
            "proxy_listen",
            'proxy_listen is empty: nginx needs an address ("*" is every IPv4 address)',
        )
    for address in values["proxy_listen"]:
        if address != "*" and not _is_address(address):
            yield Finding(
                "proxy_listen",
                f'proxy_listen has "{address}": an address is "*", an IPv4 address or an IPv6 '
                "address in brackets (the port is site_port's)",
                address,
            )


def tls(values: Values, explicit: set[str]) -> Iterator[Finding]:
    """TLS, and what goes with it."""
    kind = values["proxy_tls"]
    files = ("proxy_tls_certificate", "proxy_tls_key")
    acme = ("proxy_acme_email", "proxy_acme_server")
    unused = {
        "none": (*files, *acme, "proxy_tls_port", "proxy_hsts"),
        "files": acme,
        "acme": files,
    }
    if kind not in unused:
        yield Finding("proxy_tls", f'proxy_tls is "{kind}": it is none, files or acme')
        return
    for name in unused[kind]:
        if name in explicit and values[name]:
            yield Finding(
                name,
                f"{name} is set, and proxy_tls is {kind}: it would mean nothing. Take it out, or "
                "set proxy_tls to what you mean.",
            )
    if kind == "acme":
        yield from acme_values(values)
    for name in files if kind == "files" else ():
        path = values[name]
        if not path:
            yield Finding(
                name if name in explicit else "proxy_tls",
                f"proxy_tls is files, and {name} is not set: nginx needs a certificate and its key",
            )
        elif not re.fullmatch(r"(host:)?/[^\x00-\x1f\"'{};$\\]+", path):
            yield Finding(
                name,
                f'{name} is "{path}": write a whole path of this machine '
                "({{ inventory_dir }}/…), or host: and a whole path of the host",
            )
    where = {values[name].startswith("host:") for name in files}
    if kind == "files" and len(where) == 2 and all(values[name] for name in files):
        yield Finding(
            "proxy_tls_key",
            "proxy_tls_certificate and proxy_tls_key are on two machines: who renews one renews "
            "both, so give both with host:, or both without",
        )
    if kind != "none" and values["proxy_tls_port"] == values["site_port"]:
        yield Finding(
            "proxy_tls_port",
            f"proxy_tls_port and site_port are both {values['site_port']}: one port speaks https "
            "or plain HTTP. The usual ones are 443 and 80.",
        )


def acme_values(values: Values) -> Iterator[Finding]:
    """What an authority wants to know, and the names that it gives certificates for."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", values["proxy_acme_email"]):
        yield Finding(
            "proxy_acme_email" if values["proxy_acme_email"] else "proxy_tls",
            f'proxy_tls is acme, and proxy_acme_email is "{values["proxy_acme_email"]}": '
            "the authority wants an address",
        )
    if not re.fullmatch(r"(https://[!-~]+)?", values["proxy_acme_server"]):
        yield Finding(
            "proxy_acme_server",
            f'proxy_acme_server is "{values["proxy_acme_server"]}": an https:// address',
        )
    names = [("site_hosts", host) for host in values["site_hosts"]]
    names += [("admin_host", values["admin_host"])] if values["admin_host"] else []
    for variable, host in names:
        if "." not in host or host.endswith(".localhost") or _is_address(host):
            yield Finding(
                variable,
                f'{variable} has "{host}", and proxy_tls is acme: an authority gives no '
                "certificate for it. Take it out, or set proxy_tls: files.",
                host,
            )


def between(name: str, low: int, high: int, what: str) -> Rule:
    def rule(values: Values) -> Iterator[Finding]:
        if not low <= values[name] <= high:
            yield Finding(name, f"{name} is {values[name]}: {what}")

    return rule


def matching(name: str, pattern: str, what: str) -> Rule:
    def rule(values: Values) -> Iterator[Finding]:
        if not re.fullmatch(pattern, values[name]):
            yield Finding(name, f'{name} is "{values[name]}": {what}')

    return rule


def networks(name: str) -> Rule:
    """Each is an address or a network; systemd takes ``localhost`` as well."""

    def rule(values: Values) -> Iterator[Finding]:
        for each in values[name]:
            if each == "localhost":
                continue
            try:
                ipaddress.ip_network(each)
            except ValueError as error:
                yield Finding(
                    name,
                    f'{name} has "{each}": {error}. Write "localhost", an address or a network '
                    '("10.0.0.0/8").',
                    each,
                )

    return rule


def environment(name: str) -> Rule:
    """Keys and values of an environment file. Values are secrets, so no message shows one."""

    def rule(values: Values) -> Iterator[Finding]:
        for key, value in values[name].items():
            if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
                yield Finding(
                    name, f'{name} has "{key}": a variable\'s name is letters, digits and "_"', key
                )
            elif key in OWN_ENVIRONMENT:
                yield Finding(
                    name,
                    f'{name} has "{key}": django-split sets it for each instance. Take it out.',
                    key,
                )
            elif not isinstance(value, str):
                mend = "it in quotes" if isinstance(value, (bool, int, float)) else "a text"
                yield Finding(
                    name, f'{name} has "{key}" with a value that is no text: write {mend}', key
                )
            elif re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
                yield Finding(
                    name,
                    f'{name} has "{key}" with a line break or a control character in its value, '
                    "which an environment file cannot carry (base64 can)",
                    key,
                )

    return rule


def processes(values: Values) -> Iterator[Finding]:
    names: list[str] = []
    for process in values["site_processes"]:
        name = process["name"]
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            yield Finding(
                "site_processes",
                f'site_processes has the name "{name}": a lower-case letter, then lower-case '
                'letters, digits or "-"',
                name,
            )
        elif name in OWN_PROCESSES or name.startswith(("main-", "admin-")):
            yield Finding(
                "site_processes",
                f'site_processes has the name "{name}", which is one of django-split\'s own',
                name,
            )
        elif name in names:
            yield Finding("site_processes", f'site_processes has the name "{name}" twice', name)
        names.append(name)
        if not process["command"].strip() or "\n" in process["command"]:
            yield Finding(
                "site_processes", f'site_processes has "{name}" with no command of one line', name
            )
        seconds = process["stop_seconds"]
        if not 1 <= seconds <= 3600:
            yield Finding(
                "site_processes",
                f'site_processes has "{name}" with stop_seconds {seconds}: a deploy waits so long '
                "for it, 1 to 3600",
                seconds,
            )


def _prefix_wrong(path: str) -> str:
    if path == "/":
        return '"/" is the whole site'
    if not path.startswith("/") or not path.endswith("/"):
        return f'a path begins and ends with "/" ("/{path.strip("/")}/")'
    if (
        "//" in path
        or not re.fullmatch(r"[A-Za-z0-9/._~@+-]+", path)
        or "/../" in path
        or "/./" in path
    ):
        return 'a path is letters, digits and any of "._~@+-" between single slashes'
    return ""


def prefixes(name: str) -> Rule:
    def rule(values: Values) -> Iterator[Finding]:
        paths = [values[name]] if isinstance(values[name], str) else values[name]
        for path in filter(None, paths) if name == "admin_path" else paths:
            wrong = _prefix_wrong(path)
            if wrong:
                yield Finding(
                    name,
                    f'{name} {"is" if name == "admin_path" else "has"} "{path}": {wrong}',
                    path,
                )

    return rule


def closed_and_served(values: Values) -> Iterator[Finding]:
    """A path cannot be the admin instance's and nobody's."""
    served = [("admin_extra_prefixes", path) for path in values["admin_extra_prefixes"]]
    served += [("admin_path", values["admin_path"])] if values["admin_path"] else []
    for closed in values["main_closed_prefixes"]:
        for name, path in served:
            if path.startswith(closed) or closed.startswith(path):
                yield Finding(
                    "main_closed_prefixes",
                    f'main_closed_prefixes has "{closed}" and {name} has "{path}": one lies in the '
                    "other, and a path cannot be both. Take one of them out.",
                    closed,
                )


def views(name: str) -> Rule:
    def rule(values: Values) -> Iterator[Finding]:
        for view in values[name]:
            wrong = _view_wrong(view)
            if wrong:
                yield Finding(name, f'{name} has "{view}": {wrong}', view)

    return rule


def _view_wrong(view: str) -> str:
    if view and not view.strip("*."):
        return "that is every view; name those that are meant"
    if view.startswith("/"):
        return "that is a path; name the view, as the plan does"
    if not VIEW.fullmatch(view):
        return 'a view is a dotted name ("news.views.edit"), in which "*" stands for anything'
    return ""


def closed_and_anonymous(values: Values) -> Iterator[Finding]:
    for view in values["main_closed_views"]:
        if view in values["main_anonymous_views"]:
            yield Finding(
                "main_closed_views",
                f'main_closed_views and main_anonymous_views both have "{view}": it is closed or '
                "served. Take it out of one of them.",
                view,
            )


def serial(values: Values) -> Iterator[Finding]:
    """What Ansible takes for a play's ``serial``, of its forms the two that say how many."""
    said = values["site_serial"]
    if isinstance(said, bool) or not re.fullmatch(r"[1-9][0-9]{0,3}|(100|[1-9][0-9]?)%", str(said)):
        yield Finding(
            "site_serial",
            f'site_serial is "{said}": write a number of hosts, at least 1, or a part of them '
            '("25%")',
        )


def public_sessions(values: Values) -> Iterator[Finding]:
    engine = values["public_sessions"]
    engines = sorted({served for served, _ in SERVES})
    if engine not in ("none", *engines):
        why = f"it {REFUSED_ENGINES[engine]}" if engine in REFUSED_ENGINES else "no engine of ours"
        yield Finding(
            "public_sessions",
            f'public_sessions is "{engine}": {why}. It is none, {" or ".join(engines)}.',
        )
    elif engine != "none":
        yield from _served("public_sessions", engine, values["session_store"])


def session_store(values: Values) -> Iterator[Finding]:
    store, stores = values["session_store"], sorted({kept for _, kept in SERVES})
    if store not in stores:
        yield Finding(
            "session_store",
            f'session_store is "{store}": it is {", ".join(stores[:-1])} or {stores[-1]}',
        )


def session(values: Values, explicit: set[str]) -> Iterator[Finding]:
    """The engine that somebody has said: the default follows the store."""
    if "session_engine" in explicit:
        yield from _served("session_engine", values["session_engine"], values["session_store"])


def _served(name: str, engine: str, store: str) -> Iterator[Finding]:
    serves = sorted(kept for kept, by in SERVES if by == store)
    if not serves or engine in serves:
        return  # a store that there is not is told of by itself
    why = REFUSED_ENGINES.get(engine)
    what = f"it {why}" if why else f"{store} cannot serve it. With session_store {store}: "
    yield Finding(name, f'{name} is "{engine}": {what}{"" if why else " or ".join(serves)}')


def persistence(values: Values, explicit: set[str]) -> Iterator[Finding]:
    if (
        values["session_store"] == "memcached"
        and "session_persistent" in explicit
        and values["session_persistent"]
    ):
        yield Finding(
            "session_persistent",
            "session_persistent is true: memcached forgets everything when it restarts. Take "
            "session_store: redis, or session_persistent: false (with session_engine: cached_db "
            "nobody is logged out all the same)",
        )


def requirements(values: Values) -> Iterator[Finding]:
    """The list form; a path is looked for in the source."""
    wanted = values["site_requirements"]
    if not isinstance(wanted, (str, list)):
        yield Finding(
            "site_requirements",
            "site_requirements is neither the path of a file in the source nor a list",
        )
    for each in wanted if isinstance(wanted, list) else ():
        if not isinstance(each, str):
            yield Finding(
                "site_requirements", f"site_requirements has {each!r}, which is no text", each
            )
        else:
            wrong = requirement_wrong(each)
            if wrong:
                yield Finding("site_requirements", f'site_requirements has "{each}": {wrong}', each)


def requirement_wrong(text: str) -> str:
    """Why pip would not take a requirement; "" when it would."""
    try:
        Requirement(text)
    except InvalidRequirement as error:
        return f"no requirement that pip knows ({str(error).splitlines()[0]})"
    return ""


def superuser(values: Values) -> Iterator[Finding]:
    person = values["site_superuser"]
    if not person["username"] or re.search(r"\s", person["username"]):
        yield Finding(
            "site_superuser",
            "site_superuser has a username that is empty or has a space in it",
            person,
        )
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", person["email"]):
        yield Finding(
            "site_superuser",
            f'site_superuser has the email "{person["email"]}": no address',
            person,
        )


def database(values: Values) -> Iterator[Finding]:
    """How the site is told of its database, and nobody else tells it of another."""
    if values["site_database"] != "postgresql":
        return
    form = values["site_database_env"]
    if not form or not all(isinstance(text, str) for text in form.values()):
        yield Finding(
            "site_database_env", "site_database_env names no variable: each has a text", form
        )
        return
    if not any("{user}" in text for text in form.values()):
        yield Finding(
            "site_database_env",
            "site_database_env has {user} nowhere: main and the admin would be the same role",
            form,
        )
    for name in ("site_env", "main_env", "admin_env"):
        for key in form.keys() & values[name].keys():
            yield Finding(
                name,
                f'{name} has "{key}", which site_database: postgresql sets for each instance. Take '
                "it out, or say site_database: url",
                key,
            )


def database_rights(values: Values) -> Iterator[Finding]:
    if values["main_writes_users"] and not values["main_reads_passwords"]:
        yield Finding(
            "main_reads_passwords",
            "main_reads_passwords is false and main_writes_users is true: who writes a user reads "
            "all of it. Take one of them out",
        )
    for table, privileges in values["main_grants"].items():
        known = isinstance(privileges, list) and set(privileges) <= set(PRIVILEGES)
        if not known or not isinstance(table, str):
            yield Finding(
                "main_grants",
                f'main_grants has "{table}": write a list of {", ".join(PRIVILEGES)}',
                table,
            )


def one_line_each(name: str, pattern: str, what: str) -> Rule:
    def rule(values: Values) -> Iterator[Finding]:
        for text in values[name]:
            if not re.fullmatch(pattern, text):
                yield Finding(name, f'{name} has "{text}": {what}', text)

    return rule


# What a rule needs, and the rule.
RULES: list[tuple[tuple[str, ...], Rule]] = [
    (("site_name",), site_name),
    (("site_hosts",), site_hosts),
    (("site_port",), between("site_port", 1, 65535, "a port is 1 to 65535")),
    (("proxy_tls_port",), between("proxy_tls_port", 1, 65535, "a port is 1 to 65535")),
    (("main_backend_port",), between("main_backend_port", 1024, 65535, "take 1024 to 65535")),
    (("admin_backend_port",), between("admin_backend_port", 1024, 65535, "take 1024 to 65535")),
    (("proxy_hsts",), between("proxy_hsts", 0, 10**9, "a number of seconds, 0 for none of ours")),
    (("admin_host", "site_hosts"), admin_host),
    (("proxy_listen",), proxy_listen),
    (
        ("site_python",),
        matching("site_python", r"/[^\s]+", "write the whole path, as in /usr/bin/python3"),
    ),
    (
        ("site_packages",),
        one_line_each("site_packages", r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?", "no Debian package"),
    ),
    (
        ("site_first_commands",),
        one_line_each("site_first_commands", r"[^\n]*\S[^\n]*", "a command of one line"),
    ),
    (
        ("site_keep_releases",),
        between("site_keep_releases", 1, 100, "at least the one that serves is kept"),
    ),
    (
        ("site_gate_path",),
        matching("site_gate_path", r"/[!-~]*", 'a path begins with "/" and has no spaces'),
    ),
    (
        ("site_gate_status",),
        between("site_gate_status", 200, 499, "a status that says all is well is 200 to 499"),
    ),
    (("main_workers",), between("main_workers", 1, 512, "a number of processes, at least 1")),
    (("main_threads",), between("main_threads", 1, 512, "a number of threads, at least 1")),
    (("admin_workers",), between("admin_workers", 1, 512, "a number of processes, at least 1")),
    (("admin_threads",), between("admin_threads", 1, 512, "a number of threads, at least 1")),
    (
        ("main_microcache",),
        between("main_microcache", 0, 3600, "a number of seconds; 0 keeps no page"),
    ),
    (
        ("main_microcache_cookies",),
        one_line_each(
            "main_microcache_cookies",
            r"[A-Za-z0-9_.-]+\*?",
            'a cookie\'s name, with "*" at its end for any ending',
        ),
    ),
    (("main_timeout",), between("main_timeout", 1, 86400, "a number of seconds, at least 1")),
    (("admin_timeout",), between("admin_timeout", 1, 86400, "a number of seconds, at least 1")),
    *(
        (
            (name,),
            matching(
                name,
                r"(100|[1-9][0-9]?)%|[1-9][0-9]*[MG]",
                'an amount is written "512M", "2G", or "25%" for a part of the host\'s',
            ),
        )
        for name in ("main_memory", "admin_memory")
    ),
    *(((name,), networks(name)) for name in ("main_networks", "admin_networks")),
    (
        ("site_unit_relax",),
        one_line_each("site_unit_relax", "setgid|netlink", "no restriction: setgid or netlink"),
    ),
    (("site_env",), environment("site_env")),
    (("main_env",), environment("main_env")),
    (("admin_env",), environment("admin_env")),
    (("site_database",), matching("site_database", "url|postgresql", "it is url or postgresql")),
    (("site_database_env",), environment("site_database_env")),
    (("site_database_port",), between("site_database_port", 1, 65535, "a port is 1 to 65535")),
    (("site_database", "site_database_env", "site_env", "main_env", "admin_env"), database),
    (("main_writes_users", "main_reads_passwords", "main_grants"), database_rights),
    (("site_processes",), processes),
    (("site_serial",), serial),
    (("site_superuser",), superuser),
    (("site_requirements",), requirements),
    (("admin_path",), prefixes("admin_path")),
    (("admin_extra_prefixes",), prefixes("admin_extra_prefixes")),
    (("main_closed_prefixes",), prefixes("main_closed_prefixes")),
    (("admin_path", "admin_extra_prefixes", "main_closed_prefixes"), closed_and_served),
    (("main_closed_views",), views("main_closed_views")),
    (("main_anonymous_views",), views("main_anonymous_views")),
    (("main_closed_views", "main_anonymous_views"), closed_and_anonymous),
    (
        ("admin_urlconfs",),
        one_line_each("admin_urlconfs", MODULE.pattern, "no dotted name of a module"),
    ),
    (("admin_cache",), matching("admin_cache", "shared|own", "it is shared or own")),
    (("admin_secret_key",), matching("admin_secret_key", "shared|own", "it is shared or own")),
    (
        ("admin_cookie_samesite",),
        matching("admin_cookie_samesite", "Lax|Strict", "it is Lax or Strict"),
    ),
    (("session_store",), session_store),
    (("public_sessions", "session_store"), public_sessions),
    (
        ("session_preset",),
        matching("session_preset", "default|hardened", "it is default or hardened"),
    ),
    *(
        ((name,), between(name, 0, 10**9, "a number of seconds, 0 for what session_preset has"))
        for name in ("session_idle_timeout", "session_absolute_timeout")
    ),
    *(
        ((name,), between(name, 1, 65535, "a port is 1 to 65535"))
        for name in ("session_store_port", "session_sentinel_port")
    ),
    (("session_store_down_after",), between("session_store_down_after", 1, 3600, "seconds")),
    (("session_store_min_replicas",), between("session_store_min_replicas", 0, 8, "replicas")),
    (
        ("site_address",),
        matching(
            "site_address",
            r"|[A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*",
            "write an address or a name, without a port, without brackets",
        ),
    ),
    (
        ("session_store_memory",),
        matching("session_store_memory", r"[1-9][0-9]*[kmg]b", 'a size is written "64mb"'),
    ),
    (
        ("proxy_login_rate",),
        matching("proxy_login_rate", r"[1-9][0-9]*r/[sm]", 'a rate is written "12r/m" or "1r/s"'),
    ),
    (("proxy_login_burst",), between("proxy_login_burst", 0, 10000, "a number of requests")),
    (
        ("proxy_max_body",),
        matching("proxy_max_body", r"[0-9]+[kKmMgG]?", 'a size is written "20m"'),
    ),
]
