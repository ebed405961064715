#!/usr/bin/python
"""What a host has to be before a site is put on it. Looks, and changes nothing."""

from __future__ import annotations

import base64
import errno
import glob
import grp
import json
import os
import platform
import pwd
import re
import ssl
import stat
import subprocess
import zlib
from collections.abc import Callable
from typing import Any

from ansible.module_utils import split_surroundings as surroundings
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_listeners import Listener, bind_error, listeners, overlap

DOCUMENTATION = r"""
module: split_preflight
short_description: Look at a host before anything changes
description:
  - Run by the action of the same name. What an argument is about is not looked at without it.
options:
  site: {description: The site's name., type: str}
  port: {description: The port that nginx will listen on., type: int}
  tls_port: {description: The port of https that it will listen on., type: int}
  certificate: {description: "Certificate and key, if they are here.", type: list, elements: str}
  acme: {description: Whether certbot is to get a certificate on this host., type: bool}
  listen: {description: The addresses that it will listen on., type: list, elements: str}
  python: {description: The Python that the site will run on., type: str}
  settings: {description: "The settings module's text, zlib and base64.", type: str}
  settings_path: {description: "Its path in the source, for messages.", type: str}
  disk_megabytes: {description: Space that /srv and /var/lib must have., type: int}
  disk_inodes: {description: "Files that they must have room for, beside those there.", type: int}
  clock: {description: The time on the machine that asks., type: float}
  clock_seconds: {description: How far from that the host's clock may be., type: int}
  store: {description: "What keeps sessions, if this host does.", type: str}
author: django-split
"""

RETURN = r"""
host: {description: What later roles need to know of the host., type: dict, returned: always}
problems: {description: "In the way: variable, what, mend.", type: list, returned: always}
remarks: {description: What is worth a warning., type: list, returned: always}
certificate: {description: "The certificate's text, where it is here.", type: str, returned: always}
certificate_served: {description: "That of the one that nginx has.", type: str, returned: always}
acme_certificate: {description: "The authority's, with a key here.", type: str, returned: always}
settings: {description: "Not Python (error), or empty.", type: dict, returned: always}
"""

OPTIONS = {
    "site": {"type": "str"},
    "port": {"type": "int"},
    "tls_port": {"type": "int"},
    "acme": {"type": "bool", "default": False},
    "certificate": {"type": "list", "elements": "str", "default": []},
    "listen": {"type": "list", "elements": "str", "default": []},
    "python": {"type": "str"},
    "settings": {"type": "str", "no_log": True},
    "settings_path": {"type": "str", "default": "settings.py"},
    "disk_megabytes": {"type": "int", "default": 500},
    "disk_inodes": {"type": "int", "default": 25000},
    "clock": {"type": "float", "default": 0},
    "clock_seconds": {"type": "int", "default": 60},
    "store": {"type": "str"},
    "front_address": {"type": "str", "default": ""},
    "fronts": {"type": "dict", "default": {}},
}

STATE = "/var/lib/django-split"
CONF = "/etc/django-split"
LINEAGES = "/etc/letsencrypt/live"
RUN = "/run"
SUPPORTED = {("debian", "12"), ("debian", "13")}
UNTRIED = {("ubuntu", "22.04"), ("ubuntu", "24.04")}
OLDEST_PYTHON = (3, 10)
PYTHON_SECONDS = 20

# Runs in the site's Python, so it is written for any; the settings come in on standard input.
PROBE = r"""
import json, sys
told = {"version": list(sys.version_info[:3])}
told["abi"] = getattr(getattr(sys, "implementation", None), "cache_tag", None)
if sys.version_info >= (3, 10):
    import ast, importlib.util
    told["has_venv"] = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    text = sys.stdin.buffer.read()
    if sys.argv[2] == "settings":
        try:
            body = ast.parse(text).body
            compile(text, sys.argv[1], "exec", dont_inherit=True)
            # A docstring alone is nothing.
            told["empty"] = all(isinstance(getattr(part, "value", None), ast.Constant)
                                and isinstance(part, ast.Expr) for part in body)
        except SyntaxError as error:
            line = (error.text or "").strip()[:80]
            told["error"] = "%s, line %s: %s: %s" % (sys.argv[1], error.lineno, error.msg, line)
        except ValueError as error:
            told["error"] = "%s: %s" % (sys.argv[1], error)
print(json.dumps(told))
"""


