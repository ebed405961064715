"""A site's processes in the words of its own supervisord."""

from __future__ import annotations

import contextlib
import xmlrpc.client
from typing import Any

from .site import Site
from .unix import UnixConnection


class _Unix(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> Any:
        return UnixConnection(self._path)


def states(site: Site) -> dict[str, dict[str, Any]] | str:
    """By name; a text says why there is none."""
    path = str(site.run / "supervisor.sock")
    server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Unix(path))
    try:
        infos: Any = server.supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error) as error:
        return f"the site's supervisord does not answer: {error}"
    found = {}
    for info in infos:
        with contextlib.suppress(KeyError):
            found[info["name"]] = {
                "active": info["statename"] == "RUNNING",
                "is": "active" if info["statename"] == "RUNNING" else info["statename"].lower(),
                "since": float(info["start"]) or None,
            }
    return found
