"""What the inventory says is refused where it cannot be meant, with the place and the mend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Preflight


def line_of(tmp_path: Path, start: str) -> str:
    """Where the inventory says so, as the message shall show it."""
    file = tmp_path / "inventory" / "group_vars" / "all.yml"
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.lstrip(" -").startswith(start):
            return f"inventory/group_vars/all.yml, line {number}."
    raise AssertionError(f"{start} is not in {file}")


def test_a_sound_inventory_passes_and_changes_nothing(preflight: Preflight, site: Path) -> None:
    outcome = preflight()
    assert outcome.code == 0, outcome.message
    assert outcome.changed == 0
    assert "WARNING" not in outcome.warnings
    facts = outcome.facts
    assert facts["source"] == {"kind": "directory", "location": str(site), "commit": ""}
    assert facts["python"]["path"] == "/usr/bin/python3"
    assert facts["python"]["abi"].startswith("cpython-3")
    first = Path("/proc/1/comm").read_text().strip()
    assert facts["process_manager"] == ("systemd" if first == "systemd" else "supervisor")
    assert facts["manifest_exists"] is False


def test_check_mode_looks_as_closely(preflight: Preflight) -> None:
    assert preflight({}, "--check").facts["python"]["version"]
    assert "site_port is 0" in preflight({"site_port": 0}, "--check").message


def test_all_mistakes_are_in_one_message(preflight: Preflight, tmp_path: Path) -> None:
    outcome = preflight(
        {
            "site_name": "www-data",
            "site_prot": 80,
            "site_version": 1.1,
            "site_port": "many",
            "session_engine": "db",
            "proxy_listen": "*",
            "site_packages": "{{ nowhere }}",
            "site_python": "/opt/no/python",
        },
        text="main_workers:\nsite_env:\n  GOOD: x\n  NUMBER: 5",
    )
    assert outcome.code != 0
    assert outcome.message.startswith("10 things stand in the way on localhost; nothing has been")
    promised = {
        "site_name": 'site_name is "www-data": the system has a user, a group or a folder of that',
        "site_prot": "site_prot is no variable of django-split (did you mean site_port?)",
        "site_version": 'site_version is 1.1, not a text: write it in quotes, "1.1"',
        "site_port": "site_port is a text, not a whole number",
        "session_engine": 'session_engine is "db": it keeps every session in the database',
        "proxy_listen": 'proxy_listen is a text, not a list: write ["a", "b"]',
        "site_packages": "site_packages cannot be worked out: 'nowhere' is undefined",
        "site_python": 'site_python is "/opt/no/python": no such program on the host',
        "main_workers": "main_workers has no value: take the line out to have the default",
        "NUMBER": 'site_env has "NUMBER" with a value that is no text: write it in quotes',
    }
    for start, sentence in promised.items():
        assert outcome.problem(sentence).endswith(f"It is set in {line_of(tmp_path, start)}")


def test_the_element_that_is_wrong_is_the_line_that_is_named(
    preflight: Preflight, tmp_path: Path
) -> None:
    outcome = preflight(
        {"site_hosts": None},
        text=(
            "site_hosts:\n  - good.example\n  - https://bad.example/\n"
            "site_processes:\n  - {name: a, command: b}\n  - {name: c, comand: d}\n"
        ),
    )
    bad = outcome.problem('site_hosts has "https://bad.example/"')
    assert line_of(tmp_path, "https") in bad
    key = outcome.problem('site_processes has an element, number 2, that has a key "comand"')
    assert "did you mean command?" in key
    assert line_of(tmp_path, "{name: c") in key


def test_what_is_not_set_names_the_file_to_set_it_in(preflight: Preflight) -> None:
    outcome = preflight({"site_hosts": None})
    assert outcome.problem("site_hosts is not set").endswith(
        "Set it in inventory/group_vars/all.yml."
    )


def test_a_mistake_on_the_command_line_is_said_to_be_there(preflight: Preflight) -> None:
    outcome = preflight(
        {}, "-e", "site_prot=80", "-e", '{"main_thread": true}', "-e", "site_port=x"
    )
    for start in ("site_prot is no variable", "main_thread is no variable", "site_port is a text"):
        assert outcome.problem(start).endswith("It was given on the command line (-e).")


def test_numbers_and_truths_of_the_command_line_are_taken(preflight: Preflight) -> None:
    outcome = preflight({}, "-e", "main_workers=3", "-e", "session_persistent=false")
    assert outcome.code == 0, outcome.message


def test_true_and_false_are_placed_where_they_are_set_last(
    preflight: Preflight, tmp_path: Path
) -> None:
    """Ansible cannot tag them with an origin, so the inventory is looked through."""
    (tmp_path / "inventory" / "host_vars").mkdir(parents=True)
    host = tmp_path / "inventory" / "host_vars" / "localhost.yml"
    host.write_text("---\n# strongest\nsession_persistent: true\n")
    outcome = preflight({"session_store": "memcached", "session_persistent": False})
    place = "It is set in inventory/host_vars/localhost.yml, line 3."
    assert outcome.problem("session_persistent is true").endswith(place)


def test_memcached_is_not_blamed_for_a_default(preflight: Preflight) -> None:
    assert preflight({"session_store": "memcached"}).code == 0


def test_an_operators_own_variable_is_let_through_when_named(preflight: Preflight) -> None:
    refused = preflight({"site_region": "north"})
    assert "name it in preflight_foreign_variables" in refused.problem("site_region is no variable")
    named = {"site_region": "north", "preflight_foreign_variables": ["site_region"]}
    assert preflight(named).code == 0


def test_a_renamed_variable_is_told_its_new_name(preflight: Preflight) -> None:
    table = json.dumps({"__preflight_renamed": {"site_domain": "site_hosts"}})
    outcome = preflight({"site_domain": "a.example"}, "-e", table)
    outcome.problem("site_domain is now called site_hosts")
    assert "no variable" not in outcome.message


def test_no_message_shows_a_secret(preflight: Preflight) -> None:
    outcome = preflight(
        {
            "site_env": "SECRET=hunter2",
            "main_env": {"PASSWORD": "hunter2\nhunter2"},
            "admin_env": ["hunter2"],
            "site_source": "https://me:hunter2@localhost:1/site.git",
        }
    )
    for name in ("site_env", "main_env", "admin_env", "site_source"):
        outcome.problem(name)
    assert "hunter2" not in outcome.message


def test_vaulted_values_are_texts(preflight: Preflight, tmp_path: Path) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    (tmp_path / "password").write_text("open\n")
    sealed = VaultLib().encrypt("hunter2", VaultSecret(b"open")).decode()
    text = "admin_env:\n  KEY: !vault |\n" + "".join(f"    {part}\n" for part in sealed.split())
    outcome = preflight({}, "--vault-password-file", "password", text=text)
    assert outcome.code == 0, outcome.message


@pytest.mark.parametrize(
    "hosts", ["[all:vars]\nsite_prot=80\n", "[web]\nlocalhost\n[web:vars]\nsite_prot=80\n"]
)
def test_an_ini_inventory_is_read_as_closely(
    preflight: Preflight, tmp_path: Path, hosts: str
) -> None:
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory" / "zz.ini").write_text(hosts)
    assert "inventory" in preflight().problem("site_prot is no variable").splitlines()[-1]
