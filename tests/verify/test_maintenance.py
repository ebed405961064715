"""Verify in maintenance: a deploy ends well, and nobody takes it for a look at the site."""

from __future__ import annotations

from pathlib import Path

import pytest
from split_verify.maintenance import closed


@pytest.fixture
def sockets(tmp_path: Path) -> dict[str, str]:
    return {name: str(tmp_path / f"{name}.sock") for name in ("main", "admin")}


def test_an_open_site_is_looked_at(sockets: dict[str, str]) -> None:
    assert closed(sockets) is None


@pytest.mark.parametrize(
    ("files", "told"), [(["main"], "instance=main"), (["main", "admin"], "instance=both")]
)
def test_a_closed_one_is_not_and_that_is_said(
    sockets: dict[str, str], files: list[str], told: str
) -> None:
    for name in files:
        (Path(sockets["main"]).parent / f"{name}.maintenance").touch()
    row = closed(sockets)
    assert row is not None
    assert row.ok is None
    assert f"{files[0]} is in maintenance since 20" in row.seen
    assert f"-e {told} -e state=off" in row.seen
