#!/usr/bin/python
"""Verify a deployed site from outside and say what was seen."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: split_verify
short_description: Verify what a split site promises
description:
  - Looks at a deployed site on the host it runs on, as root, and returns one row per claim.
  - Reads only, but for one login to the admin, which it ends again. Not even that in check mode.
  - A claim that does not hold is no failure of the module. Look at C(failed_claims).
options:
  hosts:
    description: The site's host names. The first is used; a leading C(*.) or dot is taken off.
    type: list
    elements: str
    required: true
  admin_host:
    description: The admin's own host name. Empty where it is on the site's.
    type: str
    default: ""
  port:
    description: The port that nginx listens on.
    type: int
    default: 80
  plain_port:
    description: >-
      The port of plain HTTP where O(port) speaks https; it must send visitors there. 0 without TLS.
    type: int
    default: 0
  ca:
    description: Certificates (PEM) to trust beside those that the host trusts.
    type: str
    default: ""
  listen:
    description: The addresses that nginx listens on, as nginx writes them.
    type: list
    elements: str
    default: ["*", "[::]"]
  plan_file:
    description: The plan of the release that serves, as JSON.
    type: path
    required: true
  plan:
    description: The plan itself, where this host has no release.
    type: dict
    default: {}
  here:
    description: >-
      With several hosts, what of the site is on this one. Empty for one host that plays every part.
    type: list
    elements: str
    choices: [proxy, main, admin, store, public]
    default: []
  backends:
    description: "The hosts that this proxy asks: instance, host, address, port."
    type: list
    elements: dict
    default: []
  main_socket:
    description: Main's socket, or the link to it.
    type: path
    required: true
  admin_socket:
    description: The admin's socket, or the link to it.
    type: path
    required: true
  store_socket:
    description: The session store's socket. Empty where the store is on other hosts.
    type: path
    required: true
  public_socket:
    description: The socket of the store of main's sessions. Empty where main has none.
    type: path
    default: ""
  main_env:
    description: Main's environment file.
    type: path
    required: true
  admin_env:
    description: The admin's environment file.
    type: path
    required: true
  main_user:
    description: The user that main runs as.
    type: str
    required: true
  admin_user:
    description: The user that the admin runs as.
    type: str
    required: true
  store_user:
    description: The user that the store runs as.
    type: str
    required: true
  public_user:
    description: The user that the store of main's sessions runs as.
    type: str
    default: ""
  proxy_user:
    description: The user that nginx's workers run as.
    type: str
    default: django-split-proxy
  strangers:
    description: Users who must reach nothing. One that the host does not have is passed over.
    type: list
    elements: str
    default: [nobody, www-data]
  session_engine:
    description: Where a session must be found. In the store only, or in C(django_session) too.
    type: str
    choices: [redis, redis_db, cache, cached_db]
    default: redis
  database:
    description: Whether main's database role is said to be kept from sessions and users.
    type: bool
    default: false
  main_writes_users:
    description: Whether main's database role may write users.
    type: bool
    default: false
  login:
    description: Whether to sign in to the admin and out again.
    type: bool
    default: true
  username:
    description: Who signs in.
    type: str
    default: admin
  email:
    description: The first superuser's address, the name where users sign in by e-mail.
    type: str
    default: ""
  password:
    description: The password. Empty for the one in O(password_file).
    type: str
    default: ""
  password_file:
    description: The file on the host with the first superuser's password.
    type: path
    required: true
  manage:
    description: >-
      The site's command for its management commands. Needed for instances that do not show what
      they were started with (package setproctitle).
    type: path
    default: ""
  watch:
    description: The site's command that says what is near its end.
    type: path
    default: ""
  nginx_test:
    description: The command that tests the installed nginx configuration.
    type: list
    elements: str
    default: []
  cookie_paths:
    description: Paths of pages without a form that set a cookie, or vary by one, by their own will.
    type: list
    elements: str
    default: []
  restricted:
    description: Models (C(app.Model)) whose rows are known to make pages private.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for one network action. A program that sets Django up has three times that.
    type: float
    default: 10
  marks:
    description: How the table marks its rows.
    type: str
    choices: [unicode, ascii]
    default: unicode
author: django-split
"""

