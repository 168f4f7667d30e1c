"""Profiles that must be refused: how each is made, and what must be said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE = 'provenance = "somewhere"\n'
KINDS = '"constant", "uniform", "triangular", "lognormal", "one_of" or "empirical"'


def text(lines: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(SOURCE + lines, encoding="utf-8")


def store(distribution: str) -> Callable[[Path], object]:
    return text(f"[latency_ms]\nstore = {distribution}\n")


def one(where: str, what: str) -> str:
    return f"FILE: 1 mistake\n  {where}: {what}"


# A name, what makes the file, and all that must be told of it, with FILE for its path.
BAD = (
    ("missing", lambda path: None, "FILE: no such file or folder"),
    ("a folder", lambda path: path.mkdir(), "FILE: is a folder; name a file in it"),
    ("empty", lambda path: path.touch(), "FILE: is empty; a profile has provenance, and what"
     " differs from the nominal profile, such as [latency_ms]"),
    ("a comment alone", lambda path: path.write_text("# later\n"), "FILE: is empty; a profile has"
     " provenance, and what differs from the nominal profile, such as [latency_ms]"),
    ("no TOML", text("cores = \n"), "FILE: is not TOML: invalid value (at line 2, column 9)"),
    ("a key twice", text("cores = 2\ncores = 3\n"), "FILE: is not TOML: cannot overwrite a value"
     " (at line 3, column 10)"),
    ("no UTF-8", lambda path: path.write_bytes(b'provenance = "\xff"\n'),
     "FILE: must be UTF-8 text, line 1 is not; save it as UTF-8"),
    ("a byte order mark", lambda path: path.write_text(SOURCE, encoding="utf-8-sig"),
     "FILE: begins with a byte order mark; save it as UTF-8 without one"),
    ("huge", lambda path: path.write_text("#" * 1_000_001), "FILE: must be at most 1_000_000"
     " bytes, has 1_000_001; write percentiles, not all values"),
    ("nested too deeply", text("a" + ".a" * 40 + " = 1\n"),
     "FILE: is nested deeper than 30 tables or lists; write it flatter"),
    ("no source", lambda path: path.write_text("cores = 2\n"), one("provenance", "is missing; write"
     " provenance = ... (where the figures come from, in a sentence or more)")),
    ("an empty source", lambda path: path.write_text('provenance = " "\n'),
     one("provenance", 'must be text with something in it, got " "')),
    ("an unknown key", text("core = 2\n"), one("core", 'no such key; did you mean "cores"?')),
    ("an unknown table", text("[disks]\n"), one("disks",
     "no such key; known here: provenance, cores, core_slice_ms, rpc_workers, request_timeout_ms,"
     " block_interval_ms, executor, latency_ms, rpcs, command")),
    ("an unknown latency", text('[latency_ms]\ndail = { kind = "constant", value = 1 }\n'),
     one("latency_ms.dail", 'no such key; did you mean "dial"?')),
    ("an unknown command", text("[command.prepare_acount]\n"),
     one("command.prepare_acount", 'no such key; did you mean "prepare_account"?')),
    ("an unknown kind", store('{ kind = "normal", value = 1 }'), one("latency_ms.store.kind",
     f'must be {KINDS}, got "normal"; did you mean "lognormal"?')),
    ("no kind", store("{ value = 1 }"),
     one("latency_ms.store.kind", f"is missing; write kind = {KINDS}")),
    ("a key of another kind", store('{ kind = "constant", value = 1, low = 1 }'),
     one("latency_ms.store.low", "no such key; known here: kind, value")),
    ("a key of a kind missing", store('{ kind = "uniform", low = 1 }'),
     one("latency_ms.store.high", "is missing; write high = ... (the most)")),
    ("a number for a distribution", store("5"), one("latency_ms.store", "must be a table"
     ' { kind = ... }, got 5; write store = { kind = "constant", value = 5 }')),
    ("a list for a distribution", text('[[latency_ms.store]]\nkind = "constant"\n'), one(
     "latency_ms.store", 'must be a table { kind = ... }, got [{ kind = "constant" }]; it stands'
     " once: write [latency_ms.store] with single brackets, or store = { ... }")),
    ("text for a number", store('{ kind = "constant", value = "5" }'),
     one("latency_ms.store.value", 'must be a number, got "5"; write it without quotes')),
    ("a truth for a number", store('{ kind = "constant", value = true }'),
     one("latency_ms.store.value", "must be a number, got true")),
    ("half a core", text("cores = 0.5\n"), one("cores", "must be a whole number, got 0.5")),
    ("a truth for cores", text("cores = true\n"), one("cores", "must be a whole number, got true")),
    ("no core", text("cores = 0\n"), one("cores", "must be at least 1, got 0")),
    ("too many cores", text("cores = 2000\n"), one("cores", "must be at most 1024, got 2000")),
    ("negative", store('{ kind = "constant", value = -1 }'),
     one("latency_ms.store.value", "must be at least 0, got -1")),
    ("not a number", store('{ kind = "constant", value = nan }'),
     one("latency_ms.store.value", "must be a finite number, got nan")),
    ("endless", store('{ kind = "constant", value = inf }'),
     one("latency_ms.store.value", "must be a finite number, got inf")),
    ("longer than a day", store('{ kind = "constant", value = 1e8 }'),
     one("latency_ms.store.value", "must be at most 86_400_000, got 100000000.0")),
    ("a whole number of 400 digits", store(f'{{ kind = "constant", value = {"9" * 400} }}'),
     one("latency_ms.store.value", "must be a number, got a number of 1329 bits")),
    ("the least over the most", store('{ kind = "uniform", low = 9, high = 3 }'),
     one("latency_ms.store", "low must be at most high, got low = 9 and high = 3; exchange them, or"
         " mend one")),
    ("a mode outside", store('{ kind = "triangular", low = 1, mode = 9, high = 3 }'),
     one("latency_ms.store", "mode must be at most high, got mode = 9 and high = 3; exchange them,"
         " or mend one")),
    ("a median over the cut", store('{ kind = "lognormal", median = 9, sigma = 1, cut = 3 }'),
     one("latency_ms.store", "median must be at most cut, got median = 9 and cut = 3; exchange"
         " them, or mend one")),
    ("too wide a tail", store('{ kind = "lognormal", median = 1, sigma = 30, cut = 3 }'),
     one("latency_ms.store.sigma", "must be at most 3, got 30")),
    ("no values", store('{ kind = "empirical", values = [] }'),
     one("latency_ms.store.values", "must be a list of 2 or more, got []")),
    ("one value", store('{ kind = "one_of", values = [5] }'),
     one("latency_ms.store.values", "must be a list of 2 or more, got [5]")),
    ("a number for values", store('{ kind = "empirical", values = 5 }'),
     one("latency_ms.store.values", "must be a list [...], got 5")),
    ("text among values", store('{ kind = "empirical", values = [1, "2"] }'),
     one("latency_ms.store.values[1]", 'must be a number, got "2"; write it without quotes')),
    ("a negative value", store('{ kind = "empirical", values = [1, -2] }'),
     one("latency_ms.store.values[1]", "must be at least 0, got -2")),
    ("shares of less", store('{ kind = "one_of", values = [5, 45], weights = [0.5, 0.3] }'),
     one("latency_ms.store", "weights must add up to 1, got 0.8; divide each by 0.8")),
    ("no share", store('{ kind = "one_of", values = [5, 45], weights = [0, 1] }'),
     one("latency_ms.store.weights[0]", "must be over 0, got 0")),
    ("shares all zero", store('{ kind = "one_of", values = [5, 45], weights = [0, 0] }'),
     "FILE: 2 mistakes\n  latency_ms.store.weights[0]: must be over 0, got 0\n"
     "  latency_ms.store.weights[1]: must be over 0, got 0"),
    ("a share too many", store('{ kind = "one_of", values = [5, 45], weights = [0.5, 0.3, 0.2] }'),
     one("latency_ms.store", "weights must be one for each value, got 3 for 2 values")),
    ("turns of no length", text("core_slice_ms = 0\n"),
     one("core_slice_ms", "must be at least 0.1, got 0")),
    ("no call of the node", text("[rpcs]\nfirst_sync = 0\n"),
     one("rpcs.first_sync", "must be at least 1, got 0")),
    ("no thread", text("[executor]\nworkers = 0\n"),
     one("executor.workers", "must be at least 1, got 0")),
    ("a number for a table", text("latency_ms = 3\n"),
     one("latency_ms", "must be a table { ... }, got 3")),
    ("a number for a command", text("[command]\nspawn = 3\n"),
     one("command.spawn", "must be a table { ... }, got 3")),
    ("a date for a number", text("cores = 2026-01-01\n"),
     one("cores", "must be a whole number, got the date 2026-01-01")),
)  # fmt: skip
