"""Looks at a base that is completely set up, in a process of its own, and makes the plan."""

from __future__ import annotations
