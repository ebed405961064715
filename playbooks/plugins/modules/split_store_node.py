#!/usr/bin/python
"""One host of a store that is on several: its first configuration, and whether it does its part."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_store_node
short_description: Redis and Sentinel on one of several hosts
description:
  - Redis and Sentinel write their roles into their own configuration files. These are begun once,
    with who is primary by the word of the Sentinels that there are, and never written again.
  - What we configure lies elsewhere and is read after them.
options:
  state:
    description: >-
      C(begun) makes the files that are missing. C(healthy) waits until this host does its part.
      C(together) asks whether all hosts agree and are complete.
    type: str
    choices: [begun, healthy, together]
    required: true
  name: {description: By which Sentinel knows the store., type: str, required: true}
  addresses: {description: "All hosts, in order.", type: list, elements: str, required: true}
  address: {description: This host., type: str, required: true}
  port: {description: Where the store listens., type: int, required: true}
  sentinel_port: {description: Where Sentinel listens., type: int, required: true}
  authority: {description: The file of the authority., type: path, required: true}
  passwords: {description: "Of the users sentinel and peer.", type: dict, required: true}
  folders: {description: "Where the two files lie, by store and sentinel.", type: dict}
  owner: {description: Whose they are., type: str}
  first: {description: "Whether no host has been begun: the first is primary.", type: bool}
  timeout: {description: Seconds to wait., type: int, default: 60}
author: django-split
"""

RETURN = r"""
primary: {description: "Who is primary, by the Sentinels.", type: str, returned: begun, together}
begun: {description: Files that were made., type: list, returned: begun}
problems: {description: What is wrong., type: list, returned: together}
seen: {description: "What was found, in words.", type: str, returned: together}
"""

import contextlib
import os
import pwd
import socket
import time
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_redis import AwayError, Redis, RefusedError

OPTIONS = {
    "state": {"type": "str", "choices": ["begun", "healthy", "together"], "required": True},
    "name": {"type": "str", "required": True},
    "addresses": {"type": "list", "elements": "str", "required": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "sentinel_port": {"type": "int", "required": True},
    "authority": {"type": "path", "required": True},
    "passwords": {"type": "dict", "required": True, "no_log": True},
    "folders": {"type": "dict", "default": {}},
    "owner": {"type": "str", "default": "root"},
    "first": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 60},
}
HEADER = """\
# Begun by django-split for site {site}. {who} writes its role into it: do not edit.
# What is configured stands in /etc/django-split/{site}/{part}.conf, which is read after this file.
"""


class Store:
    """The hosts of one store, seen from this one."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self.name: str = options["name"]
        self.addresses: list[str] = options["addresses"]
        self.has_sentinels = len(self.addresses) > 1

    def redis(self, address: str) -> Redis:
        given = self._options
        password = given["passwords"]["sentinel"]
        return Redis(address, given["port"], given["authority"], "sentinel", password)

    def sentinel(self, address: str) -> Redis:
        given = self._options
        password = given["passwords"]["peer"]
        return Redis(address, given["sentinel_port"], given["authority"], "peer", password)

    def primaries(self) -> Iterator[tuple[str, str]]:
        """Each Sentinel that answers, and whom it takes for the primary."""
        for address in self.addresses:
            try:
                with self.sentinel(address) as sentinel:
                    found = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
            except (AwayError, RefusedError):
                continue
            if found:
                yield address, str(found[0])


class CannotBeginError(Exception):
    """It is not known who is primary, and guessing could lose what the others hold."""


def primary(store: Store, first: bool) -> str:
    if not store.has_sentinels:
        return store.addresses[0]
    for _, found in store.primaries():
        return found
    if first:
        return store.addresses[0]
    raise CannotBeginError(
        "hosts of the store have sessions already, and no Sentinel says which of them is primary. "
        f"Start {store.name}-sentinel and {store.name}-store on them, then run the same command "
        "again, without --limit"
    )


def begin(store: Store, options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Make what is missing. Whoever has its file keeps it: Redis knows better by now."""
    parts = {"store": "Redis", **({"sentinel": "Sentinel"} if store.has_sentinels else {})}
    paths = {part: os.path.join(options["folders"][part], "node.conf") for part in parts}
    missing = [part for part, path in paths.items() if not os.path.exists(path)]
    if not missing:
        return {"changed": False, "begun": []}
    main = primary(store, options["first"])
    quorum = len(store.addresses) // 2 + 1
    lines = {
        "store": "" if main == options["address"] else f"replicaof {main} {options['port']}\n",
        "sentinel": f"sentinel monitor {store.name} {main} {options['port']} {quorum}\n",
    }
    for part in missing if not check_mode else ():
        header = HEADER.format(site=store.name, who=parts[part], part=part)
        _write(paths[part], header + lines[part], options["owner"])
    return {"changed": True, "begun": [paths[part] for part in missing], "primary": main}


