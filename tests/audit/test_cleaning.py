"""Whether anything removes expired rows: what counts as a call, and where is looked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from django_split.audit.cleaning import _look_at_machine
from django_split.audit.facts import Cleaning
from tests.audit.conftest import MakeShop

CALLS = {
    "by_command.py": 'from django.core import management as m\n\nm.call_command("clearsessions")\n',
    "by_engine.py": "def clean(store):\n    store.clear_expired()\n",
    "by_shell.py": 'import subprocess\nRUN = ["manage.py", "clearsessions"]\n',
    "crontab": "# clearsessions every day\n0 4 * * * manage.py clearsessions\n",
    "deploy/clean.sh": "django-split sessions purge --settings shop.base\n",
    "deploy/clean.service": "ExecStart=/srv/shop/manage.py split_sessions purge\n",
}
NOT_CALLS = {
    "told.py": '"""Never calls clearsessions."""\n# clearsessions\nNAME = "clear_expired_offers"\n',
    "commented.sh": "#manage.py clearsessions\n",
    "moved.sh": "manage.py split_sessions migrate\n",
    "notes.md": "We should call clearsessions one day.\n",
    "node_modules/other.py": 'RUN = "clearsessions"\n',
    ".venv/lib/other.py": 'RUN = "clearsessions"\n',
}
SCHEDULE = """
CELERY_BEAT_SCHEDULE = {"nightly": {"task": "shop.tasks.clear_sessions", "schedule": 86400}}
"""
JOBS = 'CRONJOBS = [("0 4 * * *", "django.core.management.call_command", ["clearsessions"])]\n'


def found(site: dict[str, Any]) -> list[list[str]]:
    cleaning: list[list[str]] = site["cleaning"]["found"]
    return cleaning


@pytest.mark.parametrize(
    ("name", "place", "what"),
    [
        ("by_command.py", "shop/by_command.py:3", "clearsessions"),
        ("by_engine.py", "shop/by_engine.py:2", "clear_expired()"),
        ("by_shell.py", "shop/by_shell.py:2", "clearsessions"),
        ("crontab", "shop/crontab:2", "clearsessions"),
        ("deploy/clean.sh", "shop/deploy/clean.sh:1", "sessions purge"),
        ("deploy/clean.service", "shop/deploy/clean.service:1", "split_sessions purge"),
    ],
)
def test_call_is_found(make_shop: MakeShop, name: str, place: str, what: str) -> None:
    shop = make_shop()
    shop.write(name, CALLS[name])
    done = shop.audit("shop.base", options=("--json", "--no-pages", "--fail-on", "no-cleanup"))
    assert found(done.sites["base"]) == [[place, what]]
    assert done.status == 0


def test_what_is_no_call_is_not(make_shop: MakeShop) -> None:
    shop = make_shop()
    for name, text in NOT_CALLS.items():
        shop.write(name, text)
    (shop.place / "shop" / ".venv" / "pyvenv.cfg").write_text("")
    done = shop.audit("shop.base", options=("--json", "--no-pages", "--fail-on", "no-cleanup"))
    assert found(done.sites["base"]) == []
    assert done.status == 3


def test_what_was_looked_at_is_told(make_shop: MakeShop) -> None:
    shop = make_shop()
    site = shop.audit("shop.base", options=("--json", "--no-pages")).sites["base"]
    assert site["cleaning"]["looked_at"][0] == "the site's source (4 files)"


def test_schedules_of_other_packages_count(make_shop: MakeShop) -> None:
    shop = make_shop()
    modules = [shop.settings("beat", SCHEDULE), shop.settings("jobs", JOBS)]
    sites = shop.audit(*modules, options=("--json", "--no-pages")).sites
    assert ["CELERY_BEAT_SCHEDULE", "shop.tasks.clear_sessions"] in found(sites["beat"])
    assert ["CRONJOBS", "clearsessions"] in found(sites["jobs"])


def test_crontabs_and_units_of_the_machine_are_read(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("0 4 * * * www-data manage.py clearsessions\n")
    (tmp_path / "other").write_text("0 4 * * * root true\n")
    cleaning = Cleaning()
    _look_at_machine(cleaning, "cron", [tmp_path, tmp_path / "nowhere"])
    assert cleaning.found == [[f"{tmp_path}/shop:1", "clearsessions"]]
    assert cleaning.looked_at == ["cron of this machine (2 files)"]
