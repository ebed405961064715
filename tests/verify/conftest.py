"""One deployed site for all tests of this folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import PYTHON, Host, deployed

# The module's own files, importable as on a target
UTILS = Path(__file__).parents[2] / "playbooks/plugins/module_utils"
sys.path.insert(0, str(UTILS))


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """A right host: every claim holds on it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes users and gives up root to try what they can open")
    for program in ("nginx", "redis-server", PYTHON):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    with deployed() as site:
        yield site
