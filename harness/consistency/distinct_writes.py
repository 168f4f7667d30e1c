"""The shortcut for values that are written once: an order by sorting instead of a search."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from harness.consistency.call import Call
    from harness.consistency.model import Access

__all__ = ["longest", "ordered"]


class _Cluster:
    """The write of a value with its reads, which are adjacent in every order that fits.

    ``first_end`` is the earliest end of these calls, ``last_begin`` the latest begin, and
    ``written`` the begin of the write.
    """

    __slots__ = ("calls", "first_end", "last_begin", "written")

    def __init__(self, written: Call, end: float | None) -> None:
        self.calls = [written]
        self.written = written.begin
        self.first_end = inf if end is None else end
        self.last_begin = written.begin


def ordered(
    calls: Sequence[Call],
    accesses: Sequence[Access],
    initial: Hashable,
    *,
    ends: Sequence[float | None] | None = None,
) -> list[Call] | bool | None:
    """Order plain reads and writes; False if no order fits, None if some value is written twice.

    ``ends`` replace the ends of the calls. After Gibbons and Korach, "Testing shared memories"
    (1997): a cluster must precede another if one of its calls ended before a call of the other
    began. If any order of clusters fits, so does the order by ``first_end + last_begin``: the
    cluster that must come first has the smaller sum.
    """
    ends = [one.end for one in calls] if ends is None else ends
    clusters = _written(calls, accesses, initial, ends)
    if clusters is None:
        return None
    untouched: list[Call] = []
    untouched_begin = -inf
    for call, (writes, value), end in zip(calls, accesses, ends, strict=True):
        if writes or end is None:
            continue
        cluster = clusters.get(value)
        if cluster is not None:
            if end < cluster.written:
                return False
            cluster.calls.append(call)
            cluster.first_end = min(cluster.first_end, end)
            cluster.last_begin = max(cluster.last_begin, call.begin)
        elif value == initial:
            untouched.append(call)
            untouched_begin = max(untouched_begin, call.begin)
        else:
            return False
    # A write of unknown outcome that nobody read can be left out.
    found = [one for one in clusters.values() if one.first_end != inf]
    order = _fitting(found, untouched_begin, _sum)
    if order is None:
        order = _fitting(found, untouched_begin, _exact_sum)
    if order is None:
        return False
    return [*untouched, *(call for cluster in order for call in cluster.calls)]


def _written(
    calls: Sequence[Call],
    accesses: Sequence[Access],
    initial: Hashable,
    ends: Sequence[float | None],
) -> dict[Hashable, _Cluster] | None:
    """Begin a cluster with each write; None if a value is written twice, or is the initial one."""
    clusters: dict[Hashable, _Cluster] = {}
    for call, (writes, value), end in zip(calls, accesses, ends, strict=True):
        if writes:
            if value in clusters or value == initial:
                return None
            clusters[value] = _Cluster(call, end)
    return clusters


def longest(
    calls: Sequence[Call], accesses: Sequence[Access], initial: Hashable
) -> tuple[list[Call], Call]:
    """Find the longest prefix of calls, by end, for which an order fits, and the next call.

    Calls that have begun but not ended by then may be in the order as well. Only for a history of
    which ``ordered`` has said that no order fits.
    """
    by_end = sorted(
        (end, number) for number, call in enumerate(calls) if (end := call.end) is not None
    )

    def first(count: int) -> list[Call] | bool | None:
        ends: list[float | None] = [None] * len(calls)
        for end, number in by_end[:count]:
            ends[number] = end
        return ordered(calls, accesses, initial, ends=ends)

    fits, too_many = 0, len(by_end)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if first(middle) is False:
            too_many = middle
        else:
            fits = middle
    order = first(fits)
    return (order if isinstance(order, list) else []), calls[by_end[fits][1]]


def _sum(cluster: _Cluster) -> float:
    return cluster.first_end + cluster.last_begin


def _exact_sum(cluster: _Cluster) -> Fraction:
    """Add without rounding, which could make two different sums equal."""
    return Fraction(cluster.first_end) + Fraction(cluster.last_begin)


def _fitting(
    clusters: list[_Cluster], begun: float, key: Callable[[_Cluster], float | Fraction]
) -> list[_Cluster] | None:
    clusters = sorted(clusters, key=key)
    for cluster in clusters:
        if cluster.first_end < begun:
            return None
        begun = max(begun, cluster.last_begin)
    return clusters
