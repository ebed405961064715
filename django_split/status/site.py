"""What a host is to have of a site, as the playbook has written it down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATE = Path("/var/lib/django-split")


class NoSiteError(Exception):
    """The host has no such site, or none that was deployed by this version; the text says it."""


@dataclass(frozen=True)
class Gate:
    """What a healthy instance answers, through its socket. No path: the login of the plan."""

    path: str
    host: str
    scheme: str = "http"
    status: tuple[int, ...] = (200,)
    text: str = ""


@dataclass(frozen=True)
class Site:
    """One site's places and parts on one host (roles/service writes the file)."""

    name: str
    home: Path
    state: Path
    run: Path
    systemd: bool
    gates: dict[str, Gate] = field(default_factory=dict)
    """By instance; an instance that is not on this host has none."""
    stores: dict[str, str] = field(default_factory=dict)
    """Sockets of the stores on this host, by name: store, public."""
    store: str = "redis"
    processes: tuple[str, ...] = ()
    proxy: str = ""
    """nginx's process, "" where this host has none."""
    ports: tuple[int, ...] = ()

    @classmethod
    def read(cls, name: str, state: Path = STATE) -> Site:
        """The site of that name; raises NoSiteError."""
        path = state / name / "status.json"
        try:
            said = json.loads(path.read_text())
        except FileNotFoundError:
            raise NoSiteError(f"no site {name} on this host ({path} is missing)") from None
        except (OSError, ValueError) as error:
            raise NoSiteError(f"{path}: {error}") from None
        return cls.of(said)

    @classmethod
    def of(cls, said: dict[str, Any]) -> Site:
        """From the file's content."""
        return cls(
            name=said["site"],
            home=Path(said["home"]),
            state=Path(said["state"]),
            run=Path(said["run"]),
            systemd=said["systemd"],
            gates={
                name: Gate(**{**gate, "status": tuple(gate["status"])})
                for name, gate in said["gates"].items()
            },
            stores=said["stores"],
            store=said["store"],
            processes=tuple(said["processes"]),
            proxy=said["proxy"],
            ports=tuple(said["ports"]),
        )
