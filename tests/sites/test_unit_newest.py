"""The unit tests pass on the newest Django and Python. A file of its own: another worker has it.

In `make soak`: each Django is split and asked in test_versions.py.
"""

from __future__ import annotations

import pytest

from tests.sites.test_versions import NEWEST, unit_tests

pytestmark = [pytest.mark.slow, pytest.mark.soak]


def test_unit_tests_pass() -> None:
    unit_tests(NEWEST)
