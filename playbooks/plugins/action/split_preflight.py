"""Look at a host's variables here, at the host in one module run; say all that is wrong at once."""

from __future__ import annotations

import base64
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parents[3]
# Ansible loads a plugin by its path: what it shares with others is not on Python's path by itself.
sys.path.append(str(ROOT / "playbooks" / "plugins"))

from preflight_checks import (  # noqa: E402
    certificates,
    hooks,
    maintenance,
    settings,
    source,
    table,
    topology,
    values,
)
from preflight_checks.origins import Inventory  # noqa: E402
from preflight_checks.problems import Problem, message  # noqa: E402

TABLE = ROOT / "roles" / "preflight" / "meta" / "argument_specs.yml"


class ActionModule(ActionBase):  # type: ignore[misc] # Ansible has no type hints
    """Takes no arguments: its input is what the inventory says."""

    _supports_check_mode = True
    _VALID_ARGS = frozenset[str]()
    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        host = str(task_vars["inventory_hostname"])
        checks = _Checks(self._templar, self._loader, task_vars)
        checks.variables()
        checks.source()
        checks.certificate()
        checks.hooks()
        checks.topology()
        try:
            seen = self._execute_module(
                module_name="split_preflight", module_args=checks.questions(), task_vars=task_vars
            )
        except AnsibleConnectionFailure as error:
            if not checks.problems:
                raise
            seen = {"failed": True, "msg": str(error)}
        checks.shown(seen)
        if seen.get("failed") or "host" not in seen:
            if not checks.problems:
                return {**result, **seen, "failed": True}
            checks.problems.append(
                Problem("", f"{host} could not be looked at: {seen.get('msg', 'no answer')}")
            )
        else:
            checks.answers(seen)
            result["warnings"] = [*seen["remarks"], *checks.remarks]
        if checks.problems:
            return {**result, "failed": True, "msg": message(host, checks.problems)}
        return {
            **result,
            "changed": False,
            "host": {
                **seen["host"],
                "source": checks.origin(),
                "acme_there": bool(seen.get("acme_certificate")),
                "acme_certified": checks.certified(seen),
            },
        }