class Host:
    """The host, and what was found wrong with it."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.problems: list[dict[str, str]] = []
        self.remarks: list[str] = []
        self.settings: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}
        self.certificate_text = ""
        self.served_text = ""
        self.acme_text = ""

    def problem(self, variable: str, what: str, mend: str = "") -> None:
        self.problems.append({"variable": variable, "what": what, "mend": mend})

    def look(self) -> None:
        site = self.params["site"]
        self.facts.update(
            process_manager=process_manager(),
            machine=platform.machine(),
            ipv6=has_ipv6(),
            # Daily looks at a certificate, from an earlier run with TLS.
            certificate_timer=bool(
                site and os.path.exists(f"/etc/systemd/system/{site}-certificate.timer")
            ),
            manifest_exists=bool(
                site and glob.glob(os.path.join(STATE, site, "manifests", "*.json"))
            ),
            python={
                "path": self.params["python"] or "",
                "version": "",
                "abi": "",
                "has_venv": False,
            },
        )
        self.system()
        self.around()
        if os.geteuid() != 0:
            self.problem(
                "",
                f"the playbook works as root on the host, and came as {user_name(os.geteuid())}",
                "Run it as root, connect as root, or set ansible_become: true in the inventory.",
            )
            return
        if self.params["python"]:
            self.python(self.params["python"])
        for variable, port in (("site_port", "port"), ("proxy_tls_port", "tls_port")):
            if self.params[port] and self.params["listen"]:
                self.port(variable, self.params[port], self.params["listen"])
        for variable, port in self.params["fronts"].items():
            self.port(variable, int(port), [self.params["front_address"]], "site_address")
        if self.params["acme"]:
            self.acme()
        if self.params["certificate"]:
            self.certificate(*self.params["certificate"])
        if site and self.params["tls_port"]:
            self.served(site)
        if site:
            self.names(site)

    def system(self) -> None:
        told = os_release()
        system = (told.get("ID", ""), told.get("VERSION_ID", ""))
        self.facts["distribution"] = {
            "id": system[0],
            "version": system[1],
            "codename": told.get("VERSION_CODENAME", ""),
        }
        name = told.get("PRETTY_NAME") or " ".join(system).strip() or platform.system()
        if system in UNTRIED:
            self.remarks.append(f"{name} is untested; Debian 12 and 13 are tested")
        elif system not in SUPPORTED:
            self.problem("", f"{name} is not supported: Debian 12 and 13 are")

        if self.params["store"] == "valkey":
            self.valkey(name)

    def valkey(self, system: str) -> None:
        """Debian 12 has none of its own; one that somebody has put there is as good."""
        old = self.facts["distribution"]["version"] in ("12", "22.04")
        if old and not os.path.exists("/usr/bin/valkey-server"):
            self.problem(
                "session_store",
                f"session_store is valkey, and {system} has no Valkey: Debian 13 has",
                "Set session_store: redis, which does the same, or install valkey-server from "
                "bookworm-backports first.",
            )

    def around(self) -> None:
        """Room, clock, locale, name, and what confines programs."""
        seen = surroundings.Seen()
        serving = f"/srv/{self.params['site']}/current"
        surroundings.room(seen, self.params["disk_megabytes"], self.params["disk_inodes"], serving)
        if self.params["clock"]:
            surroundings.clock(seen, self.params["clock"], self.params["clock_seconds"])
        if self.facts["process_manager"] == "systemd":
            surroundings.time_kept(seen)
        surroundings.utf8(seen)
        surroundings.name(seen)
        self.facts["confinement"] = surroundings.confinement(seen)
        self.problems += seen.problems
        self.remarks += seen.remarks

    def python(self, path: str) -> None:
        """Run it as the instances will: as somebody who may do nothing."""
        said = f'site_python is "{path}": '
        if not os.path.exists(path):
            there = sorted(
                glob.glob("/usr/bin/python3*[0-9]") + glob.glob("/usr/local/bin/python3*[0-9]")
            )
            near = " (there is {})".format(", ".join(there)) if there else ""
            self.problem("site_python", said + "no such program on the host" + near)
            return
        told = self.probe(path)
        if isinstance(told, str):
            closed = closed_folder(path)
            if closed:
                told = f"the site's users cannot run it, for {closed} is closed to them"
            mend = (
                "A Python under /usr or /opt can be used, as Debian's own /usr/bin/python3."
                if closed
                else ""
            )
            self.problem("site_python", said + told, mend)
            return
        version = ".".join(map(str, told["version"]))
        self.facts["python"] = {
            "path": path,
            "version": version,
            "abi": told["abi"] or "",
            "has_venv": bool(told.get("has_venv")),
        }
        if tuple(told["version"]) < OLDEST_PYTHON:
            self.problem("site_python", said + f"Python {version} is too old; 3.10 is the oldest")
        elif not told.get("has_venv") and not os.path.realpath(path).startswith("/usr/bin/"):
            # Debian's own gets its venv from a package, which comes with the others.
            self.problem(
                "site_python",
                said + "it has no venv or no ensurepip, so no virtualenv can be made with it",
            )
        self.settings = {key: told[key] for key in ("error", "empty") if key in told}

    def probe(self, path: str) -> dict[str, Any] | str:
        text = (
            zlib.decompress(base64.b64decode(self.params["settings"]))
            if self.params["settings"]
            else b""
        )
        mode = "settings" if self.params["settings"] else "alone"
        try:
            done = subprocess.run(
                [path, "-I", "-W", "ignore", "-c", PROBE, self.params["settings_path"], mode],
                input=text,
                capture_output=True,
                timeout=PYTHON_SECONDS,
                cwd="/",
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                check=False,
                **nobody(),
            )
        except subprocess.TimeoutExpired:
            return f"it had not started after {PYTHON_SECONDS} seconds"
        except OSError as error:
            return f"an unprivileged user cannot run it ({os.strerror(error.errno or 0)})"
        try:
            told: dict[str, Any] = json.loads(done.stdout.decode())
            return told
        except ValueError:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or [
                "it wrote nothing"
            ]
            return f"an unprivileged user cannot run it as a Python ({last[0]})"

    def acme(self) -> None:
        """The certificate of an earlier run, and whether something here can renew it."""
        if self.facts["process_manager"] != "systemd":
            self.problem(
                "proxy_tls",
                "proxy_tls is acme: certbot's certificates are renewed by a timer of systemd's, "
                "and the host has no systemd",
                "Set proxy_tls: files, and have the files renewed elsewhere.",
            )
        folder = os.path.join(LINEAGES, str(self.params["site"]))
        # One without its key is none: nginx would not take it.
        if os.path.exists(os.path.join(folder, "privkey.pem")):
            self.acme_text = contents(os.path.join(folder, "fullchain.pem"))

    def served(self, site: str) -> None:
        """The certificate that visitors are shown: the configuration of an earlier run names it."""
        scope = "" if self.facts["process_manager"] == "systemd" else site
        folder = os.path.join(CONF, scope, "nginx")
        told = contents(os.path.join(folder, "sites", site, "site.conf"))
        named = re.search(r'^ *ssl_certificate "(.+)";$', told, re.MULTILINE)
        if named:
            self.served_text = contents(os.path.join(folder, named.group(1)))

    def certificate(self, certificate: str, key: str) -> None:
        """Files that something on this host renews: nginx reads them where they are."""
        for variable, path in (("proxy_tls_certificate", certificate), ("proxy_tls_key", key)):
            said = f'{variable} is "host:{path}": '
            try:
                with open(path, encoding="ascii", errors="replace") as file:
                    text = file.read()
                    mode = os.fstat(file.fileno()).st_mode
            except OSError as error:
                self.problem(
                    variable, f"{said}{(error.strerror or str(error)).lower()} on the host"
                )
                return
            if variable == "proxy_tls_certificate":
                self.certificate_text = text
            elif "ENCRYPTED" in text:
                self.problem(
                    variable,
                    f"{said}it has a passphrase, and nobody is there to type it when nginx starts",
                )
                return
            elif mode & (stat.S_IROTH | stat.S_IWOTH):
                self.problem(
                    variable,
                    f"{said}everybody on the host may read or write it ({stat.S_IMODE(mode):04o})",
                    f"Make it root's alone: chmod 600 {path}",
                )
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except ssl.SSLError as error:
            what = f"OpenSSL cannot load it with {certificate} ({error.reason or error})"
            if error.reason == "KEY_VALUES_MISMATCH":
                what = f"not the key of the first certificate in {certificate}"
            self.problem("proxy_tls_key", f'proxy_tls_key is "host:{key}": {what}')

    def port(
        self, variable: str, port: int, addresses: list[str], listen: str = "proxy_listen"
    ) -> None:
        """A port is taken when the kernel refuses it and not only our own nginx is in the way."""
        held = listeners(port)
        foreign: dict[str, str] = {}
        for said in addresses:
            address = plain(said)
            if ":" in address and not self.facts["ipv6"]:
                if address not in ("::", "::1"):
                    self.problem(listen, f'{listen} has "{said}": the host has no IPv6')
                continue
            near = [listener for listener in held if overlap(address, listener.address)]
            if any(listener.address == address and self.ours(listener) for listener in near):
                continue
            failed = bind_error(address, port)
            if failed == errno.EADDRNOTAVAIL:
                self.problem(listen, f'{listen} has "{said}": the host has no such address')
            elif failed == errno.EADDRINUSE:
                others = [listener for listener in near if not self.ours(listener)]
                for listener in others:
                    foreign[listener.told()] = listener.unit()
                if not near:
                    foreign["something that /proc does not show"] = ""
            elif failed is not None:
                self.problem(
                    variable,
                    f"{variable} is {port}: the host refuses it on {said} ({os.strerror(failed)})",
                )
        if foreign:
            self.problem(
                variable,
                f"{variable} is {port}, in use on the host by {'; and by '.join(sorted(foreign))}",
                self.other_port(variable, port, addresses, set(foreign.values()) - {""}),
            )

    def other_port(self, variable: str, port: int, addresses: list[str], units: set[str]) -> str:
        usable = [plain(each) for each in addresses]
        usable = [each for each in usable if self.facts["ipv6"] or ":" not in each]
        start = port + 1 if port >= 1024 else 8080
        free = [
            other
            for other in range(start, min(start + 30, 65536))
            if all(not bind_error(a, other) for a in usable)
        ]
        stop = "Stop it"
        if units and self.facts["process_manager"] == "systemd":
            stop = "Stop it for good (systemctl disable --now {})".format(" ".join(sorted(units)))
        example = f" ({free[0]} is free)" if free else ""
        return f"{stop}, or take another {variable}{example}."

    def ours(self, listener: Listener) -> bool:
        """Our nginx of the host or of this site: known by its prefix (-p), which is ours alone."""
        own = [os.path.join(STATE, "nginx")]
        if self.params["site"]:
            own.append(os.path.join(STATE, self.params["site"], "nginx"))
        pattern = r" -p ?({})/?( |$)".format("|".join(map(re.escape, own)))
        return any(
            re.search(pattern, process.command)
            or process.unit == "django-split-nginx.service"
            or left_behind(self.params["site"], process.pid, process.user)
            for process in listener.processes
        )

    def names(self, site: str) -> None:
        """Users, groups and folders of the site's names; a file of ours claims them first."""
        if os.path.exists(os.path.join(STATE, site, "owner")):
            return
        both = ("store", "public", "build", "owner")
        users = [f"{site}-{part}" for part in ("main", "admin", *both)]
        groups = [site, *(f"{site}-{part}" for part in ("main-http", "admin-http", *both))]
        taken = ["the user " + name for name in users if known(pwd.getpwnam, name)]
        taken += ["the group " + name for name in groups if known(grp.getgrnam, name)]
        taken += [path for path in (f"/srv/{site}", f"/run/{site}") if used(path)]
        manage = f"/usr/local/sbin/{site}-manage"
        taken += [manage] if os.path.lexists(manage) else []
        if taken:
            self.problem(
                "site_name",
                f'site_name is "{site}": {listed(taken)} on the host already, and not made by '
                "django-split",
                "Take another name.",
            )


