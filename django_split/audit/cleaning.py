"""Whether anything removes expired rows: in the site's code and settings, and on this machine.

Nothing of Django's does by itself. What was looked at is part of the answer, because a timer on
another machine cannot be seen from here.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from glob import glob
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError

from django_split.analysis.evidence import at, relative
from django_split.analysis.source import is_installed, last_name, tree
from django_split.audit.facts import Cleaning

CALLS = re.compile(
    r"\bclear_?sessions\b|\bclear_expired\b|(?:\b|\bsplit_)sessions[ _]purge\b", re.ASCII
)
# django-extensions' daily job calls the command; the schedules of others name tasks as they like.
SCHEDULED = re.compile(CALLS.pattern + r"|\bdaily_cleanup\b|\brunjobs\b|clean\w*session", re.I)

# Files of a project that may hold a command line, by name or suffix.
SCRIPTS = re.compile(
    r"(crontab|Procfile|Makefile|justfile|Dockerfile[\w.-]*|docker-compose[\w.-]*)\Z"
    r"|\.(sh|bash|cron|crontab|service|timer|ya?ml|toml|json|cfg|ini|conf|j2|tf)\Z",
)
CRON = ("/etc/crontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly")
CRONTABS = ("/var/spool/cron/crontabs", "/var/spool/cron")
UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "~/.config/systemd/user",
)
# The second is that of a site that our playbook runs without systemd.
SUPERVISOR = ("/etc/supervisor/conf.d", "/etc/django-split/*/supervisor/conf.d")
MACHINE = {
    "cron": (*CRON, *CRONTABS),
    "systemd units": UNITS,
    "supervisor programs": SUPERVISOR,
}
# Settings of packages that run things at times, and what each is of.
SCHEDULES = {
    "CELERY_BEAT_SCHEDULE": "Celery beat",
    "CELERYBEAT_SCHEDULE": "Celery beat",
    "CRONJOBS": "django-crontab",
    "CRON_CLASSES": "django-cron",
    "Q_CLUSTER": "Django Q",
    "HUEY": "Huey",
    "RQ_CRON": "RQ",
}
LEFT_OUT = {"node_modules", "site-packages", "dist-packages", "__pycache__", "static", "media"}
MOST_FILES = 5_000
LARGEST = 500_000


def cleaning(module: str) -> Cleaning:
    """Look for whatever calls clearsessions, around the settings module and on this machine."""
    found = Cleaning()
    _look_at_source(found, module)
    _look_at_settings(found)
    _look_at_schedule_table(found)
    for name, places in MACHINE.items():
        _look_at_machine(found, name, [path for place in places for path in _named(place)])
    found.found = list(map(list, dict.fromkeys(map(tuple, found.found))))
    return found


def _look_at_source(found: Cleaning, module: str) -> None:
    seen = 0
    for folder in _folders(module):
        for file in _files(folder):
            seen += 1
            if seen > MOST_FILES:
                found.looked_at.append(f"the first {MOST_FILES} files of the site's source")
                return
            text = _text(file)
            if not CALLS.search(text):
                continue
            if file.suffix == ".py":
                found.found += [[at(str(file), line), what] for line, what in _calls(str(file))]
            else:
                found.found += [[f"{relative(str(file))}:{n}", w] for n, w in _lines(text)]
    found.looked_at.append(f"the site's source ({seen} files)")


def _folders(module: str) -> list[Path]:
    """The folders of the site's own packages, and the one that they stand in."""
    own = [Path(config.path) for config in apps.get_app_configs() if not is_installed(config.path)]
    with suppress(ImportError, AttributeError, TypeError):
        settings_file = __import__(module.partition(".")[0]).__file__
        if settings_file and not is_installed(settings_file):
            package = Path(settings_file).resolve().parent
            # A settings module of its own stands in the project's folder already.
            own.append(package.parent if settings_file.endswith("__init__.py") else package)
    found: list[Path] = []
    for folder in sorted({path.resolve() for path in own}, key=lambda path: len(path.parts)):
        is_ours = Path(__file__).resolve().parents[1] in (folder, *folder.parents)
        if not is_ours and not any(above in folder.parents for above in found):
            found.append(folder)
    return found


def _files(top: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(top):
        names[:] = sorted(
            name
            for name in names
            if name not in LEFT_OUT
            and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            if name.endswith(".py") or SCRIPTS.search(name):
                yield Path(folder, name)


def _calls(file: str) -> Iterator[tuple[int, str]]:
    """Calls, and texts that are a command line; not the name of an import, nor a comment."""
    parsed = tree(file)
    documented = set(_docstrings(parsed)) if parsed else set()
    for node in ast.walk(parsed) if parsed else ():
        if isinstance(node, ast.Call) and last_name(node.func) == "clear_expired":
            yield node.lineno, "clear_expired()"
        elif isinstance(node, ast.Constant) and id(node) not in documented:  # noqa: SIM102
            if match := CALLS.search(str(node.value)):
                yield node.lineno, match[0]


def _docstrings(parsed: ast.Module) -> Iterator[int]:
    for node in ast.walk(parsed):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#") and (match := CALLS.search(line)):
            yield number, match[0]


def _look_at_settings(found: Cleaning) -> None:
    for name, whose in SCHEDULES.items():
        value = getattr(settings, name, None)
        if value:
            found.looked_at.append(f"{name} ({whose})")
            found.found += [[name, text] for text in _texts(value) if SCHEDULED.search(text)]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _texts(item)


def _look_at_schedule_table(found: Cleaning) -> None:
    """Celery beat's schedule may stand in the database."""
    if not apps.is_installed("django_celery_beat"):
        return
    try:
        tasks = apps.get_model("django_celery_beat", "PeriodicTask")._base_manager
        named = list(tasks.filter(enabled=True).values_list("task", flat=True)[:1000])
    except DatabaseError:
        found.not_readable.append("django_celery_beat's table")
        return
    found.looked_at.append("django_celery_beat's table")
    found.found += [["django_celery_beat", task] for task in named if SCHEDULED.search(task)]


def _named(place: str) -> list[Path]:
    return [Path(path) for path in sorted(glob(os.path.expanduser(place)))]


def _look_at_machine(found: Cleaning, what: str, places: list[Path]) -> None:
    seen, closed = 0, []
    for place in places:
        if not os.access(place, os.R_OK | (os.X_OK if place.is_dir() else 0)):
            if place.exists():
                closed.append(str(place))
            continue
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for file in files:
            if not file.is_file():
                continue
            seen += 1
            found.found += [[f"{file}:{number}", word] for number, word in _lines(_text(file))]
    if seen:
        found.looked_at.append(f"{what} of this machine ({seen} files)")
    found.not_readable += closed


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            return ""
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
