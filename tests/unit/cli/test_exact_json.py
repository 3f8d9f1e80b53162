from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.exact_json import dumped

_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=12)
_LEAVES = st.none() | st.booleans() | st.integers() | st.text() | _DECIMALS
_DOCUMENTS = st.recursive(
    _LEAVES, lambda each: st.lists(each) | st.dictionaries(st.text(), each), max_leaves=20
)


@given(_DOCUMENTS, st.sampled_from([None, 2]))
def test_what_is_written_reads_as_it_was(document: object, indent: int | None) -> None:
    assert json.loads(dumped(document, indent), parse_float=Decimal) == document


def test_decimals_keep_their_digits_and_other_libraries_agree() -> None:
    document = {
        "cost": Decimal("0.000000000001"),
        "most": Decimal("123456789012345.123456789012"),
        "none": Decimal("1.50"),
        "names": ["漢字", 'a"b\\', ""],
        "empty": [{}, []],
        "nested": [{"a": (1, True, None)}],
    }
    encoded = msgspec.json.Encoder(decimal_format="number").encode(document)
    assert dumped(document) == encoded.decode()
    assert dumped(document, 2) == msgspec.json.format(encoded, indent=2).decode()


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "\ud800", "\u202e", "a\nb"])
def test_a_text_that_a_terminal_would_obey_is_written_by_codes(text: str) -> None:
    written = dumped([text])
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written) == [text]


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(TypeError):
        dumped({"a": object()})