EXAMPLES = r"""
- name: Verify the site
  split_verify:
    hosts: [localhost]
    port: 8080
    plan_file: /srv/gazette/current/plan.json
    main_socket: /srv/gazette/live/main.sock
    admin_socket: /srv/gazette/live/admin.sock
    store_socket: /run/gazette/store/store.sock
    main_env: /srv/gazette/current/main.env
    admin_env: /srv/gazette/current/admin.env
    main_user: gazette-main
    admin_user: gazette-admin
    store_user: gazette-store
    password_file: /etc/django-split/gazette/superuser
    nginx_test: [nginx, -t, -p, /var/lib/django-split/nginx, -c, /etc/django-split/nginx/nginx.conf]
  register: verified
"""

RETURN = r"""
claims:
  description: One row per claim.
  type: list
  elements: dict
  returned: always
  contains:
    name: {description: A short name that stays, type: str}
    claim: {description: What is claimed, type: str}
    ok: {description: Whether it holds. None where it was not checked, type: bool}
    seen: {description: What was seen, or why nothing was, type: str}
table:
  description: The rows as aligned lines.
  type: list
  elements: str
  returned: always
failed_claims:
  description: How many claims do not hold. (C(failed) is Ansible's own word.)
  type: int
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.split_verify.claims import verify
from ansible.module_utils.split_verify.row import table


def path() -> dict[str, object]:
    """A path that must be given."""
    return {"type": "path", "required": True}


def user() -> dict[str, object]:
    """A user that must be given."""
    return {"type": "str", "required": True}


def texts(*default: str) -> dict[str, object]:
    """A list of strings."""
    return {"type": "list", "elements": "str", "default": list(default)}


ARGUMENTS = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "admin_host": {"type": "str", "default": ""},
    "port": {"type": "int", "default": 80},
    "plain_port": {"type": "int", "default": 0},
    "ca": {"type": "str", "default": ""},
    "listen": texts("*", "[::]"),
    "plan_file": path(),
    "plan": {"type": "dict", "default": {}},
    "here": {
        **texts(),
        "choices": ["proxy", "main", "admin", "store", "public"],
    },
    "backends": {"type": "list", "elements": "dict", "default": []},
    "main_socket": path(),
    "admin_socket": path(),
    "store_socket": path(),
    "public_socket": {"type": "path", "default": ""},
    "main_env": path(),
    "admin_env": path(),
    "main_user": user(),
    "admin_user": user(),
    "store_user": user(),
    "public_user": {"type": "str", "default": ""},
    "proxy_user": {"type": "str", "default": "django-split-proxy"},
    "strangers": texts("nobody", "www-data"),
    "session_engine": {
        "type": "str",
        "choices": ["redis", "redis_db", "cache", "cached_db"],
        "default": "redis",
    },
    "database": {"type": "bool", "default": False},
    "main_writes_users": {"type": "bool", "default": False},
    "login": {"type": "bool", "default": True},
    "username": {"type": "str", "default": "admin"},
    "email": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    # no_log=False: it is the name of a file, and the table shows it
    "password_file": {**path(), "no_log": False},
    "manage": {"type": "path", "default": ""},
    "watch": {"type": "path", "default": ""},
    "nginx_test": texts(),
    "cookie_paths": texts(),
    "restricted": texts(),
    "timeout": {"type": "float", "default": 10.0},
    "marks": {"type": "str", "choices": ["unicode", "ascii"], "default": "unicode"},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    if not module.params["hosts"] or not module.params["listen"]:
        module.fail_json(msg="hosts and listen each need at least one entry")
    rows = verify(module.params, check_mode=module.check_mode)
    module.exit_json(
        changed=False,
        claims=[row.as_dict() for row in rows],
        table=table(rows, module.params["marks"]),
        failed_claims=sum(row.ok is False for row in rows),
    )


if __name__ == "__main__":
    main()
