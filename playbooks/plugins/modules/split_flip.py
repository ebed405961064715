#!/usr/bin/python
"""Keep written what a run that moves the traffic has still to do, for a run after it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_flip
short_description: Say of a flip that it begins, that its hook ran, that all behind it is done
options:
  home: {description: The site's folder., type: path, required: true}
  release: {description: The release's id., type: str, required: true}
  state:
    description:
      - C(begun) before the first link is moved; nothing where the release has all traffic already.
        C(hooked) when the site's own C(after_flip) has run. C(ended) when nothing is left to do.
    type: str
    required: true
  back: {description: "With C(begun), whether this is a rollback.", type: bool}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_flip import begin, end, hook_ran, unfinished
from ansible.module_utils.split_releases import serving

OPTIONS = {
    "home": {"type": "path", "required": True},
    "release": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["begun", "hooked", "ended"], "required": True},
    "back": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    home, release, state = (module.params[name] for name in ("home", "release", "state"))
    flip, serve = unfinished(home), serving(home)
    due = {"begun": serve != {release}, "hooked": bool(flip.get("hook")), "ended": bool(flip)}
    if due[state] and not module.check_mode:
        if state == "begun":
            begin(home, release, module.params["back"], serve)
        elif state == "hooked":
            hook_ran(home)
        else:
            end(home)
    module.exit_json(changed=due[state])


if __name__ == "__main__":
    main()