def left_behind(site: str | None, pid: int, user: str) -> bool:
    """A worker whose master was killed: its command no longer says whose it is, its group does.

    The next start of the site's nginx ends it (templates/supervisor/run.sh.j2).
    """
    try:
        with open(f"{RUN}/{site}/pids/{site}-nginx") as note:
            return user == "django-split-proxy" and os.getpgid(pid) == int(note.read().split()[0])
    except (OSError, ValueError, IndexError):
        return False


def plain(address: str) -> str:
    """An address as nginx writes it, without its brackets."""
    return "0.0.0.0" if address == "*" else address.strip("[]")  # noqa: S104 (only tried, not served)


def contents(path: str) -> str:
    """A file's text; none where there is no such file."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def listed(texts: list[str]) -> str:
    """ "a is", or "a, b and c are"."""
    return f"{texts[0]} is" if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]} are"


def process_manager() -> str:
    with open("/proc/1/comm") as file:
        first = file.read().strip()
    return (
        "systemd" if first == "systemd" and os.path.isdir("/run/systemd/system") else "supervisor"
    )


def has_ipv6() -> bool:
    """Whether a server can listen on IPv6: the kernel may have none, or it may be switched off."""
    try:
        return bind_error("::1", 0) is None
    except OSError:
        return False


def os_release() -> dict[str, str]:
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path) as file:
                pairs = [line.strip().partition("=")[::2] for line in file if "=" in line]
            return {key: value.strip("\"'") for key, value in pairs}
        except OSError:
            continue
    return {}


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def nobody() -> dict[str, Any]:
    """Arguments of subprocess.run for a user who may do nothing, as the instances' users may."""
    try:
        entry = pwd.getpwnam("nobody")
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    except KeyError:
        return {"user": 65534, "group": 65534, "extra_groups": []}


