"""Run one Django site as two instances: `main` for everybody, `admin` for the admin."""

from __future__ import annotations

__version__ = "0.1.0"
