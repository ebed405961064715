"""The first superuser:

`python -m django_split.superuser ensure|check`, with JSON on standard input.

Takes {"username", "email", "password"} and runs under the admin's settings.

    ensure  -> {"created": bool, "username": str}   leaves a user of that name as it is, password
    included check   -> {"valid": bool}                      whether that user may sign in to the
    admin with that password
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model

from django_split.answers import answer


def ensure(wanted: Mapping[str, str]) -> dict[str, Any]:
    """Create the superuser unless there is one of that name.

    Raises ValueError when more than an e-mail is needed.
    """
    model: Any = get_user_model()
    name = _name(model, wanted)
    if model._default_manager.filter(**{model.USERNAME_FIELD: name}).exists():
        return {"created": False, "username": name}
    email = model.get_email_field_name()
    missing = [field for field in model.REQUIRED_FIELDS if field != email]
    if missing:
        raise ValueError(
            f"{model._meta.label} demands {', '.join(missing)}: "
            "create the superuser with createsuperuser"
        )
    fields = {model.USERNAME_FIELD: name, "password": wanted["password"]}
    if email in model.REQUIRED_FIELDS:
        fields[email] = wanted.get("email", "")
    model._default_manager.create_superuser(**fields)
    return {"created": True, "username": name}


def check(wanted: Mapping[str, str]) -> dict[str, Any]:
    model: Any = get_user_model()
    user = model._default_manager.filter(**{model.USERNAME_FIELD: _name(model, wanted)}).first()
    return {
        "valid": bool(
            user
            and user.is_active
            and user.is_superuser
            and user.check_password(wanted["password"])
        )
    }


def _name(model: Any, wanted: Mapping[str, str]) -> str:
    """What the user signs in with: a site whose users do so by e-mail has no user names."""
    if model.get_email_field_name() == model.USERNAME_FIELD:
        return str(model._default_manager.normalize_email(wanted["email"]))
    return wanted["username"]


def _wanted() -> dict[str, str]:
    wanted = json.load(sys.stdin)
    if not isinstance(wanted, dict) or not wanted.get("username") or not wanted.get("password"):
        raise ValueError('expected {"username", "email", "password"} on standard input')
    return wanted


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="django_split.superuser")
    parser.add_argument("action", choices=["ensure", "check"])
    action = {"ensure": ensure, "check": check}[parser.parse_args().action]
    sys.exit(answer(lambda: action(_wanted())))
