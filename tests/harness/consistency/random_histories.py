"""Random small histories over every model, and a judge of them that tries every order."""

from __future__ import annotations

from typing import Any

from harness.consistency import Call, Counter, Map, Register, Set

# What a history is made of. Moments are small whole numbers, so that many calls begin and end at
# the same one.
CALLS_MAX = 7
PROCESSES = 3
DURATION = 4


class PlainRegister:
    """The objects once more, as a reader would write them; a call changes them and answers."""

    def __init__(self):
        self.value = None

    def copy(self):
        other = type(self)()
        other.value = self.value
        return other

    def answer(self, operation, arguments):
        if operation == "read":
            return self.value
        if operation == "write":
            (self.value,) = arguments
            return None
        if self.value != arguments[0]:
            return False
        self.value = arguments[1]
        return True


class PlainMap:
    def __init__(self):
        self.values = {}

    def copy(self):
        other = type(self)()
        other.values = dict(self.values)
        return other

    def answer(self, operation, arguments):
        key = arguments[0]
        if operation == "read":
            return self.values.get(key)
        if operation == "write":
            self.values[key] = arguments[1]
            return None
        if operation == "delete":
            return self.values.pop(key, None) is not None
        if self.values.get(key) != arguments[1]:
            return False
        self.values[key] = arguments[2]
        return True


class PlainCounter:
    def __init__(self):
        self.sum = 0

    def copy(self):
        other = type(self)()
        other.sum = self.sum
        return other

    def answer(self, operation, arguments):
        self.sum += sum(arguments)
        return self.sum


class PlainSet:
    def __init__(self):
        self.members = set()

    def copy(self):
        other = type(self)()
        other.members = set(self.members)
        return other

    def answer(self, operation, arguments):
        (member,) = arguments
        there = member in self.members
        if operation == "add":
            self.members.add(member)
            return not there
        if operation == "remove":
            self.members.discard(member)
        return there


def _register(rng):
    kind = rng.choice(("read", "read", "write", "write", "cas"))
    return kind, tuple(rng.randrange(2) for _ in range(("read", "write", "cas").index(kind)))


def _distinct_register(rng):
    # Values are nearly always written once, so that the shortcut by sorting is taken.
    return ("read", ()) if rng.random() < 0.5 else ("write", (rng.randrange(40),))


def _map(rng):
    kind = rng.choice(("read", "read", "write", "write", "cas", "delete"))
    values = tuple(rng.randrange(2) for _ in range({"write": 1, "cas": 2}.get(kind, 0)))
    return kind, (rng.choice("xxy"), *values)


def _counter(rng):
    return ("read", ()) if rng.random() < 0.4 else ("add", (rng.choice((1, 1, 2, -1, 0)),))


def _set(rng):
    return rng.choice(("add", "remove", "contains")), (rng.choice("aab"),)


# A model, the same as plain Python, what to call, which answers are sometimes not told.
OBJECTS = {
    "register": (Register, PlainRegister, _register, ("cas",)),
    "distinct_register": (Register, PlainRegister, _distinct_register, ()),
    "map": (Map, PlainMap, _map, ("cas", "delete")),
    "counter": (Counter, PlainCounter, _counter, ("add",)),
    "set": (Set, PlainSet, _set, ("add", "remove", "contains")),
}


def history(rng, name):
    """Make a history that fits, from a run of the plain object; then bend up to two calls of it."""
    _, plain, choose, untold = OBJECTS[name]
    free = [rng.randrange(3) for _ in range(PROCESSES)]
    drawn = []
    for _ in range(rng.randint(2, CALLS_MAX)):
        process = rng.randrange(PROCESSES)
        begin = free[process]
        end = begin + rng.randrange(DURATION)
        free[process] = end + rng.randrange(2)
        drawn.append((rng.uniform(begin, end), process, begin, end, *choose(rng)))
    thing: Any = plain()
    calls = []
    for _, process, begin, end, operation, arguments in sorted(drawn):
        unknown = rng.random() < 0.12
        result = None
        if not (unknown and rng.random() < 0.5):
            # What is not known may have happened, or not.
            result = thing.answer(operation, arguments)
        if operation in untold and rng.random() < 0.3:
            result = None
        calls.append([process, operation, arguments, begin, None if unknown else end, result])
    for one in rng.sample(calls, min(len(calls), rng.choice((0, 1, 2)))):
        one[5] = _bent(rng, one[5])
        shift = rng.randrange(-3, 4)
        one[3] += shift
        one[4] = None if one[4] is None else one[4] + shift
    rng.shuffle(calls)
    fields = ("process", "operation", "arguments", "begin", "end", "result")
    return [Call(**dict(zip(fields, one, strict=True))) for one in calls]


def _bent(rng, result):
    """Make a likely answer of an answer; what was not told stays untold."""
    if isinstance(result, bool):
        return not result
    return result if result is None else rng.choice((0, 1, result + 1))


def fits_some_order(calls, thing, untold):
    """Try every order that keeps to the moments: the definition, and nothing clever."""
    if all(one.end is None for one in calls):
        return True
    for number, one in enumerate(calls):
        if any(other.end is not None and other.end < one.begin for other in calls):
            continue
        rest = calls[:number] + calls[number + 1 :]
        after = thing.copy()
        answer = after.answer(one.operation, one.arguments)
        unseen = one.operation == "write" or (one.operation in untold and one.result is None)
        if one.end is not None and not unseen and answer != one.result:
            continue
        if fits_some_order(rest, after, untold):
            return True
    return False
