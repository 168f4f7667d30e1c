"""What of a run's order somebody could tell apart: who came in which turn to what is shared."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.history.records import History

__all__ = ["partial_order_of"]


def partial_order_of(history: History) -> bytes:
    """Return a digest of the order in which each shared thing was used, 12 bytes.

    Shared things are the clients (their spawns and commands), the locks (their holders), and each
    user's operations with their ends. Two runs that only swap what happened to different things
    have the same digest.
    """
    turns: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for operation in history.operations:
        who = f"operations of {operation.user}"
        name = f"{operation.step} {operation.number}"
        turns[who].append((operation.begin_s, f"begin {name}"))
        if operation.end_s is not None:
            turns[who].append((operation.end_s, f"end {name} {operation.outcome.value}"))
    for client in history.clients:
        turns[f"client {sorted(client.key.items())}"].append((client.begin_s, "spawn"))
    for command in history.commands:
        where = f"client {sorted(command.key.items())}"
        turns[where].append((command.begin_s, f"{command.name} {command.task}"))
    for hold in history.lock_holds:
        turns[f"lock {hold.lock}"].append((hold.begin_s, hold.task))
    for fault in history.faults:
        turns["faults"].append((fault.at_s, f"{fault.point} {fault.kind}"))
    digest = hashlib.blake2b(digest_size=12)
    for thing in sorted(turns):
        # The moments themselves are dropped: only whose turn it was counts.
        names = [name for _, name in sorted(turns[thing], key=lambda turn: turn[0])]
        digest.update(repr((thing, names)).encode())
    return digest.digest()