class _Checks:
    """One host's variables, and what was found wrong with them."""

    def __init__(self, templar: Any, loader: Any, task_vars: dict[str, Any]) -> None:
        self.problems: list[Problem] = []
        self.remarks: list[str] = []
        self._loader = loader
        self._templar = templar
        self._task_vars = task_vars
        self._table = table.read_table(TABLE)
        self._inventory = Inventory(task_vars, loader)
        self._values: dict[str, Any] = {}
        self._raw: dict[str, Any] = {}
        self._broken: set[str] = set()
        self._source: source.Source | None = None
        self._topology = topology.Topology.of(task_vars)
        self._certificate = b""

    def variables(self) -> None:
        """Names, types, and what each may say."""
        self._names()
        for name, row in self._table.items():
            self._take(name, row)
        for finding in values.check(self._values, self._inventory.names()):
            self._broken.add(finding.variable)
            self._found(finding)
        for finding in maintenance.check(self._values):
            self._found(finding)

    def source(self) -> None:
        """The source and what has to be in it."""
        needs = {"site_source", "site_version", "site_directory", "site_settings"}
        if needs & self._broken or not needs <= self._values.keys():
            return
        location, version, directory, module = (
            self._values[name]
            for name in ("site_source", "site_version", "site_directory", "site_settings")
        )
        wanted = settings.module_files(directory, module)
        try:
            seconds = int(self._task_vars.get("preflight_git_seconds", 20))
            self._source = source.find(location, version, wanted, seconds)
        except source.NotThereError as error:
            said = self._values[error.variable]
            shown = source.without_password(said)
            self._add(error.variable, f'{error.variable} is "{shown}": {error}')
            return
        requirements = self._values.get("site_requirements", "")
        requirements = requirements if isinstance(requirements, str) else ""
        for finding in settings.check(self._source, directory, module, requirements):
            self._found(finding)

    def certificate(self) -> None:
        """The files that lie here; those on the host are the host's to look at first."""
        if not self._has("proxy_tls", *certificates.FILES) or self._values["proxy_tls"] != "files":
            return
        if self._values[certificates.CERTIFICATE].startswith(certificates.ON_HOST):
            return
        for finding in certificates.given(self._values, self._loader):
            self._broken.add(finding.variable)
            self._found(finding)
        if self._has(*certificates.FILES):
            path = self._values[certificates.CERTIFICATE]
            with open(self._loader.get_real_file(path), "rb") as file:
                self._certificate = file.read()

    def shown(self, seen: dict[str, Any]) -> None:
        """What the certificate says of itself, wherever it lies, on a host that shows it."""
        text = self._certificate or seen.get("certificate", "").encode()
        if not text or not self._topology.proxies:
            return
        path = self._values[certificates.CERTIFICATE]
        served = certificates.same(text, seen.get("certificate_served", "").encode())
        for finding in certificates.content(path, text, self._served(), served):
            self._found(finding)
        self.remarks += filter(None, [certificates.remark(path, text, served)])

    def hooks(self) -> None:
        """Task files that lie here."""
        if self._has("site_hooks"):
            for finding in hooks.check(self._values, self._loader):
                self._found(finding)

    def topology(self) -> None:
        """The inventory as a whole: which hosts there are, and how they reach each other."""
        sound = {name: said for name, said in self._values.items() if name not in self._broken}
        for finding in topology.check(self._topology, sound):
            self._found(finding)

    def _has(self, *names: str) -> bool:
        return all(name in self._values and name not in self._broken for name in names)

    def _served(self) -> list[tuple[str, str]]:
        """The names that a certificate has to have."""
        names = []
        if self._has("site_hosts"):
            names += [("site_hosts", host) for host in self._values["site_hosts"]]
        if self._has("admin_host") and self._values["admin_host"]:
            names.append(("admin_host", self._values["admin_host"]))
        return names

    def certified(self, seen: dict[str, Any]) -> bool:
        """Whether the host has the authority's certificate for all names; else it is asked for."""
        text = seen.get("acme_certificate", "").encode()
        return bool(text) and not list(certificates.content("", text, self._served()))

    def questions(self) -> dict[str, Any]:
        """The module's arguments; what is broken here is not asked there."""
        asked: dict[str, Any] = {
            argument: self._values[name]
            for argument, name in {
                "site": "site_name",
                "port": "site_port",
                "listen": "proxy_listen",
                "python": "site_python",
            }.items()
            if name in self._values
            and name not in self._broken
            and (name not in ("site_port", "proxy_listen") or self._topology.proxies)
        }
        if self._topology.several and self._topology.fronts():
            asked["front_address"] = self._topology.addresses[self._topology.host]
            asked["fronts"] = {
                name: self._values[name]
                for name in map(topology.PORTS.__getitem__, self._topology.fronts())
                if self._has(name)
            }
        tls = self._topology.proxies and self._has("proxy_tls", *certificates.FILES)
        if tls and self._values["proxy_tls"] != "none":
            if self._has("proxy_tls_port"):
                asked["tls_port"] = self._values["proxy_tls_port"]
            on_host = [self._values[name] for name in certificates.FILES]
            if self._values["proxy_tls"] == "acme":
                asked["acme"] = True
            elif on_host[0].startswith(certificates.ON_HOST):
                asked["certificate"] = [path.removeprefix(certificates.ON_HOST) for path in on_host]
        for figure, default in {
            "disk_megabytes": 500,
            "disk_inodes": 25000,
            "clock_seconds": 60,
        }.items():
            asked[figure] = self._task_vars.get(f"preflight_{figure}", default)
        asked["clock"] = time.time()
        if self._has("session_store") and "redis" in self._task_vars.get("group_names", []):
            asked["store"] = self._values["session_store"]
        for name, text in self._source.texts.items() if self._source else ():
            asked["settings_path"] = name
            # Settings may hold secrets: the argument is not logged. Packed, it is never so short
            # a text that hiding it would blank others.
            asked["settings"] = base64.b64encode(zlib.compress(text)).decode()
            break
        return asked

    def answers(self, seen: dict[str, Any]) -> None:
        """What the host has to say about the host, and about the settings in its own Python."""
        if self._topology.several and seen["host"]["process_manager"] != "systemd":
            self._add("", "several hosts take systemd on each, and this one has none")
        for problem in seen["problems"]:
            self._add(problem["variable"], problem["what"], problem.get("mend", ""))
        told = seen.get("settings") or {}
        if self._source is None or "site_settings" in self._broken:
            return
        module = self._values["site_settings"]
        if told.get("error"):
            self._add(
                "site_settings",
                f'site_settings is "{module}", which is not Python: {told["error"]}',
            )
        elif told.get("empty"):
            inside = settings.settings_modules(
                self._source, self._values["site_directory"], below=module
            )
            meant = f" (did you mean {' or '.join(inside)}?)" if inside else ""
            self._add(
                "site_settings", f'site_settings is "{module}", a module with nothing in it{meant}'
            )

    def origin(self) -> dict[str, str]:
        """What the source is, for the fact."""
        found = self._source
        return (
            {"kind": found.kind, "location": found.location, "commit": found.commit}
            if found
            else {}
        )

    def _names(self) -> None:
        names = self._inventory.names()
        renamed: dict[str, str] = self._task_vars.get("__preflight_renamed", {})
        foreign = list(self._task_vars.get("preflight_foreign_variables", []))
        for old in sorted(names & renamed.keys()):
            self._add(old, f"{old} is now called {renamed[old]}")
        for name in table.unknown(names, self._table, [*foreign, *renamed]):
            near = table.nearest(name, self._table)
            mend = "If it is your own, name it in preflight_foreign_variables."
            self._add(name, f"{name} is no variable of django-split{near}", mend)

    def _take(self, name: str, row: table.Variable) -> None:
        if name not in self._task_vars:
            if row.required:
                self._broken.add(name)
                self._add(name, f"{name} is not set", place=f"Set it in {self._inventory.file()}.")
            else:
                self._values[name] = row.default
            return
        raw = self._raw[name] = self._task_vars[name]
        try:
            self._values[name] = table.taken(self._templar.template(raw), row)
        except table.WrongTypeError as error:
            self._broken.add(name)
            self._add(name, f"{name} {error}", value=error.value)
        except AnsibleError as error:
            self._broken.add(name)
            self._add(name, f"{name} cannot be worked out: {' '.join(str(error).split())}")

    def _found(self, finding: values.Finding) -> None:
        self._add(finding.variable, finding.what, value=finding.value)

    def _add(
        self, name: str, what: str, mend: str = "", place: str = "", value: object = None
    ) -> None:
        """A problem with the place of its element, else of the value, else of the name."""
        if not place and name:
            place = self._inventory.place(name, value) or self._inventory.place(
                name, self._raw.get(name)
            )
        self.problems.append(Problem(name, what, place, mend))
