"""Which migrations a release brings, and which of them the database has.

    SITE-manage --release ID --python -m django_split.migrations

Prints JSON: ``here`` names what the release's apps have on disk, each with what it replaces (a
squashed migration), ``applied`` what the databases say. A rollback compares two releases by it. It
is also run from a string, in releases that were built before it was written: it imports Django
alone.
"""

from __future__ import annotations

import json
import sys
from typing import TextIO


def report() -> dict[str, object]:
    """What there is, by names as `migrate` takes them: ``news.0002_author``."""
    from django.db import connections
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    loader = MigrationLoader(None)
    here = {
        f"{app}.{name}": sorted(".".join(each) for each in migration.replaces)
        for (app, name), migration in loader.disk_migrations.items()
    }
    applied = {
        f"{app}.{name}"
        for connection in connections.all()
        for app, name in MigrationRecorder(connection).applied_migrations()
    }
    return {"here": here, "applied": sorted(applied)}


def main(output: TextIO = sys.stdout) -> None:
    import django

    django.setup()
    output.write(json.dumps(report()) + "\n")


if __name__ == "__main__":
    main()
