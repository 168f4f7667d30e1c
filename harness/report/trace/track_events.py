"""A Perfetto trace as it is written: tracks, slices, instants, counters, flows between them.

The messages are defined by Perfetto (protos/perfetto/trace of https://github.com/google/perfetto).
Importing them takes a tenth of a second, so only what writes a trace imports this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

from harness.results.wording import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TrackEvents"]

_TEXT_MAX = 1_000
_SEQUENCE = 1


class TrackEvents:
    """Tracks and events, gathered in any order and written in the order of time.

    Times are whole nanoseconds since the run began. The slices of a track must be given in order,
    each inside or apart from the others. ``flows`` join events by number: an arrow leads from the
    event that ``starts`` the number to the event that ``ends`` it.
    """

    def __init__(self) -> None:
        self._tracks: list[protos.TracePacket] = []
        self._events: list[protos.TracePacket] = []
        self._children: dict[int, int] = {}

    def track(self, name: str, *, parent: int | None = None, counter: bool = False) -> int:
        """Add a track under its parent, in the order of these calls; return its number."""
        packet = protos.TracePacket(trusted_packet_sequence_id=_SEQUENCE)
        self._tracks.append(packet)
        number = len(self._tracks)
        described = packet.track_descriptor
        described.uuid, described.name = number, _words(name)
        described.child_ordering = protos.TrackDescriptor.EXPLICIT
        if parent is not None:
            rank = self._children[parent] = self._children.get(parent, 0) + 1
            described.parent_uuid, described.sibling_order_rank = parent, rank
        if counter:
            described.counter.SetInParent()
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
        """Begin a slice; ``notes`` that are not None are shown when it is selected."""
        event = self._event(track, at_ns, protos.TrackEvent.TYPE_SLICE_BEGIN)
        _describe(event, name, category, notes)
        event.flow_ids.extend(starts)
        event.terminating_flow_ids.extend(ends)

    def end(self, track: int, at_ns: int) -> None:
        """End the slice that began last on a track."""
        self._event(track, at_ns, protos.TrackEvent.TYPE_SLICE_END)

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
        event = self._event(track, at_ns, protos.TrackEvent.TYPE_INSTANT)
        _describe(event, name, category, notes)

    def count(self, track: int, at_ns: int, value: int) -> None:
        """Set a counter."""
        self._event(track, at_ns, protos.TrackEvent.TYPE_COUNTER).counter_value = value

    def encoded(self) -> bytes:
        """Return the whole trace as a protocol buffer of the type perfetto.protos.Trace."""
        if self._tracks:
            cleared = protos.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED
            self._tracks[0].sequence_flags = cleared
        # Sorted by time; at the same time as they were given: an end before the next begin.
        events = sorted(self._events, key=lambda packet: packet.timestamp)
        encoded: bytes = protos.Trace(packet=[*self._tracks, *events]).SerializeToString()
        return encoded

    def _event(self, track: int, at_ns: int, kind: int) -> protos.TrackEvent:
        packet = protos.TracePacket(timestamp=at_ns, trusted_packet_sequence_id=_SEQUENCE)
        packet.track_event.type, packet.track_event.track_uuid = kind, track
        self._events.append(packet)
        return packet.track_event


def _describe(
    event: protos.TrackEvent, name: str, category: str, notes: Mapping[str, str | None] | None
) -> None:
    event.name = _words(name)
    event.categories.append(category)
    for key, value in (notes or {}).items():
        if value is not None:
            event.debug_annotations.add(name=key, string_value=_words(value))


def _words(value: str) -> str:
    return printable(shortened(value, _TEXT_MAX))
