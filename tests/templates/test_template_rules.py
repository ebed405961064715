"""What holds for every template, whatever it renders."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import meta
from template_cases import NODE, OURS, TEMPLATES, VARIABLES, Render

# What else a template must render with: each of these is a branch somewhere.
VARIANTS: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "main": {"instance": "main", "instance_store": ""},
    "main with sessions": {"instance": "main", "instance_store": "public"},
    "main's store": {"store_name": "public"},
    "main's store, memcached": {"store_name": "public", "session_store": "memcached"},
    "valkey": {"session_store": "valkey"},
    "memcached": {"session_store": "memcached", "session_store_memory": "1gb"},
    "passing sessions": {"session_persistent": False},
    "no files": {"static_url": "", "media_url": "https://cdn.example.org/m/"},
    "one prefix": {"admin_prefixes": ["/admin/"]},
    "a host of the admin's own": {"admin_host": "desk.example.org"},
    "several hosts": {
        "main_backends": [{"address": "10.0.0.2", "port": 8001, "down": False}],
        "admin_backends": [{"address": "10.0.0.4", "port": 8002, "down": False}],
        "backends": {
            "main": [
                {"address": "10.0.0.2", "port": 8001, "down": False},
                {"address": "[fd00::3]", "port": 8001, "down": True},
            ],
            "admin": [],
        },
        "fronts": [
            {"instance": "main", "port": 8001, "threads": "4", "timeout": "30"},
            {"instance": "admin", "port": 8002, "threads": 1, "timeout": 60},
        ],
        "admin_host": "desk.example.org",
    },
    "logins on main": {"main_logins": ["/accounts/login/", "/"]},
    "both": {
        "admin_host": "desk.example.org",
        "admin_logins": ["/accounts/login/", "/sign-in"],
        "main_logins": ["/accounts/login/"],
    },
    "tls": {
        "proxy_tls": "files",
        "proxy_tls_certificate": "sites/gazette/tls/certificate.pem",
        "proxy_tls_key": "/etc/letsencrypt/live/gazette/privkey.pem",
        "catchall_tls": True,
        "proxy_hsts": 300,
        "admin_host": "desk.example.org",
    },
    "before the first certificate": {"proxy_acme_root": "/var/lib/django-split/gazette/acme"},
    "tls, newer nginx": {
        "proxy_acme_root": "/var/lib/django-split/gazette/acme",
        "proxy_tls": "files",
        "proxy_tls_port": 8443,
        "catchall_tls": True,
        "proxy_http2": "directive",
    },
    "microcache": {"main_microcache": 1},
    "no prefix": {"admin_prefixes": [], "admin_login": ""},
    "odd prefixes": {"admin_prefixes": ["/админ/", "/a b/", '/q"u/', "/page", "/(x)/", "/admin/"]},
    "nested directory": {"site_directory": "/src/project/"},
    "two stores watched": {"watch_stores": ["store", "public"], "watch_certificate": "/bin/x"},
    "a store that others reach, watched": {
        "watch_stores": [],
        "watch_node": {"address": "192.0.2.1", "port": 6379},
    },
    "nothing watched": {"watch_stores": []},
    "write paths": {"instance_write_paths": ["/mnt/media", "/mnt/other"]},
    "access log": {"instance_access_log": True},
    "numbers as text": {"main_threads": "4", "instance_workers": "3", "instance_timeout": "45"},
    "nasty environment": {
        "instance_env": {"A": 'a"b$c`d\\e', "B": "two\nlines", "C": 5, "D": True}
    },
    "nasty command": {
        "process": {
            "name": "w",
            "command": "sh -c 'echo \"$HOME\" 100% ; true' # \\ \n",
            "settings": "main",
            "user": "admin",
            "store": "store",
            "networks": ["10.0.0.0/8"],
            "stop_seconds": "300",
            "stop_signal": "USR1",
        }
    },
    "maintenance": {
        "main_maintenance_page": "/etc/django-split/nginx/sites/gazette/main-maintenance.html",
        "maintenance_bypass": ["192.0.2.7", "2001:db8::/32"],
        "admin_host": "desk.example.org",
        "proxy_tls": "files",
        "proxy_hsts": 300,
    },
    "relaxed": {"unit_relax": ["setgid", "netlink"], "purge_networks": ["localhost"]},
    "a store that others reach": {"store_node": NODE},
    "by its name": {
        "store_node": {**NODE, "address": "", "announce": "one.example", "networks": []}
    },
    "who watches it": {"store_node": NODE, "store_name": "sentinel"},
    "few networks": {"instance_networks": ["localhost", "10.0.0.0/8"], "instance_memory": "2G"},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("name", OURS)
def test_ansible_and_plain_jinja_render_the_same_bytes(
    name: str, variant: dict[str, Any], plain: Render, ansible: Render
) -> None:
    rendered = plain(name, **variant)
    assert ansible(name, **variant) == rendered
    assert rendered.endswith("\n")
    assert not rendered.endswith("\n\n")


def parsed(name: str) -> Any:
    return jinja2.Environment().parse((TEMPLATES / name).read_text())  # noqa: S701 - only parsed


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_explained_at_the_top(name: str) -> None:
    header = re.search(r"\{#(.*?)#\}", (TEMPLATES / name).read_text(), re.DOTALL)
    assert header
    used = meta.find_undeclared_variables(parsed(name))
    assert {word for word in used if not re.search(rf"\b{word}\b", header[1])} == set()
    explained = set(re.findall(r"^  (\w+(?:, \w+)*)(?:  |$)", header[1], re.MULTILINE))
    explained = {word for words in explained for word in words.split(", ")}
    assert explained & set(VARIABLES) <= used, "explained, but not used"


@pytest.mark.parametrize("name", OURS)
def test_missing_variable_is_an_error(name: str, plain: Render) -> None:
    used = sorted(meta.find_undeclared_variables(parsed(name)))
    renderer = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701
    template = renderer.from_string((TEMPLATES / name).read_text())
    for missing in used:
        variables = {key: value for key, value in VARIABLES.items() if key != missing}
        with pytest.raises(jinja2.UndefinedError, match=missing):
            template.render(variables)


@pytest.mark.parametrize("name", OURS)
def test_only_filters_that_plain_jinja_has(name: str) -> None:
    builtin = set(jinja2.Environment().filters)  # noqa: S701
    used = {node.name for node in parsed(name).find_all(jinja2.nodes.Filter)}
    assert used <= builtin
    calls = {
        ast.node.name
        for ast in parsed(name).find_all(jinja2.nodes.Call)
        if hasattr(ast.node, "name")
    }
    assert "lookup" not in calls


@pytest.mark.parametrize("name", OURS)
def test_written_file_says_who_wrote_it_and_where_to_change_it(name: str, plain: Render) -> None:
    first = "\n".join(plain(name).splitlines()[:6])
    assert re.search(r"[Ww]ritten by django-split for (site gazette|the nginx it runs)", first)
    assert "changes are overwritten" in first


@pytest.mark.parametrize("name", [name for name in OURS if name.endswith(".sh.j2")])
@pytest.mark.parametrize("directory", ["", "src/my project"])
def test_scripts_pass_shellcheck(name: str, directory: str, plain: Render, tmp_path: Path) -> None:
    script = tmp_path / "script.sh"
    script.write_text(plain(name, site_directory=directory))
    command = ["shellcheck", "--shell=sh", "--severity=style", "--format=json", str(script)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(checked.stdout) == []
