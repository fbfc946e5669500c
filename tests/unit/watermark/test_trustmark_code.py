"""TrustMark's error correction against its published example and against errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.watermark.trustmark_code import BCH_5, LENGTH, SCHEMAS, decode, encode

# github.com/adobe/trustmark, rust/src/bits.rs, test "new"
PUBLISHED = (
    "1011011110011000111111000000011111011111011100000110110110111000110010101101111010011011000010000001"
)


def bits(text: str) -> tuple[int, ...]:
    return tuple(map(int, text))


def test_the_published_example() -> None:
    assert encode(bits(PUBLISHED[:61]), BCH_5) == bits(PUBLISHED)
    assert decode(bits(PUBLISHED)) == (BCH_5, bits(PUBLISHED[:61]))
    assert decode(bits("0" * 45 + PUBLISHED[45:])) is None
    assert decode(bits("1" * 100)) is None


@given(st.data())
def test_as_many_errors_as_promised_are_corrected(data) -> None:
    schema = data.draw(st.sampled_from(SCHEMAS))
    payload = tuple(data.draw(st.lists(st.integers(0, 1), min_size=schema.payload, max_size=schema.payload)))
    places = data.draw(st.sets(st.integers(0, 95), max_size=schema.corrects))
    word = [bit ^ (place in places) for place, bit in enumerate(encode(payload, schema))]
    assert decode(tuple(word)) == (schema, payload)


@given(st.lists(st.integers(0, 1), min_size=LENGTH, max_size=LENGTH))
def test_any_word_is_read_or_refused(word) -> None:
    found = decode(tuple(word))
    if found is not None:
        schema, payload = found
        sent = encode(payload, schema)
        assert sum(a != b for a, b in zip(sent, word, strict=True)) <= schema.corrects


def test_a_payload_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="carries 61 bits"):
        encode((0,) * 60, BCH_5)
