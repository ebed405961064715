"""The variables that templates are rendered with here, and where they lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django_split.render import Renderer

REPOSITORY = Path(__file__).parents[2]
TEMPLATES = REPOSITORY / "templates"
# Rendered by others: the settings modules have tests of their own in tests/unit.
OURS = sorted(name for name in Renderer(TEMPLATES).names() if not name.startswith("settings/"))

PROCESS = {
    "name": "worker",
    "command": "python manage.py work",
    "settings": "admin",
    "user": "admin",
    "store": "store",
    "networks": [],
    "stop_seconds": 60,
    "stop_signal": "TERM",
}
NODE = {
    "address": "10.0.0.11",
    "announce": "10.0.0.11",
    "port": 6379,
    "min_replicas": 1,
    "replica_password": "of-the-replicas",
    "networks": ["10.0.0.11", "10.0.0.12"],
}
VARIABLES: dict[str, Any] = {
    "site_name": "gazette",
    "site_hosts": ["localhost", "www.example.org"],
    "site_port": 8080,
    "site_directory": "",
    "proxy_listen": ["127.0.0.1", "[::1]"],
    "proxy_max_body": "20m",
    "proxy_user": "nobody",
    "proxy_group": "nogroup",
    "proxy_conf_dir": "/etc/django-split/nginx",
    "proxy_prefix": "/var/lib/django-split/nginx",
    "catchall_listen": "127.0.0.1:8080",
    "catchall_tls": False,
    "proxy_tls": "none",
    "proxy_tls_port": 443,
    "proxy_tls_certificate": "",
    "proxy_tls_key": "",
    "proxy_hsts": 0,
    "proxy_acme_root": "",
    "proxy_http2": "listen",
    "live_dir": "/srv/gazette/live",
    "main_backends": [],
    "admin_backends": [],
    "backends": {"main": [], "admin": []},
    "front_address": "10.0.0.2",
    "front_proxies": ["10.0.0.1"],
    "fronts": [{"instance": "main", "port": 8001, "threads": 1, "timeout": 30}],
    "admin_prefixes": ["/admin/", "/django-admin/"],
    "admin_login": "/admin/login/",
    "admin_host": "",
    "admin_logins": [],
    "main_maintenance_page": "",
    "admin_maintenance_page": "",
    "maintenance_bypass": [],
    "main_logins": [],
    "admin_login_rate": "12r/m",
    "admin_login_burst": 5,
    "static_url": "/static/",
    "static_root": "/srv/gazette/shared/static",
    "media_url": "/media/",
    "media_root": "/srv/gazette/shared/media",
    "main_microcache": 0,
    "main_microcache_cookies": ["csrftoken", "_ga*"],
    "main_threads": 1,
    "admin_threads": 4,
    "main_timeout": 30,
    "admin_timeout": 60,
    "instance": "admin",
    "instance_workers": 2,
    "instance_threads": 1,
    "instance_timeout": 30,
    "instance_access_log": False,
    "instance_env": {"SECRET_KEY": "x", "DEBUG": "0"},
    "instance_write_paths": [],
    "instance_store": "store",
    "instance_memory": "25%",
    "instance_networks": [],
    "unit_relax": [],
    "store_name": "store",
    "session_store": "redis",
    "session_store_memory": "64mb",
    "session_persistent": True,
    "store_node": {},
    "sentinel": {
        "address": "10.0.0.11",
        "announce": "10.0.0.11",
        "port": 26379,
        "down_after": 3,
        "store_password": "of-the-store",
        "peer_password": "of-the-peers",
    },
    "supervisor_bin": "/var/lib/django-split/gazette/supervisor/bin",
    "process": PROCESS,
    "purge_store": "store",
    "purge_networks": [],
    "status_folder": "/var/lib/django-split/gazette/status",
    "watch_stores": ["store"],
    "watch_node": {},
    "watch_certificate": "",
    "watch_store_percent": 80,
    "watch_disk_percent": 90,
}

Render = Callable[..., str]