def closed_folder(path: str) -> str:
    """The first folder on a program's way, links and all, that others may not enter; or ""."""
    seen: set[str] = set()
    while path not in seen:
        seen.add(path)
        folder = os.path.dirname(os.path.abspath(path))
        for way in (folder, os.path.realpath(folder)):
            parts = way.split("/")
            for end in range(1, len(parts) + 1):
                part = "/".join(parts[:end]) or "/"
                mode = os.stat(part).st_mode
                if not mode & stat.S_IXOTH:
                    return f"{part} ({stat.S_IMODE(mode):04o})"
        if os.path.islink(path):
            path = os.path.join(folder, os.readlink(path))
    mode = os.stat(path).st_mode
    return "" if mode & stat.S_IXOTH else f"{path} ({stat.S_IMODE(mode):04o})"


def known(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except KeyError:
        return False
    return True


def used(path: str) -> bool:
    """Whether somebody has put something there; an empty folder may be a mount made for us."""
    if not os.path.isdir(path) or os.path.islink(path):
        return os.path.lexists(path)
    return bool(set(os.listdir(path)) - {"lost+found"})


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    host = Host(module.params)
    host.look()
    module.exit_json(
        changed=False,
        host=host.facts,
        problems=host.problems,
        remarks=host.remarks,
        certificate=host.certificate_text,
        certificate_served=host.served_text,
        acme_certificate=host.acme_text,
        settings=host.settings,
    )


if __name__ == "__main__":
    main()
