"""Install the files of a role as one tree (the part that runs on the host)."""

from __future__ import annotations

import os
import signal
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_tree import install, manifest, plan, report, stage
from ansible.module_utils.split_tree.entries import Entry, TreeError, digest, unpack

DOCUMENTATION = r"""
module: split_tree
short_description: Install the files of a role as one tree
description:
  - Renders a list of files on the controller, sends them in one module run, compares them with the
    host, validates
    the whole of them in a stage, and installs them by rename. A validator that fails leaves the
    host as it was.
  - A manifest remembers what was installed. A path that is no longer listed is removed when nobody
    changed it and no
    other manifest lists it; a changed one stays, with a warning.
  - Directories above a listed path that do not exist are made root's, C(0755), and are removed
    with the last file
    below them. List a directory to give it another owner or mode.
  - A symbolic link at a listed path is replaced, never followed. A directory is never replaced.
  - Works in check mode on a host that has nothing, with C(--diff), and leaves nothing behind there.
options:
  manifest:
    description:
      - Where the host remembers what is installed, an absolute path that ends in C(.json). One for
        each role and site.
      - Usually C(/var/lib/django-split/SITE/manifests/ROLE.json).
    type: path
    required: true
  files:
    description:
      - What the role owns. Every item has C(path) and exactly one of C(template), C(content),
        C(link), C(directory).
      - An empty list is an error (a loop that found nothing must not uninstall a role); see
        O(state=absent).
    type: list
    elements: dict
    suboptions:
      path:
        description: Absolute, without C(..), each only once.
        type: str
        required: true
      template:
        description: File below the repository's C(templates/), rendered as
          C(ansible.builtin.template) does.
        type: str
      content:
        description: The text of the file.
        type: str
      link:
        description: The target of a symbolic link, as it is to stand in it. Takes no owner, group
          or mode.
        type: str
      directory:
        description: C(true) for a directory.
        type: bool
      owner:
        description: A user, or an id in quotes.
        type: str
        default: root
      group:
        description: A group, or an id in quotes.
        type: str
        default: root
      mode:
        description: Octal, in quotes (C("0640")). Required for files and directories.
        type: str
      secret:
        description: Says only that the file changed, never what is in it.
        type: bool
        default: false
      vars:
        description: Variables for this template alone; they win over all others.
        type: dict
  overlay:
    description:
      - Directories of the host that are copied into the stage first, so that a tree is validated
        together with what
        others have put there. Files that this run removes are not in the stage.
    type: list
    elements: path
    default: []
  validate:
    description:
      - Commands that look at the stage before anything is installed, in this order. Run only when
        something changes,
        and in check mode too. They run as the user of the task, in the stage, with C(LC_ALL=C) and
        nothing on stdin.
    type: list
    elements: dict
    default: []
    suboptions:
      command:
        description:
          - The program and its arguments. C({stage}) is the directory that holds every file at its
            full path.
          - The program must be there, as if it stood in O(validate[].needs).
        type: list
        elements: str
        required: true
      needs:
        description:
          - More programs that have to be there. In check mode the command is skipped, and said so,
            when one is not.
        type: list
        elements: str
        default: []
      users:
        description: Users that have to exist; as O(validate[].needs).
        type: list
        elements: str
        default: []
      timeout:
        description: Seconds, after which the command and its children are killed.
        type: int
        default: 60
  state:
    description:
      - C(absent) removes everything that the manifest lists, by the same rules, and the manifest.
        Takes no O(files).
    type: str
    choices: [present, absent]
    default: present
  force:
    description: Remove files that were changed on the host too. Never more than the manifest lists.
    type: bool
    default: false
  manifests_root:
    description: Manifests of all sites are looked for in C(*/manifests/*.json) below it.
    type: path
    default: /var/lib/django-split
  templates:
    description: On the controller, where templates are found. The repository's C(templates/) when
      not given.
    type: path
  tree:
    description: The rendered list. Made by the action plugin, never written by hand.
    type: str
author:
  - django-split
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Configure the store
  split_tree:
    manifest: "/var/lib/django-split/{{ site_name }}/manifests/redis.json"
    files:
      - path: "/etc/django-split/{{ site_name }}/store.conf"
        template: redis/store.conf.j2
        group: "{{ site_name }}-store"
        mode: "0640"
        secret: true
  register: redis_files

- name: Configure nginx
  split_tree:
    manifest: "/var/lib/django-split/{{ site_name }}/manifests/nginx.json"
    files:
      - {path: /etc/django-split/nginx/nginx.conf, template: nginx/nginx.conf.j2, mode: "0644"}
      - {path: "/etc/django-split/nginx/sites/{{ site_name }}", directory: true, mode: "0755"}
    overlay: [/etc/django-split/nginx]
    validate:
      - command: [nginx, -t, -p, "{stage}/", -c, "{stage}/etc/django-split/nginx/nginx.conf"]
        users: [django-split-proxy]

- name: Take the store's files away
  split_tree:
    manifest: "/var/lib/django-split/{{ site_name }}/manifests/redis.json"
    state: absent
"""

