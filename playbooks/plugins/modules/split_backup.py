#!/usr/bin/python
"""Save what cannot be made again of a site, and put it back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_backup
short_description: Save what people have made of a site and what was made once, and put it back
description:
  - The database (PostgreSQL of ours by pg_dump, SQLite by its own online backup), uploads, the
    sessions in Redis, and the secrets that were made on the host. A site goes on meanwhile.
options:
  site: {description: The site's name., type: str, required: true}
  state:
    description:
      - C(saved) writes an archive. C(checked) reads one whole and says what it is. C(restored) puts
        it in the place of what is there and leaves the site stopped; C(started) starts I(stopped).
    type: str
  path: {description: The archive that is read., type: path}
  directory: {description: Where archives are written., type: path}
  keep: {description: "How many archives of the site stay there, 0 for all.", type: int}
  folders: {description: "The folders data, var and media.", type: dict}
  conf: {description: The site's folder in /etc., type: path}
  state_folder: {description: The site's folder in /var/lib/django-split., type: path}
  releases: {description: The folder of its releases., type: path}
  current: {description: The link to the release that serves., type: path}
  stores: {description: The session stores on this host., type: list, elements: str}
  store_program: {description: "redis, valkey or memcached.", type: str}
  database: {description: "name, owner, others and port; empty for SQLite.", type: dict}
  stopped: {description: What a restore has stopped., type: list, elements: str}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_backup.archive import check, save
from ansible.module_utils.split_backup.parts import BackupError
from ansible.module_utils.split_backup.restore import restore, start
from ansible.module_utils.split_service import ServiceError, manager_for

OPTIONS = {
    "site": {"type": "str", "required": True},
    "state": {
        "type": "str",
        "choices": ["saved", "checked", "restored", "started"],
        "required": True,
    },
    "path": {"type": "path"},
    "directory": {"type": "path"},
    "keep": {"type": "int", "default": 7},
    "folders": {"type": "dict", "default": {}},
    "conf": {"type": "path"},
    "state_folder": {"type": "path"},
    "releases": {"type": "path"},
    "current": {"type": "path"},
    "stores": {"type": "list", "elements": "str", "default": []},
    "store_program": {"type": "str", "default": "redis"},
    "database": {"type": "dict", "default": {}},
    "stopped": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    wanted = module.params
    state = wanted["state"]
    try:
        if state == "checked" or (state == "restored" and module.check_mode):
            about = check(wanted["path"], wanted["site"])
            module.exit_json(changed=state == "restored", stopped=[], notes=[], **about)
        if module.check_mode:
            module.exit_json(changed=True)
        if state == "saved":
            module.exit_json(changed=True, **save(wanted))
        if state == "restored":
            module.exit_json(changed=True, **restore(wanted))
        start(manager_for(wanted["site"]), wanted["stopped"])
        module.exit_json(changed=bool(wanted["stopped"]))
    except (BackupError, ServiceError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
