"""The token of a failure: one short word that repeats a run elsewhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

from harness.choices.kinds import ChoiceKind
from harness.choices.lateness import LATE_MS_DEFAULT, LATE_MS_MAX
from harness.errors import BadInput
from harness.results.profile_used import ProfileUsed
from harness.search.failures.tape import Deviation, Tape
from harness.search.terms import SearchTerms

__all__ = ["Token", "cause_key", "checkpoints_of", "first_parting"]

PREFIX = "mh1-"
# Of a run with another profile than the nominal one: who knows no profiles must not take it.
PREFIX_WITH_PROFILE = "mh2-"
# Of a run in which tasks may be cancelled, or whose profile stands beside how texts were hashed:
# who knows of no such choices, or has no room for both, must not take it.
PREFIX_WITH_MORE = "mh3-"
PREFIXES = (PREFIX, PREFIX_WITH_PROFILE, PREFIX_WITH_MORE)
CHAOS, CANCEL = 1, 2
# What a token may unpack to: beyond this it is no token.
BYTES_MAX = 4_000_000
# A part of a workload that is left out, as ``workload_shrinking`` writes it.
LEFT_OUT = re.compile(r"(phase|user|step) .+|times .+ [1-9][0-9]{0,6}")
# What reading something else than a token comes to.
_DAMAGES = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError)
CHECKPOINTS_MAX = 8
LANE_BYTES = 4

# What many tokens hold, the most frequent last: so it costs next to nothing. Whoever changes it
# changes the form of tokens, which then needs another prefix.
WINDOW = -15
WORDS = (
    b'","times list ","times sync 1","times create 1","step create","step sync","step list'
    b'","step list_own","user alice","user bob","user user-0","phase wait","phase overlap'
    b'","phase look","phase lose","phase create","phase prepare'
    b'.before alice",.after alice",0,1,"o1.1.1",0,1,"o1.1.p1",0,1,"o1.2.p1",0,1000000,"o1.3.p1'
    b'"tests/","harness.systems.serve_core:serve_core",0,0,[],[],"","scenarios/.toml'
)
KINDS = {kind: kind.value[0] for kind in ChoiceKind}
KINDS_BACK = {letter: kind for kind, letter in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """All that repeats a run, and what shows whether it was repeated.

    ``subject`` is the scenario's path or the program's name, ``terms`` are those of the run: the
    strategy is "replay", the seed the run's. ``cause`` identifies the failure's cause, see
    ``cause_key``. ``code`` are the first hexadecimal digits of the fingerprint
    of the code, ``steps`` the run's steps and ``checkpoints`` short checksums of its beginnings, of
    equally many steps each.
    ``dropped`` names the parts of the workload that were left out. ``profile`` is the latency
    profile, None for the nominal one; the ``terms`` have it only once it has been read.
    ``hashing`` says how texts were hashed, see ``text_hashing``; tokens of before do not say it.
    """

    subject: str
    terms: SearchTerms
    tape: Tape
    cause: str
    code: str
    steps: int
    checkpoints: tuple[int, ...]
    dropped: tuple[str, ...] = ()
    profile: ProfileUsed | None = None
    hashing: str = ""

    def __str__(self) -> str:
        terms = self.terms
        document = [
            self.subject,
            terms.system or "",
            int(terms.adversarial),
            self.tape.seed,
            _packed(self.tape.schedule),
            self._surroundings(),
            self.cause,
            self.code,
            self.steps,
            b"".join(one.to_bytes(2) for one in self.checkpoints).hex(),
            CHAOS * terms.chaos + CANCEL * terms.cancel,
            list(self.dropped),
        ]
        if terms.late_ms != LATE_MS_DEFAULT:
            document.append(terms.late_ms)
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)[1:-1].encode()
        packer = zlib.compressobj(9, zlib.DEFLATED, WINDOW, zdict=WORDS)
        packed = packer.compress(text) + packer.flush()
        body = b"z" + packed if len(packed) < len(text) else b"t" + text
        sealed = zlib.crc32(body).to_bytes(4) + body
        prefix = PREFIX if self.profile is None else PREFIX_WITH_PROFILE
        if terms.cancel or (self.profile is not None and self.hashing):
            prefix = PREFIX_WITH_MORE
        return prefix + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def _surroundings(self) -> list[str]:
        """List the profile, if there is one, and how texts were hashed, if that is known.

        Who knows only profiles passes over this in a mh1-, and does not take a mh3-.
        """
        profile = [] if self.profile is None else [self.profile.name, self.profile.hash]
        return [*profile, self.hashing] if self.hashing else profile

    @classmethod
    def read(cls, text: str) -> Token:
        """Read a token.

        Raises:
            BadInput: It is none, is damaged, or is of another version of the harness.
        """
        text = text.strip()
        if not text.startswith(PREFIXES):
            other = text.startswith("mh") and "-" in text[:6]
            why = "is of another version of the harness" if other else f"must begin with {PREFIX}"
            raise BadInput(
                f'token: {why}, got "{_short(text)}"; copy the whole word that the failure printed'
            )
        try:
            return cls._of(_unsealed(text[len(PREFIX) :]), text[: len(PREFIX)])
        except (*_DAMAGES, zlib.error, binascii.Error) as error:
            msg = f'token: is damaged, got "{_short(text)}"; copy the whole word again'
            raise BadInput(msg) from error

    @classmethod
    def _of(cls, document: Any, prefix: str) -> Token:
        (
            subject,
            system,
            adversarial,
            seed,
            schedule,
            surroundings,
            cause,
            code,
            steps,
            checkpoints,
            modes,
            dropped,
            *late,
        ) = document
        has_profile = prefix != PREFIX and len(surroundings) >= 2
        if prefix == PREFIX_WITH_PROFILE and not has_profile:
            raise ValueError("a token of this version has a profile")
        profile, rest = surroundings[: 2 * has_profile], surroundings[2 * has_profile :]
        return cls(
            subject=_text(subject),
            terms=SearchTerms(
                strategy="replay",
                seed=int(seed),
                adversarial=bool(adversarial),
                chaos=bool(modes & CHAOS),
                cancel=bool(modes & CANCEL),
                late_ms=_late_ms(*late),
                system=_text(system) or None,
            ),
            tape=Tape(seed=int(seed), schedule=_unpacked(schedule)),
            cause=_text(cause),
            code=_text(code),
            steps=int(steps),
            checkpoints=_sums(bytes.fromhex(checkpoints)),
            dropped=tuple(_left_out(one) for one in dropped),
            profile=_profile(*profile) if has_profile else None,
            hashing=str(rest[0]) if rest else "",
        )


def _late_ms(late_ms: float = LATE_MS_DEFAULT) -> float:
    if not 0.0 <= late_ms <= LATE_MS_MAX:
        raise ValueError("no such lateness")
    return float(late_ms)


def _profile(name: object, digits: object) -> ProfileUsed:
    return ProfileUsed(name=_text(name), hash=_text(digits))


def _text(found: object) -> str:
    """Return a text of a token, which is printed: nothing in it may steer a terminal."""
    if not isinstance(found, str) or not found.isprintable():
        raise ValueError("a text that no token of ours holds")
    return found


def _left_out(found: object) -> str:
    text = _text(found)
    if not LEFT_OUT.fullmatch(text):
        raise ValueError("no part of a workload")
    return text


def cause_key(cause: str) -> str:
    """Return the eight hexadecimal digits by which a token tells a cause from others."""
    return hashlib.sha256(cause.encode()).hexdigest()[:8]


def checkpoints_of(order: bytes) -> tuple[int, ...]:
    """Make checksums of the beginnings of an order: 16 bits each, of equally many steps apart."""
    steps = len(order) // LANE_BYTES
    stride = max(1, -(-steps // CHECKPOINTS_MAX))
    return tuple(
        zlib.crc32(order[: end * LANE_BYTES]) & 0xFFFF for end in range(stride, steps + 1, stride)
    )


def first_parting(token: Token, order: bytes) -> tuple[int, int] | None:
    """Say between which steps a run first differs from the token's, or None if it does not."""
    steps = len(order) // LANE_BYTES
    stride = max(1, -(-token.steps // CHECKPOINTS_MAX))
    for position, expected in enumerate(token.checkpoints):
        end = (position + 1) * stride
        if end > steps or zlib.crc32(order[: end * LANE_BYTES]) & 0xFFFF != expected:
            return position * stride, min(end, max(steps, token.steps))
    if steps != token.steps:
        return min(steps, token.steps), max(steps, token.steps)
    return None


def _packed(deviations: tuple[Deviation, ...]) -> list[Any]:
    packed: list[Any] = []
    for one in deviations:
        packed += [KINDS[one.kind] + one.where, one.nth, one.value]
    return packed


def _unpacked(packed: list[Any]) -> tuple[Deviation, ...]:
    if len(packed) % 3:
        raise ValueError("deviations come in threes")
    return tuple(
        Deviation(
            KINDS_BACK[packed[at][0]], packed[at][1:], int(packed[at + 1]), int(packed[at + 2])
        )
        for at in range(0, len(packed), 3)
    )


def _unsealed(text: str) -> Any:
    sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    body = sealed[4:]
    if zlib.crc32(body).to_bytes(4) != sealed[:4]:
        raise ValueError("the checksum does not fit")
    plain = body[1:]
    if body[:1] == b"z":
        plain = zlib.decompressobj(WINDOW, zdict=WORDS).decompress(plain, BYTES_MAX)
    return json.loads(b"[" + plain + b"]")


def _sums(packed: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(packed[at : at + 2]) for at in range(0, len(packed), 2))


def _short(text: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:24]}...{text[-8:]}"
    return "".join(one if one.isprintable() else "?" for one in shown)
