"""Signs people in as fast as the admin's store takes them, for a while, and counts who is lost.

Copied onto a host and run there as the admin: `SITE-manage --python writer.py SECONDS`.
"""

import json
import sys
import time
from importlib import import_module

import django
from django.conf import settings


def main(seconds: float) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    end = time.monotonic() + seconds
    made: list[tuple[str, float]] = []
    failed: list[tuple[float, float]] = []
    while time.monotonic() < end:
        session = store()
        session["name"] = "Ada"
        began = time.monotonic()
        try:
            session.create()
        except Exception:  # whatever it is, nobody was signed in
            failed.append((began, time.monotonic()))
            time.sleep(0.02)
        else:
            made.append((session.session_key, time.monotonic()))
            time.sleep(0.001)  # the store's memory is to last
    # Those that were acknowledged, and that the store knows nothing of.
    lost = [key for key, _ in made if not store().exists(key)]
    away = failed[-1][1] - failed[0][0] if failed else 0.0
    after = sum(moment > failed[-1][1] for _, moment in made) if failed else len(made)
    told = {"made": len(made), "lost": len(lost), "failed": len(failed), "after": after}
    print(json.dumps({**told, "away": round(away, 2)}))


if __name__ == "__main__":
    django.setup()
    main(float(sys.argv[1]))
