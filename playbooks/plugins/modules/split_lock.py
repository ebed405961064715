#!/usr/bin/python
"""The lock of a site's deploys, on the host that keeps it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_lock
short_description: Take, look at or end the lock of a site's deploys
description:
  - Its action plugin calls it, which also renews the lock for as long as the run lives.
options:
  state:
    description:
      - C(taken) holds the lock in a process of its own, which ends when it is not renewed. C(seen)
        only looks. C(freed) ends it, whoever holds it.
    type: str
  site: {description: The site's name., type: str, required: true}
  said: {description: What is told to whoever finds the lock taken., type: dict}
  lease: {description: Seconds without a renewal after which the lock ends by itself., type: float}
  renewal: {description: Seconds between two renewals., type: float}
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_holder import Lock

OPTIONS = {
    "state": {"type": "str", "choices": ["taken", "seen", "freed"], "default": "seen"},
    "site": {"type": "str", "required": True},
    "said": {"type": "dict", "default": {}},
    "lease": {"type": "float", "default": 45},
    "renewal": {"type": "float", "default": 5},
}


def main() -> None:
    # A token is no password, and its name must not blank it in the answer.
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    lock, state = Lock(module.params["site"]), module.params["state"]
    if state != "seen" and os.geteuid() != 0:
        module.exit_json(changed=False, refused="it takes root")
    if state == "taken" and not module.check_mode:
        lease, renewal = module.params["lease"], module.params["renewal"]
        try:
            other = lock.take(module.params["said"], lease, renewal)
        except OSError as error:
            module.fail_json(msg=f"The lock of {lock.folder} cannot be taken: {error}")
        if other is not None:
            module.exit_json(changed=False, busy=True, holder=other)
        mine = lock.holder()
        if not mine:  # /run is full
            module.fail_json(msg=f"The process that holds {lock.folder} ended as it began")
        module.exit_json(changed=False, busy=False, holder=mine, renewed=lock.renewed)
    if state == "freed" and not module.check_mode:
        try:
            other = lock.free()
        except TimeoutError as error:
            module.fail_json(msg=f"The lock of {module.params['site']} is still held: {error}")
        module.exit_json(changed=bool(other), holder=other)
    holder = lock.holder()
    module.exit_json(changed=state == "freed" and bool(holder), holder=holder)


if __name__ == "__main__":
    main()