def _write(path: str, text: str, owner: str) -> None:
    account = pwd.getpwnam(owner)
    beside = f"{path}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
        os.fsync(file.fileno())
    os.rename(beside, path)


def unwell(store: Store, address: str) -> str:
    """Why a host does not do its part; empty when it does."""
    try:
        with store.redis(address) as redis:
            said = redis.fields("INFO", "replication")
        if said["role"] != "master" and said["master_link_status"] != "up":
            return f"{address} has no link to its primary {said['master_host']}"
        if store.has_sentinels:
            with store.sentinel(address) as sentinel:
                sentinel.ask("PING")
    except AwayError as error:
        return f"{address} does not answer: {error}"
    except RefusedError as error:
        return f"{address} refuses: {error}"
    return ""


def open_doors(store: Store, address: str, given: dict[str, Any]) -> Iterator[str]:
    """What of a host answers to who has no password, or does not speak TLS."""
    ports = [given["port"], *([given["sentinel_port"]] if store.has_sentinels else [])]
    for port in ports:
        with contextlib.suppress(AwayError, RefusedError):
            with Redis(address, port, given["authority"]) as nobody:
                nobody.ask("PING")
            yield f"{address}:{port} answers without a password"
        with contextlib.suppress(OSError):
            with socket.create_connection((address, port), 2) as plain:
                plain.settimeout(2)
                plain.sendall(b"PING\r\n")
                said = plain.recv(64)
            if said.startswith((b"+", b"-NOAUTH", b"-NOPERM")):
                yield f"{address}:{port} answers without TLS"


def together(store: Store) -> tuple[list[str], str, str]:
    """What is wrong with the whole, what was seen, and who is primary."""
    problems = [problem for each in store.addresses if (problem := unwell(store, each))]
    if problems or not store.has_sentinels:
        seen = f"{len(store.addresses) - len(problems)} of {len(store.addresses)} hosts answer"
        return problems, seen, store.addresses[0]
    say = dict(store.primaries())
    if len(set(say.values())) != 1 or len(say) != len(store.addresses):
        return [f"the Sentinels do not agree who is primary: {say}"], "", ""
    main = next(iter(say.values()))
    others = len(store.addresses) - 1
    with store.redis(main) as redis:
        said = redis.fields("INFO", "replication")
        if said["role"] != "master" or int(said["connected_slaves"]) != others:
            problems.append(
                f"{main} is {said['role']} with {said['connected_slaves']} of {others} replicas"
            )
    for address in store.addresses:
        with store.sentinel(address) as sentinel:
            known = sentinel.fields("SENTINEL", "MASTER", store.name)
            has = {"replicas": known["num-slaves"], "Sentinels": known["num-other-sentinels"]}
            wrong = [f"{number} {what}" for what, number in has.items() if int(number) != others]
            if wrong:
                problems.append(
                    f"the Sentinel of {address} knows {' and '.join(wrong)} beside it, not {others}"
                )
    return problems, f"{main} is primary, {others} replicas, all Sentinels agree", main


def wait(options: dict[str, Any], what: Any) -> Any:
    """The first answer without a problem, or the last."""
    deadline = time.monotonic() + options["timeout"]
    while (found := what()) and (found[0] if isinstance(found, tuple) else found):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return found


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    options = module.params
    store = Store(options)
    if options["state"] == "begun":
        try:
            module.exit_json(**begin(store, options, module.check_mode))
        except CannotBeginError as error:
            module.fail_json(msg=f"{options['address']}: {error}")
    if options["state"] == "healthy":
        problem = wait(options, lambda: unwell(store, options["address"]))
        if problem:
            module.fail_json(msg=f"{problem} (waited {options['timeout']} s)")
        module.exit_json(changed=False)
    problems, seen, found = wait(options, lambda: _together(store))
    problems += open_doors(store, options["address"], options)
    module.exit_json(changed=False, problems=problems, seen=seen, primary=found)


def _together(store: Store) -> tuple[list[str], str, str]:
    try:
        return together(store)
    except (AwayError, RefusedError) as error:  # it went while we asked
        return [str(error)], "", ""


if __name__ == "__main__":
    main()
