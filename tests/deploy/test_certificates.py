"""The site's own authority: keys stay where they are made, certificates are renewed in time."""

from __future__ import annotations

import getpass
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugins import load

from .conftest import RunModule

split_certificate = load("modules", "split_certificate")

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")

NAMES = ["10.0.0.11", "fd00::11", "one", "one.example.org"]


class House:
    """An authority and one host, in two folders."""

    def __init__(self, place: Path) -> None:
        self.authority, self.host = place / "authority", place / "tls"
        self.ca = self.found()["authority"]

    def found(self) -> dict[str, Any]:
        """Make the authority."""
        made: dict[str, Any] = split_certificate.authority(str(self.authority), "gazette", False)
        return made

    def certify(self, days: int = 825, names: Sequence[str] = NAMES) -> dict[str, Any]:
        """All steps that are needed, and what the first of them said."""
        options = {
            "folder": str(self.host),
            "site": "gazette",
            "name": "store",
            "owner": getpass.getuser(),
            "names": names,
            "authority": self.ca,
            "renew_days": 275,
        }
        asked: dict[str, Any] = split_certificate.request(options, False)
        if asked["request"]:
            given = {"folder": str(self.authority), "request": asked["request"], "days": days}
            signed = split_certificate.sign({**given, "names": names})
            split_certificate.write(f"{self.host}/store.pem", signed["certificate"], 0o444)
        return asked


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True).stdout


def test_a_certificate_names_the_host_and_only_root_reads_the_keys(house: House) -> None:
    assert house.certify()["why"] == "there is none"
    ca, pem = str(house.authority / "ca.pem"), str(house.host / "store.pem")
    for name in NAMES:
        option = "-verify_hostname" if name.startswith("one") else "-verify_ip"
        openssl("verify", "-CAfile", ca, option, name, pem)
    with pytest.raises(subprocess.CalledProcessError):
        openssl("verify", "-CAfile", ca, "-verify_ip", "10.0.0.12", pem)
    for secret in (house.authority / "ca.key", house.host / "store.key"):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o400
    assert stat.S_IMODE(house.authority.stat().st_mode) == 0o700


def test_a_second_run_changes_nothing(house: House) -> None:
    house.certify()
    before = {path: path.read_bytes() for path in house.host.iterdir()}
    again = house.certify()
    assert (again["changed"], again["request"], again["why"]) == (False, "", "")
    assert {path: path.read_bytes() for path in house.host.iterdir()} == before


def test_it_is_renewed_before_it_ends_with_the_same_key(house: House) -> None:
    house.certify(days=100)
    key = (house.host / "store.key").read_bytes()
    assert house.certify()["why"] == "it ends within 275 days"
    assert house.certify()["why"] == ""
    assert (house.host / "store.key").read_bytes() == key


def test_another_address_is_another_certificate(house: House) -> None:
    house.certify(names=["10.0.0.11"])
    assert house.certify(names=["10.0.0.12"])["why"] == "it names 10.0.0.11"


def test_another_authority_is_another_certificate(house: House) -> None:
    house.certify()
    shutil.rmtree(house.authority)
    house.ca = house.found()["authority"]
    assert house.certify()["why"] == "it is not this authority's, or has ended"
    assert house.certify()["why"] == ""


def test_a_run_that_was_killed_between_key_and_certificate_is_mended(house: House) -> None:
    house.certify()
    (house.host / "store.key").unlink()
    assert house.certify()["why"] == "it is of another key"
    (house.authority / "ca.pem").unlink()
    assert house.found()["changed"]


def test_check_mode_makes_nothing(run_module: RunModule, tmp_path: Path) -> None:
    place = tmp_path / "none"
    for arguments in (
        {"step": "authority"},
        {"step": "request", "name": "store", "names": NAMES, "authority": "none yet"},
    ):
        result = run_module(
            "split_certificate", check=True, folder=str(place), site="gazette", **arguments
        )
        assert result["changed"]
    assert not place.exists()
