"""Session keys: new ones, and the pattern that lists those that are there."""

from __future__ import annotations

import secrets

from django.contrib.sessions.backends.base import VALID_KEY_CHARS

# 36 characters over 256 bytes: four of them stand eight times, the others seven times. So the
# likeliest key has a probability of (8/256)**32, and 160 bits have to be guessed.
_CHARACTERS = (VALID_KEY_CHARS.encode() * 8)[:256]


def new() -> str:
    """32 characters of Django's alphabet for keys.

    Django's get_random_string picks each by itself, which cost more than all else in a create().
    """
    return secrets.token_bytes(32).translate(_CHARACTERS).decode()


def matching(prefix: str) -> str:
    """Redis's pattern (SCAN's MATCH) for all that begins with just this text."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in prefix) + "*"
