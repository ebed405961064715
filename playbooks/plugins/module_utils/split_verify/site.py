"""What is claimed of which site: the module's arguments and the plan of the release that serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .web import Target

# Where nginx listens everywhere, it is asked on this machine
ANY_ADDRESS = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104


class PlanError(Exception):
    """The plan of the serving release cannot be read; the text says why."""


@dataclass(frozen=True)
class Site:
    """A deployed site on this host."""

    arguments: Mapping[str, Any]
    plan: Mapping[str, Any]

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Site:
        """Read the plan that the arguments name. Raises PlanError."""
        path = arguments["plan_file"]
        try:
            plan = arguments.get("plan") or json.loads(Path(path).read_text())
        except OSError as error:
            raise PlanError(f"{path}: {(error.strerror or str(error)).lower()}") from error
        except ValueError as error:
            raise PlanError(f"{path}: {error}") from error
        for section, key in (("admin", "path"), ("proxy", "admin_prefixes")):
            if not plan.get(section, {}).get(key):
                raise PlanError(f"{path}: no [{section}] {key} in it")
        return cls(arguments, plan)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def timeout(self) -> float:
        """Seconds for one network action."""
        return float(self["timeout"])

    @property
    def host(self) -> str:
        """The Host header of the first site host, as a browser sends it."""
        return self._header(self["hosts"][0].lstrip("*."))

    @property
    def admin_host(self) -> str:
        """The Host header of the admin: its own, or that of the public pages."""
        return self._header(self["admin_host"]) if self["admin_host"] else self.host

    def _header(self, name: str) -> str:
        own = 443 if self.scheme == "https" else 80
        return name if self["port"] == own else f"{name}:{self['port']}"

    @property
    def scheme(self) -> str:
        """What visitors ask by: https where nginx ends TLS."""
        return "https" if self["plain_port"] else "http"

    @property
    def plain_proxies(self) -> list[Target]:
        """Every address where plain HTTP is only sent on to https; none without TLS."""
        if not self["plain_port"]:
            return []
        return [Target(proxy.address, self["plain_port"]) for proxy in self.proxies]

    @property
    def has_public_sessions(self) -> bool:
        """Whether main has sessions, in a store of its own."""
        return bool(self["public_socket"])

    @property
    def parts(self) -> list[str]:
        """The processes that each have a user and a socket here: a store elsewhere has none."""
        every = [name for name in ("main", "admin", "store", "public") if self[f"{name}_socket"]]
        return [part for part in every if not self.apart or part in self["here"]]

    @property
    def apart(self) -> bool:
        """Whether the site's other hosts have what is not here."""
        return bool(self.arguments.get("here"))

    @property
    def instances(self) -> dict[str, Target]:
        """The instances of this host, each with its own socket."""
        every = {"main": self.main, "admin": self.admin}
        return {name: every[name] for name in every if name in self.parts}

    @property
    def proxies(self) -> list[Target]:
        """Every address that nginx listens on for visitors."""
        if self.apart and "proxy" not in self["here"]:
            return []
        return [
            Target(
                ANY_ADDRESS.get(address, address.strip("[]")), self["port"], self.scheme, self["ca"]
            )
            for address in self["listen"]
        ]

    @property
    def main(self) -> Target:
        """Main's own socket, past nginx."""
        return Target(self["main_socket"], scheme=self.scheme)

    @property
    def admin(self) -> Target:
        """The admin's own socket, past nginx."""
        return Target(self["admin_socket"], scheme=self.scheme)

    @property
    def admin_path(self) -> str:
        """URL path of the admin's primary mount."""
        return str(self.plan["admin"]["path"])

    @property
    def login_path(self) -> str:
        """URL path of the admin's login page."""
        return str(self.plan["admin"].get("login") or self.admin_path)

    @property
    def admin_prefixes(self) -> list[str]:
        """URL prefixes that nginx sends to the admin."""
        return list(self.plan["proxy"]["admin_prefixes"])

    @property
    def closed_prefixes(self) -> list[str]:
        """URL prefixes that main answers with 404."""
        return list(self.plan["proxy"].get("closed_prefixes") or [])

    @property
    def file_prefixes(self) -> list[str]:
        """URL prefixes of files: no pages there."""
        urls = (self.plan["proxy"].get(key) for key in ("static_url", "media_url"))
        return [url for url in urls if url and url != "/"]
