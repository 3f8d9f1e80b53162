from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.domain.holds import Hold
from bursar.domain.keys import VirtualKey
from bursar.domain.users import User
from bursar.store.values import RecordNotation, decode, encode, number

NOW = datetime(2026, 11, 22, 18, 30, 1, 5, tzinfo=UTC)
SMALLEST = Decimal("0.000000000001")

amounts = st.decimals(
    min_value=-(10**20), max_value=10**20, places=12, allow_nan=False, allow_infinity=False
)
plain_values = st.recursive(
    st.none() | st.text() | st.booleans() | st.integers(-(10**30), 10**30) | amounts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(plain_values)
def test_every_value_reads_back_as_it_was_written(value: Any) -> None:
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("1E+3"), "1000"),
        (SMALLEST, "0.000000000001"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("-0.10"), "-0.10"),
        (-7, "-7"),
    ],
)
def test_amounts_are_written_without_an_exponent(amount: Decimal | int, written: str) -> None:
    assert number(amount) == {"N": written}


def test_numbers_are_integers_only_where_they_are_written_as_such() -> None:
    assert [type(decode({"N": text})) for text in ("7", "-7", "7.0", "7E+2")] == [
        int,
        int,
        Decimal,
        Decimal,
    ]


def test_maps_are_read_whole() -> None:
    assert decode({"M": {"a": {"L": [{"N": "1"}, {"BOOL": False}]}}}) == {"a": [1, False]}


@pytest.mark.parametrize("value", [1.5, {"a": 1.5}, b"bytes"])
def test_what_has_no_exact_notation_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_what_is_none_or_in_the_key_is_not_stored() -> None:
    notation = RecordNotation(VirtualKey, documents=("metadata",), in_key=("key_id",))

    attributes = notation.attributes(VirtualKey("k", "alice", "d", NOW))

    assert attributes == {
        "user_id": {"S": "alice"},
        "digest": {"S": "d"},
        "created_at": {"S": "2026-11-22T18:30:01.000005Z"},
        "is_active": {"BOOL": True},
        "metadata": {"S": "{}"},
    }


def test_an_item_that_lacks_a_field_is_refused() -> None:
    notation = RecordNotation(Hold)

    with pytest.raises(msgspec.ValidationError):
        notation.record({"hold_id": {"S": "h"}})


@settings(deadline=None)
@given(
    metadata=st.dictionaries(
        st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.text()
    )
)
def test_free_form_metadata_survives_to_the_bit(metadata: dict[str, Any]) -> None:
    notation = RecordNotation(User, documents=("metadata",))
    user = User("alice", NOW, NOW, NOW, metadata=metadata)

    assert notation.record(notation.attributes(user)) == user