RETURN = r"""
files:
  description: Every path, listed or removed.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      type: str
      description: The path.
    change:
      type: str
      description: created, updated, permissions, removed, kept (no longer listed, but stays) or
        unchanged.
    reason:
      type: str
      description: Why a path was kept.
digest:
  description: sha256 over path, content and mode of the listed files; the same on every host and
    in check mode.
  returned: success
  type: str
not_validated:
  description: What check mode could not look at, and what the host lacks for it.
  returned: success
  type: list
  elements: str
"""

ARGUMENTS: dict[str, Any] = {
    "manifest": {"type": "path", "required": True},
    # Rendered by the action plugin into `tree`; named here for ansible-doc and ansible-lint.
    "files": {"type": "list", "elements": "dict", "no_log": True},
    "templates": {"type": "path"},
    "tree": {"type": "str", "no_log": True},
    "overlay": {"type": "list", "elements": "path", "default": []},
    "validate": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "command": {"type": "list", "elements": "str", "required": True},
            "needs": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 60},
        },
    },
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "force": {"type": "bool", "default": False},
    "manifests_root": {"type": "path", "default": "/var/lib/django-split"},
}


def stop(number: int, _frame: Any) -> None:
    """A lost connection or an impatient operator: end by exception, which clears the stage."""
    raise SystemExit(128 + number)


def run(params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
    """Bring the host to the list; returns what the module returns."""
    entries = unpack(params["tree"]) if params["state"] == "present" else []
    path = params["manifest"]
    if check_mode:
        return change(params, entries, True, diff_mode)
    unknown = plan.unknown_owners(entries)
    if unknown:
        raise TreeError(
            "\n".join(unknown) + "\nNothing has been installed. "
            "Create them first (the role base does), then run again."
        )
    # A closed umask would close /var/lib/django-split, below which the store has its data.
    os.umask(0o022)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    root = params["manifests_root"]
    with manifest.locked(root if os.path.isdir(root) else os.path.dirname(path)):
        return change(params, entries, False, diff_mode)


def change(
    params: dict[str, Any], entries: list[Entry], check_mode: bool, diff_mode: bool
) -> dict[str, Any]:
    """Plan, validate, and (not in check mode) install. The caller holds the lock."""
    path, root = params["manifest"], params["manifests_root"]
    old = manifest.load(path)
    others = manifest.Others(path, root)
    if not check_mode:
        manifest.sweep(path)
        install.sweep(old, entries)
    todo = plan.make(entries, old, others, params["force"])
    shown = report.diff(todo, old) if diff_mode else []
    skipped: list[str] = []
    if todo.changed and entries and params["validate"]:
        with stage.staged(path, entries, todo, params["overlay"]) as directory:
            skipped = stage.validate(params["validate"], directory, entries, check_mode)
    if not check_mode:
        if todo.changed:
            # First the union of what was and what will be: a kill from here on orphans nothing.
            union = {**old, **todo.records}
            manifest.save(
                path, {name: record.join(old.get(name, record)) for name, record in union.items()}
            )
            install.apply(todo)
        for name, content in todo.handed.items():
            others.hand_over(name, content)
        if params["state"] == "absent" and not todo.records:
            manifest.erase(path, root)
        elif todo.changed or todo.records != old:
            manifest.save(path, todo.records)
    return {
        "changed": todo.changed,
        "msg": report.count(todo),
        "files": report.files(todo),
        "digest": digest(entries),
        "not_validated": skipped,
        "diff": shown,
        "warnings": [*todo.warnings, *skipped],
    }


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    if params["state"] == "present" and not params["tree"]:
        module.fail_json(
            msg="split_tree came without its action plugin. Run ansible-playbook in the directory "
            "of django-split's ansible.cfg, or set action_plugins to playbooks/plugins/action."
        )
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    try:
        result = run(params, module.check_mode, module._diff)
    except TreeError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        module.fail_json(msg=f"{where}{error.strerror}. Is the task run as root (become: true)?")
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
