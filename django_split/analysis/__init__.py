"""Looks at a base that is completely set up, in a process of its own, and says how it can be split."""

from __future__ import annotations
