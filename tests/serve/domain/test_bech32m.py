"""Claims: bech32m text is written as BIP 350 says, and anything else is refused with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.domain import bech32m

# Valid strings of BIP 350 whose values fill whole bytes.
VALID = [
    ("A1LQFN3A", "a", ""),
    ("a1lqfn3a", "a", ""),
    (
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1",
        "",
    ),
    ("?1v759aa", "?", ""),
]


@pytest.mark.parametrize(("text", "hrp", "payload"), VALID)
def test_valid_strings_of_the_standard_are_read(text, hrp, payload):
    assert bech32m.decode(text) == (hrp, bytes.fromhex(payload))
    assert bech32m.encode(hrp, bytes.fromhex(payload)) == text.lower()


@given(payload=st.binary(max_size=60), hrp=st.sampled_from(["mtst", "mlcl", "a1b"]))
def test_every_payload_survives(payload, hrp):
    assert bech32m.decode(bech32m.encode(hrp, payload)) == (hrp, payload)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("qyrz8wqd2c9m", "no separator character"),
        ("1qyrz8wqd2c9m", "empty HRP"),
        ("in1muywd", "too short checksum"),
        (" 1xj0phk", "HRP character out of range"),
        ("a1lqfn3\x7f", "data part character out of range"),
        ("A1LQFN3\u212a", "data part character out of range"),
        ("A1lqfn3a", "mixed case"),
        ("M1VUXWEZb", "mixed case"),
        ("mm1crxm3i", "invalid character in checksum"),
        ("y1b0jsk6g", "invalid data character"),
        ("a1lqfn3q", "^invalid checksum$"),
        ("a12uel5l", "BECH32_1_CONST verifies"),
        ("q" * 1024, "1024, limit is 1023"),
        ("a1qy52hkn", "zero padding of more than 4 bits in 5-to-8 conversion"),
        ("a1qpg8r8qs", "non-zero padding in 5-to-8 conversion"),
    ],
)
def test_text_that_is_no_bech32m_is_refused_with_its_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        bech32m.decode(text)
