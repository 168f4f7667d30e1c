"""Own a Perfetto trace as it is written: tracks, slices, instants, counters, flows between them.

The packets are Perfetto's TracePacket, TrackDescriptor and TrackEvent; their field numbers stand in
protos/perfetto/trace of https://github.com/google/perfetto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.trace.protobuf_wire import fixed64, message, text, varint
from harness.results.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TrackEvents"]

_TEXT_MAX = 1_000
_SEQUENCE = 1
_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4
_INCREMENTAL_STATE_CLEARED = 1
_ORDER_EXPLICIT = 3


class TrackEvents:
    """Tracks and events, gathered in any order and written in the order of time.

    Times are whole nanoseconds since the run began. On one track slices must be given in order and
    lie in each other or apart; ``flows`` join two events by a number of their own, drawn from the
    one that ``starts`` it to the one that ``ends`` it.
    """

    def __init__(self) -> None:
        self._descriptors: list[bytes] = []
        self._events: list[tuple[int, int, bytes]] = []
        self._children: dict[int, int] = {}

    def track(self, name: str, *, parent: int | None = None, counter: bool = False) -> int:
        """Add a track under its parent, in the order of these calls; return its number."""
        number = len(self._descriptors) + 1
        fields = varint(1, number) + text(2, _words(name)) + varint(11, _ORDER_EXPLICIT)
        if parent is not None:
            rank = self._children[parent] = self._children.get(parent, 0) + 1
            fields += varint(5, parent) + varint(12, rank)
        if counter:
            fields += message(8, b"")
        self._descriptors.append(message(60, fields))
        return number

    def begin(
        self,
        track: int,
        at_ns: int,
        name: str,
        *,
        category: str,
        notes: Mapping[str, str | None] | None = None,
        starts: Sequence[int] = (),
        ends: Sequence[int] = (),
    ) -> None:
        """Begin a slice; ``notes`` are shown when it is selected, those that are None are not."""
        body = text(23, _words(name)) + text(22, category) + _notes(notes)
        body += b"".join(fixed64(47, flow) for flow in starts)
        body += b"".join(fixed64(48, flow) for flow in ends)
        self._event(track, at_ns, _BEGIN, body)

    def end(self, track: int, at_ns: int) -> None:
        """End the slice that began last on a track."""
        self._event(track, at_ns, _END, b"")

    def instant(
        self,
        track: int,
        at_ns: int,
        name: str,
        *,
        category: str,
        notes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Mark a moment."""
        body = text(23, _words(name)) + text(22, category) + _notes(notes)
        self._event(track, at_ns, _INSTANT, body)

    def count(self, track: int, at_ns: int, value: int) -> None:
        """Set a counter."""
        self._event(track, at_ns, _COUNTER, varint(30, value))

    def encoded(self) -> bytes:
        """Return the whole trace, a protocol buffer of the type perfetto.protos.Trace."""
        packets = [_packet(one) for one in self._descriptors]
        if packets:
            packets[0] = _packet(self._descriptors[0], first=True)
        # Sorted by time, and at one time as they were given: an end before what begins next.
        packets += [_packet(body) for _, _, body in sorted(self._events)]
        return b"".join(message(1, one) for one in packets)

    def _event(self, track: int, at_ns: int, kind: int, body: bytes) -> None:
        event = message(11, varint(9, kind) + varint(11, track) + body)
        self._events.append((at_ns, len(self._events), varint(8, at_ns) + event))


def _packet(body: bytes, *, first: bool = False) -> bytes:
    flags = varint(13, _INCREMENTAL_STATE_CLEARED) if first else b""
    return body + varint(10, _SEQUENCE) + flags


def _notes(notes: Mapping[str, str | None] | None) -> bytes:
    return b"".join(
        message(4, text(10, name) + text(6, _words(value)))
        for name, value in (notes or {}).items()
        if value is not None
    )


def _words(value: str) -> str:
    return printable(shortened(value, _TEXT_MAX))
