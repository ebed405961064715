"""Which Django a site must have."""

from __future__ import annotations

OLDEST = (4, 2)


class UnsupportedError(Exception):
    """The site's Django is older than the oldest that is supported."""


def check_versions() -> None:
    import django

    if django.VERSION[:2] < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UnsupportedError(
            f"for a site on Django {django.get_version()}; django-split needs {oldest} or newer"
        )
