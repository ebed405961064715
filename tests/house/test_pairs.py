"""Every two choices of one server meet in a row that is converged on a host."""

from __future__ import annotations

import itertools
import sys

from tests.fleet.images import RELEASES
from tests.fleet.pairs import EVERY_DAY, SOAK, Choices, served
from tests.support.plugins import PLUGINS

from .test_roles import REPOSITORY, read

TABLE = read(REPOSITORY / "roles" / "preflight" / "meta" / "argument_specs.yml")
OPTIONS = TABLE["argument_specs"]["variables"]["options"]


def every() -> list[Choices]:
    """All that preflight lets pass; acme needs an authority, and is tried elsewhere."""
    values = (
        OPTIONS["session_store"]["choices"],
        OPTIONS["session_engine"]["choices"],
        OPTIONS["site_database"]["choices"],
        RELEASES,
        [each for each in OPTIONS["proxy_tls"]["choices"] if each != "acme"],
    )
    return [row for row in map(Choices._make, itertools.product(*values)) if served(row)]


def pairs(row: Choices) -> set[tuple[tuple[str, str], tuple[str, str]]]:
    named = zip(row._fields, row, strict=True)
    return set(itertools.combinations(named, 2))


def test_every_two_choices_meet() -> None:
    wanted = set().union(*map(pairs, every()))
    assert wanted - set().union(*map(pairs, (*EVERY_DAY, *SOAK))) == set()


def test_every_row_is_one_that_can_be() -> None:
    assert all(map(served, (*EVERY_DAY, *SOAK)))


def test_no_row_is_there_for_nothing() -> None:
    for row in SOAK:
        others = set().union(*(pairs(each) for each in (*EVERY_DAY, *SOAK) if each != row))
        assert pairs(row) - others, f"{row.name} has no pair of its own"


def test_what_the_rows_take_for_served_is_what_preflight_does() -> None:
    sys.path.append(str(PLUGINS))
    from preflight_checks.values import SERVES

    for engine, store in itertools.product(
        OPTIONS["session_engine"]["choices"], OPTIONS["session_store"]["choices"]
    ):
        row = Choices(store, engine, "url", "trixie", "none")
        assert served(row) is ((engine, store) in SERVES)
