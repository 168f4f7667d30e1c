"""Tokens: they come back as they were written, and whatever is damaged is refused."""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest

from harness.choices.kinds import ChoiceKind
from harness.errors import BadInput
from harness.results.profile_used import ProfileUsed
from harness.search.failures.tape import Deviation, Tape
from harness.search.failures.token import PREFIX, Token, cause_key, checkpoints_of, first_parting
from harness.search.terms import SearchTerms


def token(**changes):
    values = {
        "subject": "scenarios/kötüm.toml",
        "terms": SearchTerms(
            strategy="replay",
            seed=2**64 - 1,
            adversarial=True,
            chaos=True,
            system="tickets:Tickets",
        ),
        "tape": Tape(
            seed=2**64 - 1,
            schedule=(
                Deviation(ChoiceKind.ORDER, "1.2.p3", 4, 1_000_000),
                Deviation(ChoiceKind.FAULT, "client.sync.started", 0, 2),
                Deviation(ChoiceKind.CANCEL, "create#2", 5, 1),
                Deviation(ChoiceKind.LATENCY, "rpc", 1, 3),
            ),
        ),
        "cause": cause_key("single_spawn"),
        "code": "0123456789abcdef",
        "steps": 300,
        "checkpoints": (1, 65_535),
        "dropped": ("user bob", "times create 1"),
    }
    return Token(**{**values, **changes})


def order(*lanes):
    return b"".join(lane.to_bytes(4, "little") for lane in lanes)


def test_a_token_is_read_back_as_it_was_written():
    assert Token.read(str(token())) == token()
    assert Token.read(f"  {token()}\n") == token()


def test_a_token_tells_how_late_the_loop_was_allowed_to_be():
    late = token(terms=SearchTerms(strategy="replay", seed=2**64 - 1, late_ms=20.0))
    assert Token.read(str(late)) == late
    assert Token.read(str(late)).terms.late_ms == 20.0


def test_a_token_of_a_lateness_that_cannot_be_is_refused():
    with pytest.raises(BadInput, match="is damaged"):
        Token.read(str(token(terms=SearchTerms(strategy="replay", late_ms=-1.0))))


def test_every_damaged_token_is_refused():
    text = str(token())
    stream = random.Random(4)
    for _ in range(400):
        position = stream.randrange(len("mh1-"), len(text))
        damaged = text[:position] + stream.choice("abcXYZ012-_") + text[position + 1 :]
        if damaged != text:
            with pytest.raises(BadInput, match="token: is damaged"):
                Token.read(damaged)


@pytest.mark.parametrize("cut", [5, 20, -1, -9])
def test_a_token_that_was_cut_off_is_refused(cut):
    with pytest.raises(BadInput, match="is damaged"):
        Token.read(str(token())[:cut])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must begin with mh1-"),
        ("dt1-cgAB", "must begin with mh1-"),
        ("mh4-abc", "of another version of the harness"),
        ("mh1-", "is damaged"),
        ("mh1-!!!!", "is damaged"),
        ("mh1-é", "is damaged"),
        ("mh1-" + "A" * 100_000, "is damaged"),
    ],
)
def test_what_is_no_token_is_refused(text, told):
    with pytest.raises(BadInput, match=told):
        Token.read(text)


def test_an_equal_run_has_no_parting():
    run = order(*range(1, 101))
    again = token(steps=100, checkpoints=checkpoints_of(run))
    assert first_parting(again, run) is None


@pytest.mark.parametrize("at", [0, 1, 37, 90, 99])
def test_the_first_difference_lies_where_it_is_told(at):
    lanes = list(range(1, 101))
    run = token(steps=100, checkpoints=checkpoints_of(order(*lanes)))
    lanes[at] = 777
    found = first_parting(run, order(*lanes))
    if at < 13 * 7:
        assert found is not None
        assert found[0] <= at < found[1] <= found[0] + 13
    # Steps after the last checkpoint are only counted.


@pytest.mark.parametrize("steps", [0, 1, 50, 99, 101, 140])
def test_a_run_of_another_length_parts(steps):
    run = token(steps=100, checkpoints=checkpoints_of(order(*range(1, 101))))
    assert first_parting(run, order(*range(1, steps + 1))) is not None


PROFILE = ProfileUsed(name="profiles/schnell ö.toml", hash="0123456789ab")


def test_a_token_of_another_profile_is_of_another_version_and_read_back():
    with_profile = token(profile=PROFILE)
    assert str(with_profile).startswith("mh2-")
    assert Token.read(str(with_profile)) == with_profile


def test_a_token_of_the_nominal_profile_is_as_ever():
    text = str(token())
    assert text.startswith("mh1-")
    assert Token.read(text).profile is None
    assert Token.read(text) != token(profile=PROFILE)


def test_a_token_whose_version_was_changed_by_hand_is_damaged():
    with pytest.raises(BadInput, match="token: is damaged"):
        Token.read(str(token()).replace("mh1-", "mh2-"))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "\x1b[2Jpwn.toml"),
        (1, "\x1b[31m:x"),
        (3, float("inf")),
        (11, ["times ask 99999999999"]),
        (11, ["times ask x"]),
        (11, ["times ask 0"]),
        (11, ["\x1b[31m"]),
        (11, ["everything"]),
    ],
)
def test_a_token_with_what_none_of_ours_has_is_damaged(place, value):
    document = ["shop.toml", "", 0, 0, [], [], "x" * 8, "y" * 16, 10, "abcd", 0, []]
    document[place] = value
    with pytest.raises(BadInput, match="is damaged"):
        Token.read(sealed(json.dumps(document)[1:-1].replace("Infinity", "1e999")))


def test_a_token_nested_too_deep_is_damaged():
    with pytest.raises(BadInput, match="is damaged"):
        Token.read(sealed("[" * 3_000 + "]" * 3_000))


def sealed(text):
    body = b"t" + text.encode()
    return PREFIX + base64.urlsafe_b64encode(zlib.crc32(body).to_bytes(4) + body).decode()


@pytest.mark.parametrize(
    ("changes", "prefix"),
    [
        ({"hashing": "0"}, "mh1-"),
        ({"hashing": "random"}, "mh1-"),
        ({"hashing": "77", "profile": PROFILE}, "mh3-"),
        ({"profile": PROFILE}, "mh2-"),
    ],
)
def test_how_texts_were_hashed_is_read_back(changes, prefix):
    one = token(**changes)
    assert str(one).startswith(prefix)
    assert Token.read(str(one)) == one


def test_a_token_of_before_does_not_say_how_texts_were_hashed():
    # As it was written when tokens did not say so.
    assert Token.read(str(token(hashing=""))).hashing == ""
