"""What an uninstall says is left, in the playbook's own words."""

from __future__ import annotations

from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support.plugins import REPOSITORY

SITE = {
    "inventory_hostname": "server",
    "group_names": ["admin", "database", "main", "proxy", "redis"],
    "site_name": "gazette",
    "split_home": "/srv/gazette",
    "split_state": "/var/lib/django-split/gazette",
    "split_conf": "/etc/django-split/gazette",
    "split_database_name": "gazette",
}


def told(**variables: Any) -> str:
    play = yaml.safe_load((REPOSITORY / "playbooks" / "uninstall.yml").read_text())[-1]
    data = play["tasks"][-1]["ansible.builtin.set_stats"]["data"]
    text = trust_as_template(data["split_summary"][1])
    return str(Templar(DataLoader(), variables={**SITE, **variables}).template(text))


def test_data_outside_its_own_folders_is_not_said_to_be_gone() -> None:
    said = told(uninstall_all=True, split_database=False, proxy_tls="acme")
    assert said == (
        "What it had in its own folders is gone as well. Kept, where there are any: backups "
        "(/var/backups/django-split), uploads outside /srv/gazette, a database that is none of its "
        "files, the certificate (certbot delete --cert-name gazette)."
    )


def test_a_database_of_ours_is_gone_and_backups_are_where_they_were_put() -> None:
    said = told(uninstall_all=True, split_database=True, backup_directory="/mnt/backups")
    assert said.startswith("What it had in its own folders and in PostgreSQL is gone as well.")
    assert said.endswith("backups (/mnt/backups), uploads outside /srv/gazette.")


def test_without_data_what_is_kept_is_named() -> None:
    said = told(uninstall_all=False, split_database=True)
    assert said.startswith("Kept: the database gazette in PostgreSQL, /srv/gazette/shared ")
