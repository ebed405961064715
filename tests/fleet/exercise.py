"""A view that does what sites do, and says how it went. Tests put it into a site's source."""

from __future__ import annotations

import os
import shutil
import smtplib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import get_connection, send_mail
from django.http import HttpRequest, JsonResponse


def view(request: HttpRequest) -> JsonResponse:
    """Work only when a port is named: whoever looks at the site to plan its split names none."""
    if "port" not in request.GET:
        return JsonResponse({})
    folder = Path(settings.MEDIA_ROOT) / f"exercise-{os.environ['DJANGO_SETTINGS_MODULE']}"

    def mail() -> str:
        port = int(request.GET["port"])
        connection = get_connection(
            "django.core.mail.backends.smtp.EmailBackend", host="localhost", port=port, timeout=10
        )
        try:
            send_mail("Exercise", "text", "a@localhost", ["b@localhost"], connection=connection)
        except smtplib.SMTPConnectError as refused:
            return str(refused.smtp_code)
        return "sent"

    def copy() -> str:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            shutil.copytree(folder / "a", Path(scratch) / "copy")
        return "copied"

    tasks: dict[str, Callable[[], Any]] = {
        "makedirs": lambda: os.makedirs(folder / "a" / "b", exist_ok=True),
        "upload": lambda: default_storage.save(f"{folder.name}/a/letter.txt", ContentFile(b"Dear")),
        "temporary": lambda: tempfile.NamedTemporaryFile().close(),
        "program": lambda: subprocess.run(["/bin/true"], check=True).returncode,
        "mail": mail,
        "copy": copy,
    }
    said = {}
    for name, task in tasks.items():
        try:
            said[name] = str(task())
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"
    return JsonResponse(said)
