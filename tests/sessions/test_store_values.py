"""What a session may hold, how its key is made, and how a store is named."""

from __future__ import annotations

import json
import pickle
import string
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.serializers import JSONSerializer
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given, settings
from hypothesis import strategies as some

from django_split.sessions import address, codec, keys
from django_split.sessions.errors import NotJSONError

PLAIN = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(some.characters(codec=None, exclude_categories=()))
)
UNFIT = some.binary() | some.decimals() | some.datetimes() | some.complex_numbers() | some.just({1})


def nested(leaves: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    return some.recursive(
        leaves,
        lambda inner: (
            some.lists(inner)
            | some.tuples(inner, inner)
            | some.dictionaries(some.text() | some.integers(), inner)
        ),
        max_leaves=12,
    )


@given(some.dictionaries(some.text(), nested(PLAIN)))
def test_session_comes_back_as_from_djangos_own_serializer(session: dict[str, Any]) -> None:
    django = JSONSerializer()
    kept = codec.dumps(session)
    # By their representation: a NaN is not equal to itself.
    assert repr(codec.loads(kept)) == repr(django.loads(django.dumps(session)))
    json.loads(kept.decode("utf-8"))


@given(some.dictionaries(some.text(), nested(PLAIN | UNFIT)))
def test_session_comes_back_or_the_error_names_its_key(session: dict[str, Any]) -> None:
    try:
        expected = json.loads(json.dumps(session))
    except (TypeError, ValueError):
        with pytest.raises(NotJSONError) as error:
            codec.dumps(session)
        key = error.value.key
        assert repr(key) in str(error.value)
        with pytest.raises((TypeError, ValueError)):
            json.dumps({key: session[key]})
    else:
        assert repr(codec.loads(codec.dumps(session))) == repr(expected)


@given(some.binary(max_size=200) | some.text().map(str.encode) | nested(PLAIN).map(pickle.dumps))
@settings(max_examples=300)
def test_what_is_no_session_is_an_error(value: bytes) -> None:
    try:
        session = codec.loads(value)
    except ValueError:
        return
    assert isinstance(session, dict)


@pytest.mark.parametrize("value", [b"", b"[]", b"1", b"{} {}", b" ", b"[" * 100_000, b"\xff"])
def test_half_a_session_is_an_error(value: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        codec.loads(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"lines": [{"price": Decimal("1.5")}]}, "session['cart']['lines'][0]['price'] cannot"),
        ((1, datetime(2026, 1, 1)), "session['cart'][1] cannot be kept as JSON: it is of type da"),
        (b"bytes", "session['cart'] cannot be kept as JSON: it is of type bytes"),
        ({(1, 2): "x"}, "session['cart'] cannot be kept as JSON: it is of type dict (keys must"),
        pytest.param(10**5000, "session['cart'] cannot", id="too long to print"),
    ],
)
def test_error_says_where_the_value_is(value: object, said: str) -> None:
    with pytest.raises(NotJSONError) as error:
        codec.dumps({"fine": 1, "cart": value})
    assert said in str(error.value)
    assert error.value.key == "cart"
    assert pickle.loads(pickle.dumps(error.value)).key == "cart"  # noqa: S301 - ours


def test_circle_is_an_error() -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(NotJSONError, match="session"):
            codec.dumps({"loop": value})


def test_key_is_of_djangos_alphabet_and_160_bits_have_to_be_guessed() -> None:
    made = [keys.new() for _ in range(20_000)]
    assert len(set(made)) == len(made)
    alphabet = set(string.ascii_lowercase + string.digits)
    assert all(len(key) == 32 and set(key) <= alphabet for key in made)
    # The likeliest character stands for 8 of the 256 values of a byte: 5 bits, 32 times.
    most = Counter(keys._CHARACTERS).most_common(1)[0][1]
    assert len(keys._CHARACTERS) == 256
    assert most == 8
    # And all places are as good as each other.
    for place in range(32):
        counted = Counter(key[place] for key in made)
        assert set(counted) == alphabet
        assert max(counted.values()) < len(made) * 8 / 256 * 1.3


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("unix:///run/a%20b/store.sock?db=3", address.Address(path="/run/a b/store.sock", db=3)),
        ("unix:///run/store.sock", address.Address(path="/run/store.sock")),
        ("redis://cache/2", address.Address(hosts=(("cache", 6379),), db=2)),
        ("redis://[::1]:7000", address.Address(hosts=(("::1", 7000),))),
        ("rediss://cache:7000?db=1", address.Address(hosts=(("cache", 7000),), tls=True, db=1)),
        (
            "redis+sentinel://a:1,b/primary?db=4",
            address.Address(hosts=(("a", 1), ("b", 26379)), service="primary", db=4),
        ),
        (
            "rediss+sentinel://a/primary",
            address.Address(hosts=(("a", 26379),), service="primary", tls=True),
        ),
    ],
)
def test_forms_of_the_url(url: str, meant: address.Address) -> None:
    assert address.parse(url) == meant


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("", "the scheme '' is unknown"),
        ("memcached://host", "the scheme 'memcached' is unknown"),
        ("unix://run/store.sock", "third slash"),
        ("unix:///run/store.sock?db=one", "database 'one' is no number"),
        ("redis://host/name", "database 'name' is no number"),
        ("redis://host?password=secret", "option password is unknown"),
        ("redis://user:secret@host/0", "DJANGO_SPLIT_STORE_PASSWORD"),
        ("redis://a,b/0", "several hosts need redis+sentinel://"),
        ("redis+sentinel://a:26379", "name by which Sentinel knows"),
        ("redis+sentinel://a,/name", "a host is missing"),
        ("redis://host:port/0", "Port"),
    ],
)
def test_wrong_url_is_one_clear_error(url: str, wrong: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        address.parse(url)
    assert wrong in str(error.value)
    assert "DJANGO_SPLIT_SESSIONS" in str(error.value)
    assert "unix:///run/site/store/store.sock?db=0" in str(error.value)
    assert "secret@" not in str(error.value)
