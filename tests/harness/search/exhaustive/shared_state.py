# ruff: noqa: E501 - a line is a program
"""Means by which two tasks share state: what each of them does, as text of programs."""

from __future__ import annotations

from typing import NamedTuple

from tests.harness.search.exhaustive.shared_state_rarer import RARER

__all__ = ["MEANS", "Means"]


class Means(NamedTuple):
    """What is shared as ``s``, what one task does with it, and what the other does.

    Each does statements, and returns ``r`` if it sets it; ``end`` is looked at when both are over.
    """

    name: str
    made: str
    first: str
    second: str
    end: str = "0"


_TEXT = r"""
extend | [1] | s.append(2) | m = []; m.extend(s); r = len(m)
update of a set | {1} | s.add(2) | m = set(); m.update(s); r = len(m)
update of a dict | {1: 1} | s[2] = 2 | m = {}; m.update(s); r = len(m)
format_map | {"a": 1} | s["a"] = 2 | r = "{a}".format_map(s)
format of a dict | {"a": 1} | s["a"] = 2 | r = "{[a]}".format(s)
format of an attribute | Box() | s.n = 2 | r = "{0.n}".format(s)
percent of a list | [1] | s.append(2) | r = "%s" % s
percent of a dict | {"a": 1} | s["a"] = 2 | r = "%(a)s" % s
percent of a tuple | [1] | s.append(2) | r = "%s %s" % (1, s)
f-string | [1] | s.append(2) | r = f"{s}"
f-string deep | [[1]] | s[0].append(2) | r = f"{s!r}"
insort | [2] | s.append(3) | import bisect; bisect.insort(s, 1); r = len(s)
insort two | [2] | bisect.insort(s, 1) | r = s[0]
bisect | [2] | s.insert(0, 1) | r = bisect.bisect(s, 2)
fsum | [1.0] | s.append(2.0) | r = math.fsum(s)
prod | [3] | s.append(2) | r = math.prod(s)
sorted | [2] | s.append(1) | r = sorted(s)[0]
sum | [2] | s.append(1) | r = sum(s)
max | [2] | s.append(3) | r = max(s)
any | [0] | s.append(3) | r = any(s)
join | ["a"] | s.append("b") | r = "".join(s)
zip | [1] | s.append(2) | r = len(list(zip(s, (1, 2, 3))))
zip made before | [1] | s.append(2) | z = zip(s, (1, 2, 3)); await asyncio.sleep(0); r = list(z)
enumerate | [1] | s.append(2) | r = list(enumerate(s))
reversed | [1, 2] | s[0] = 5 | r = list(reversed(s))
map of append | [] | list(map(s.append, (1, 2))) | r = len(s)
map of attrgetter | [Box()] | BOXES[0].n = 7 | r = list(map(operator.attrgetter("n"), BOXES))
map of setitem | {} | list(map(s.__setitem__, (1, 2), (3, 4))) | r = len(s)
map of set_result | LOOP().create_future() | list(map(s.set_result, (1,))) | r = s.done()
filter of a dict's get | {1: 1} | s[2] = 2 | r = list(filter(s.get, (1, 2)))
sort by key of a dict | {1: 1, 2: 2} | s[1] = 3 | m = [1, 2]; m.sort(key=s.get); r = m[0]
sorted by key of a dict | {1: 1, 2: 2} | s[1] = 3 | r = sorted([1, 2], key=s.__getitem__)
max by key of a dict | {1: 1, 2: 2} | s[1] = 3 | r = max((1, 2), key=s.get)
defaultdict reads | collections.defaultdict(list) | r = len(s) | s[1]
defaultdict reads and keeps | collections.defaultdict(int) | s[1]; r = list(s) | s[2]
defaultdict of a counter | collections.defaultdict(itertools.count().__next__) | r = s[1] | r = s[2]
defaultdict in a dict | {"d": collections.defaultdict(list)} | r = len(s["d"]) | s["d"][1]
iterator shared | iter([1, 2]) | r = next(s) | r = next(s)
iterator emptied | iter([1, 2]) | r = list(s) | r = list(s)
iterator looped | iter([1, 2]) | for x in s:\n r = x\n break | for x in s:\n r = x\n break
iterator unpacked | iter([1, 2]) | a, b = s | r = next(s, 0)
iterator in | iter([1, 2]) | r = 2 in s | r = next(s, 0)
iterator of a list | [1, 2] | s.append(3) | z = iter(s); r = len(list(z))
iterator held | [1] | s.append(3) | z = iter(s); next(z); await asyncio.sleep(0); r = next(z, 0)
iterator starred | iter([1, 2]) | r = [*s] | r = [*s]
iterator as arguments | iter([1, 2]) | r = max(0, 0, *s) | r = max(0, 0, *s)
iterator in a dict | {"i": iter([1, 2])} | r = next(s["i"]) | r = next(s["i"])
iterator extends | iter([1, 2]) | m = []; m.extend(s); r = len(m) | m = []; m += s; r = len(m)
iterator given to dict | iter([(1, 2)]) | r = dict(s) | r = dict(s)
iterator joined | iter(["a"]) | r = "".join(s) | r = "".join(s)
iterator summed | iter([1]) | r = sum(s) | r = sum(s)
iterator sorted | iter([1]) | r = sorted(s) | r = sorted(s)
iterator sliced in | iter([1, 2]) | m = [0]; m[0:1] = s; r = m | r = list(s)
iterator by a method | iter([1, 2]) | r = s.__next__() | r = s.__next__()
iterator of a callable | iter([1, 2, 0].pop, 9) | r = next(s) | r = next(s)
generator next | (x for x in (1, 2)) | r = next(s) | r = next(s)
generator send | counting() | r = s.send(1) | r = s.send(2)
generator throw | counting() | s.close() | r = s.gi_frame is None
generator over a list | [1] | s.append(2) | g = (x for x in s); r = list(g)
generator over a list held | [1] | s.append(2) | g = (x for x in s); await asyncio.sleep(0); r = list(g)
islice | iter([1, 2, 3]) | r = list(itertools.islice(s, 1)) | r = list(itertools.islice(s, 1))
chain | [1] | s.append(2) | r = list(itertools.chain(s, [3]))
chain shared | itertools.chain([1], [2]) | r = next(s) | r = next(s)
count shared | itertools.count() | r = next(s) | r = next(s)
count repr | itertools.count() | next(s) | r = repr(s)
cycle shared | itertools.cycle([1, 2]) | r = next(s) | r = next(s)
tee | itertools.tee(iter([1, 2]))[0] | r = next(s) | r = next(s)
groupby | [1] | s.append(2) | r = len(list(itertools.groupby(s)))
accumulate | [1] | s.append(2) | r = list(itertools.accumulate(s))
starmap | [(1, 2)] | s.append((3, 4)) | r = list(itertools.starmap(pow, s))
product | [1] | s.append(2) | r = len(list(itertools.product(s)))
match of a class | Box() | s.n = 2 | match s:\n case Box(n=1): r = "one"\n case _: r = "other"
match of positions | Box() | s.n = 2 | match s:\n case Box(1): r = "one"\n case _: r = "other"
match of a mapping | {"a": 1} | s["a"] = 2 | match s:\n case {"a": 1}: r = "one"\n case _: r = "other"
match of a mapping's rest | {"a": 1} | s["b"] = 2 | match s:\n case {"a": 1, **m}: r = len(m)
match of a sequence | [1] | s.append(2) | match s:\n case [_]: r = "one"\n case _: r = "other"
attrgetter | Box() | s.n = 2 | r = operator.attrgetter("n")(s)
attrgetter kept | Box() | s.n = 2 | r = GET_N(s)
itemgetter | {"a": 1} | s["a"] = 2 | r = operator.itemgetter("a")(s)
itemgetter kept | {"a": 1} | s["a"] = 2 | r = GET_A(s)
methodcaller | [1] | APPEND_2(s) | r = len(s)
methodcaller kept | [1] | s.append(2) | r = COPY(s)
operator.setitem | {} | operator.setitem(s, 1, 2) | r = len(s)
operator.getitem | {1: 1} | s[1] = 2 | r = operator.getitem(s, 1)
operator.iadd | [] | operator.iadd(s, [1]) | r = len(s)
operator.contains | [] | s.append(1) | r = operator.contains(s, 1)
operator.eq | [] | s.append(1) | r = operator.eq(s, [1])
operator.length_hint | [] | s.append(1) | r = operator.length_hint(s)
operator.loop over a name bound anew | Holder([1]) | old = s.it; s.it = []; await asyncio.sleep(0); old.append(3) | r = 0\nfor x in s.it:\n await asyncio.sleep(0)\n r += x
truth | [] | s.append(1) | r = operator.truth(s)
operator.index | Box() | s.n = 2 | r = operator.index(s)
mappingproxy | {"a": 1} | s["a"] = 2 | r = types.MappingProxyType(s)["a"]
mappingproxy kept | [d := {"a": 1}, types.MappingProxyType(d)] | s[0]["a"] = 2 | r = s[1]["a"]
mappingproxy asked | [d := {"a": 1}, types.MappingProxyType(d)] | s[0]["a"] = 2 | r = s[1].get("a")
mappingproxy of a class | type("K", (), {"n": 1}) | s.n = 2 | r = vars(s)["n"]
mappingproxy of a class kept | [k := type("K", (), {"n": 1}), k.__dict__] | s[0].n = 2 | r = s[1]["n"]
view of keys | [d := {1: 1}, d.keys()] | s[0][2] = 2 | r = len(s[1])
view of values | [d := {1: 1}, d.values()] | s[0][2] = 2 | r = sum(s[1])
view of items | [d := {1: 1}, d.items()] | s[0][2] = 2 | r = (2, 2) in s[1]
view's operators | [d := {1: 1}, d.keys()] | s[0][2] = 2 | r = s[1] & {2}
view's mapping | [d := {1: 1}, d.keys()] | s[0][2] = 2 | r = s[1].mapping[1], len(s[1].mapping)
memoryview writes | bytearray(b"a") | memoryview(s)[0] = 66 | r = s[0]
memoryview reads | [b := bytearray(b"a"), memoryview(b)] | s[0][0] = 66 | r = s[1][0]
memoryview slice | [b := bytearray(b"ab"), memoryview(b)] | s[1][0:1] = b"c" | r = bytes(s[0])
memoryview of an array | [a := array.array("i", [1]), memoryview(a)] | s[1][0] = 3 | r = s[0][0]
memoryview compared | [b := bytearray(b"a"), memoryview(b)] | s[0][0] = 66 | r = s[1] == b"a"
bytearray grows | bytearray() | s += b"x" | r = len(s)
bytearray joined | bytearray() | s.extend(b"x") | r = b"".join([b"a", s])
bytearray to bytes | bytearray() | s.extend(b"x") | r = bytes(s)
bytes hex | bytearray() | s.extend(b"x") | r = s.hex()
int from bytes | bytearray(b"a") | s[0] = 66 | r = int.from_bytes(s, "big")
struct pack | bytearray(4) | struct.pack_into("B", s, 0, 7) | r = s[0]
struct unpack | bytearray(4) | s[0] = 7 | r = struct.unpack_from("B", s)[0]
crc | bytearray(4) | s[0] = 7 | r = zlib.crc32(s)
hash of bytes | bytearray(4) | s[0] = 7 | r = hashlib.sha256(s).hexdigest()
hash updated | hashlib.sha256() | s.update(b"a") | r = s.hexdigest()
base64 | bytearray(4) | s[0] = 7 | r = base64.b64encode(s)
hexlify | bytearray(4) | s[0] = 7 | r = binascii.hexlify(s)
nested == | [[1]] | s[0].append(2) | r = s == [[1]]
nested == of two names | [[1]] | s[0].append(2) | m = [[1]]; r = m == s
nested < | [[1]] | s[0].append(2) | r = s < [[1, 1]]
nested in | [[1]] | s[0].append(2) | r = [1] in s
nested in of values | {1: [1]} | s[1].append(2) | r = [1] in s.values()
nested count | [[1]] | s[0].append(2) | r = s.count([1])
nested index | [[1], [1, 2]] | s[0].append(2) | r = s.index([1, 2])
nested remove | [[1], [1, 2]] | s[0].append(2) | m = list(s); m.remove([1, 2]); r = m[0] is s[0]
nested in a tuple | ([1],) | s[0].append(2) | r = s == ([1],)
nested repr | [[1]] | s[0].append(2) | r = repr(s)
nested repr of a tuple | ([1],) | s[0].append(2) | r = repr(s)
nested str | {1: [1]} | s[1].append(2) | r = str(s)
nested sorted | [[2], [1]] | s[0].insert(0, 0) | r = sorted(s)[0] is s[0]
nested max | [[2], [3]] | s[0].append(3); s[0][0] = 4 | r = max(s)[0]
nested sum | [[2], [3]] | s[0].append(3) | r = len(sum(s, []))
nested print | [[1]] | s[0].append(2) | f = io.StringIO(); print(s, file=f); r = f.getvalue()
nested deque == | collections.deque([[1]]) | s[0].append(2) | r = s == collections.deque([[1]])
nested dict == | {1: [1]} | s[1].append(2) | r = s == {1: [1]}
nested method == | {1: [1]} | s[1].append(2) | r = s.__eq__({1: [1]})
exception's text | ValueError([1]) | s.args[0].append(2) | r = str(s)
exception's args | ValueError(1) | s.args = (2,) | r = str(s)
exception's notes | ValueError(1) | s.add_note("x") | r = len(getattr(s, "__notes__", ()))
hash of a tuple | (Key(),) | s[0].n = 2 | r = hash(s)
key with __eq__ | {Key(): 1} | next(iter(s)).n = 2 | r = Key() in s
partial of append | functools.partial([].append, 1) | s() | r = len(s.func.__self__)
partial of a builtin | [1] | s.append(2) | r = functools.partial(len, s)()
partial kept | [l := [1], functools.partial(len, l)] | s[0].append(2) | r = s[1]()
partial of setattr | Box() | functools.partial(setattr, s, "n", 5)() | r = s.n
partial in a dict | {"f": functools.partial(BOXES.append, 1)} | s["f"]() | r = len(BOXES)
partialmethod | Box() | s.add_two() | r = s.n
reduce | [1] | s.append(2) | r = functools.reduce(operator.add, s)
reduce by method | [] | functools.reduce(lambda a, b: a, s); s.append(1) | r = functools.reduce(max, s, 0)
lru_cache | functools.lru_cache(lambda n: counts.append(n)) | s(1) | s(1); r = s.cache_info().hits
lru_cache of state | [0] | s[0] = 5 | r = CACHED(s[0])
cached_property | Lazy() | s.source = 2 | r = s.value
cached_property kept | Lazy() | s.value | r = "value" in vars(s)
cache cleared | functools.lru_cache(len) | s("a") | s.cache_clear(); r = s.cache_info().currsize
contextvar | contextvars.ContextVar("v", default=0) | COPY_CONTEXT.run(s.set, 1) | r = COPY_CONTEXT.get(s, 0)
context run | contextvars.copy_context() | s.run(VAR.set, 3) | r = s.run(VAR.get, 0)
setattr | Box() | setattr(s, "n", 2) | r = s.n
getattr | Box() | s.n = 2 | r = getattr(s, "n")
delattr | Box() | delattr(s, "n") | r = hasattr(s, "n")
vars read | Box() | s.n = 2 | r = vars(s)["n"]
vars written | Box() | vars(s)["n"] = 2 | r = s.n
vars kept written | [o := Box(), vars(o)] | s[1]["n"] = 2 | r = s[0].n
vars kept read | [o := Box(), vars(o)] | s[0].n = 2 | r = s[1]["n"]
vars kept updated | [o := Box(), o.__dict__] | s[1].update(n=2) | r = s[0].n
globals written | None | globals()["CELL"] = 2 | r = CELL
globals kept | globals() | s["CELL"] = 3 | r = CELL
globals read | globals() | global CELL; CELL = 4 | r = s["CELL"]
dir | Box() | s.m = 2 | r = len(dir(s))
object.__setattr__ | Box() | object.__setattr__(s, "n", 2) | r = s.n
__getattribute__ | Box() | s.n = 2 | r = s.__getattribute__("n")
class attribute | Fresh() | s.limit = 2 | r = s().limit
class attribute by instance | Fresh() | s.limit = 2 | r = s.read()
class attribute by type | Fresh()() | type(s).limit = 2 | r = s.limit
class attribute by setattr | Fresh() | setattr(s, "limit", 2) | r = s.limit
slots | Slotted() | s.n = 2 | r = s.n
slots under another name | Slotted() | s.n = 2 | r = s.other
slots by descriptor | Slotted() | Slotted.n.__set__(s, 2) | r = s.n
slots' descriptor reads | Slotted() | s.n = 2 | r = Slotted.n.__get__(s)
property of C | Box() | s.n = 2 | r = s.by_getter
property's fget | Box() | s.n = 2 | r = Box.by_getter.fget(s)
__getattr__ of C | Forwarding({"x": 1}) | s.table["x"] = 2 | r = s.x
class changed | Box() | s.__class__ = Other | r = s.kind
copy.copy | [1] | s.append(2) | r = copy.copy(s)
copy of an object | Box() | s.n = 2 | r = copy.copy(s).n
deepcopy | [[1]] | s[0].append(2) | r = copy.deepcopy(s)
deepcopy of an object | Box() | s.n = 2 | r = copy.deepcopy(s).n
copy by method | [1] | s.append(2) | r = s.copy()
pickle | [[1]] | s[0].append(2) | r = len(pickle.dumps(s))
pickle of an object | Box() | s.n = 2 | r = pickle.dumps(vars(s)) != b""; r = pickle.loads(pickle.dumps(s)).n
marshal | [[1]] | s[0].append(2) | r = marshal.loads(marshal.dumps(s))
json.dumps | [[1]] | s[0].append(2) | r = json.dumps(s)
json.dumps indented | {"a": [1]} | s["a"].append(2) | r = json.dumps(s, indent=1)
json.dump | [[1]] | s[0].append(2) | f = io.StringIO(); json.dump(s, f); r = f.getvalue()
pformat | [[1]] | s[0].append(2) | r = pprint.pformat(s)
re.sub | {"a": "b"} | s["a"] = "c" | r = re.sub("a", lambda m: s[m[0]], "a")
re.sub of a method | [] | re.sub("a", s.append, "a") if 0 else s.append(1) | r = re.sub("a", lambda m: str(len(s)), "a")
re of a bytearray | bytearray(b"a") | s[0] = 66 | r = re.search(b"a", s) is None
scanner | re.finditer("a", "aa") | r = next(s).start() | r = next(s).start()
translate | {97: "b"} | s[97] = "c" | r = "a".translate(s)
startswith | (["a"],) | s[0].append("b") | r = "b".startswith(tuple(s[0]))
deque | collections.deque([1]) | s.append(2) | r = list(s)
deque rotated | collections.deque([1, 2]) | s.rotate(1) | r = s[0]
deque extended | [1] | s.append(2) | m = collections.deque(); m.extend(s); r = len(m)
deque made | [1] | s.append(2) | r = len(collections.deque(s))
deque compared | collections.deque([1]) | s.append(2) | r = s == collections.deque([1])
deque's iterator | collections.deque([1]) | s[0] = 2 | r = next(iter(s))
Counter | collections.Counter("a") | s["a"] += 1 | r = s.most_common(1)
Counter made | ["a"] | s.append("b") | r = len(collections.Counter(s))
Counter updated | ["a"] | s.append("b") | c = collections.Counter(); c.update(s); r = len(c)
Counter subtracts | collections.Counter("a") | s.subtract("a") | r = s.total()
OrderedDict | collections.OrderedDict(a=1, b=2) | s.move_to_end("a") | r = list(s)
OrderedDict popped | collections.OrderedDict(a=1, b=2) | s.popitem() | r = len(s)
OrderedDict reversed | collections.OrderedDict(a=1) | s["b"] = 1 | r = next(reversed(s))
ChainMap | collections.ChainMap({}, {"a": 1}) | s.maps[1]["a"] = 2 | r = s["a"]
ChainMap written | collections.ChainMap({}, {"a": 1}) | s["a"] = 2 | r = s.maps[0].get("a")
UserDict | collections.UserDict(a=1) | s["a"] = 2 | r = s.data["a"]
UserList | collections.UserList([1]) | s.append(2) | r = len(s)
namedtuple of a list | Pair([1], 2) | s.a.append(2) | r = len(s.a)
array | array.array("i", [1]) | s.append(2) | r = s.tolist()
array's bytes | array.array("i", [1]) | s[0] = 2 | r = s.tobytes()
array made | [1] | s.append(2) | r = len(array.array("i", s))
array extended | [1] | s.append(2) | a = array.array("i"); a.fromlist(s); r = len(a)
heappush | [2] | heapq.heappush(s, 1) | r = s[0]
heappop | [1, 2] | heapq.heappop(s) | r = s[0]
heap merges | [1, 2] | s.append(3) | r = len(list(heapq.merge(s, [0])))
heap smallest | [1, 2] | s.insert(0, 0) | r = heapq.nsmallest(1, s)
SimpleQueue | queue.SimpleQueue() | s.put(1) | r = s.qsize()
SimpleQueue emptied | queue.SimpleQueue() | s.put(1) | r = s.empty()
StringIO | io.StringIO() | s.write("a") | r = s.getvalue()
StringIO printed | io.StringIO() | print("a", file=s) | r = s.getvalue()
StringIO read | io.StringIO(f"a{chr(10)}b") | r = s.readline() | r = s.readline()
StringIO looped | io.StringIO(f"a{chr(10)}b") | r = next(s) | r = list(s)
BytesIO | io.BytesIO() | s.write(b"a") | r = s.tell()
BytesIO's buffer | io.BytesIO(b"a") | s.getbuffer()[0] = 66 | r = s.getvalue()
TextIOWrapper | io.TextIOWrapper(io.BytesIO()) | s.write("a"); s.flush() | r = s.buffer.getvalue()
csv | io.StringIO() | csv.writer(s).writerow([1]) | r = s.getvalue()
csv reader | csv.reader(["a", "b"]) | r = next(s) | r = next(s)
csv reader of a list | ["a"] | s.append("b") | r = len(list(csv.reader(s)))
random module | None | random.seed(1) | r = random.random() > 2; r = random.getstate()[1][-1]
Random | random.Random(1) | r = s.random() | r = s.random()
Random's state | random.Random(1) | s.random() | r = s.getstate()[1][-1]
shuffle | [1, 2, 3] | random.Random(3).shuffle(s) | r = s[0]
dataclass replace | Point(1, [2]) | s.x = 5 | r = dataclasses.replace(s, y=0).x
dataclass asdict | Point(1, [2]) | s.y.append(5) | r = dataclasses.asdict(s)
dataclass astuple | Point(1, [2]) | s.y.append(5) | r = dataclasses.astuple(s)
dataclass == | Point(1, [2]) | s.y.append(5) | r = s == Point(1, [2])
dataclass repr | Point(1, [2]) | s.x = 5 | r = repr(s)
enum | Colour.RED | s.note = 1 | r = getattr(s, "note", 0)
enum's members | Colour | Colour.RED.note = 5 | r = [getattr(x, "note", 0) for x in s]
SimpleNamespace | types.SimpleNamespace(n=1) | s.n = 2 | r = s.n
SimpleNamespace == | types.SimpleNamespace(n=1) | s.n = 2 | r = s == types.SimpleNamespace(n=1)
SimpleNamespace repr | types.SimpleNamespace(n=1) | s.n = 2 | r = repr(s)
SimpleNamespace in a list | [types.SimpleNamespace(n=1)] | s[0].n = 2 | r = s == [types.SimpleNamespace(n=1)]
sqlite | DATABASE() | s.execute("insert into t values (1)") | r = s.execute("select count(*) from t").fetchone()
sqlite changes | DATABASE() | s.execute("insert into t values (1)") | r = s.total_changes
sqlite cursor | DATABASE().execute("select 1 union select 2") | r = s.fetchone() | r = s.fetchone()
sqlite cursor looped | DATABASE().execute("select 1 union select 2") | for x in s:\n r = x\n break | for x in s:\n r = x\n break
file | FILE() | s.write("a"); s.flush() | r = os.path.getsize(s.name)
file's place | FILE() | s.seek(0); s.write("ab") | r = s.tell()
environment | None | os.environ["LIES"] = "1" | r = os.environ.pop("LIES", None)
weakref | [Box()] | s.clear() | r = REF(s) is None
weakref kept | Kept() | del s.box | r = s.ref() is None
weakref callback | Kept() | del s.box | r = len(s.fired)
weakref proxy | Kept() | s.box.n = 5 | r = s.proxy.n
WeakSet | Kept() | del s.box | r = len(s.weak)
WeakValueDictionary | Kept() | del s.box | r = "a" in s.table
finalize | Kept() | del s.box | r = s.final.alive
__del__ | Dying() | s.held = None | r = len(s.log)
__del__ of a local | Dying() | x = s.held; s.held = None; await asyncio.sleep(0); del x | r = len(s.log)
refcount | [[1]] | s.append(s[0]) | r = sys.getrefcount(s[0])
cell contents | cells() | s[0](5) | r = s[1].__closure__[0].cell_contents
cell set | cells() | s[1].__closure__[0].cell_contents = 7 | r = s[1]()
nonlocal | cells() | s[0](5) | r = s[1]()
function's defaults | defaulted | s.__defaults__ = (2,) | r = s()
function's mutable default | Gathering() | r = len(s.add(1)) | r = len(s.add(2))
function's attribute | Tagged() | s.n = 2 | r = s.n
generator's locals | counting() | s.send(3) | r = s.gi_frame.f_locals["total"]
bound method kept | [l := [], l.append] | s[1](1) | r = len(s[0])
unbound method | [] | list.append(s, 1) | r = len(s)
method wrapper | {} | s.__setitem__(1, 2) | r = len(s)
slot wrapper | {} | dict.__setitem__(s, 1, 2) | r = len(s)
method-wrapper reads | [] | s.append(1) | r = s.__len__()
type of a method | [] | s.append(1) | r = type(s).__len__(s)
slice assigned from | [1] | s.append(2) | m = []; m[:] = s; r = len(m)
slice read | [1, 2] | s[:1] = [] | r = s[0:]
in-place of a list | [1] | s.append(2) | m = []; m += s; r = len(m)
in-place of a set | {1} | s.add(2) | m = set(); m |= s; r = len(m)
in-place of a dict | {1: 1} | s[2] = 2 | m = {}; m |= s; r = len(m)
in-place writes | [] | s += [1] | r = len(s)
in-place repeats | [1] | s *= 2 | r = len(s)
set operators | {1} | s.add(2) | r = {2} & s
set methods | {1} | s.add(2) | r = {2}.issubset(s)
set made | [1] | s.append(2) | r = set(s)
frozenset made | {1} | s.add(2) | r = len(frozenset(s))
tuple made | [1] | s.append(2) | r = tuple(s)
dict made | {1: 1} | s[2] = 2 | r = len(dict(s))
dict from keys | [1] | s.append(2) | r = dict.fromkeys(s)
dict of keywords | {"a": 1} | s["a"] = 2 | r = dict(**s)
dict merged | {1: 1} | s[2] = 2 | r = {**s}
dict popped | {1: 1} | s.pop(1) | r = len(s)
dict's setdefault | {} | r = s.setdefault(1, 2) | r = s.setdefault(1, 3)
dict's values | {1: 1} | s[1] = 2 | r = list(s.values())
dict reversed | {1: 1} | s[2] = 2 | r = next(reversed(s))
list starred | [1] | s.append(2) | r = [*s]
list as arguments | [1] | s.append(2) | r = max(*s, 0)
list unpacked | [1, 2] | s.reverse() | a, b = s; r = a
list multiplied | [1] | s.append(2) | r = s * 2
list added | [1] | s.append(2) | r = s + [0]
truth | [] | s.append(1) | r = 1 if s else 0
truth by bool | [] | s.append(1) | r = bool(s)
not | [] | s.append(1) | r = not s
assert | [] | s.append(1) | assert not s
while | [1] | s.clear() | r = 0\nwhile s:\n r = s.pop()
all of a generator | [1] | s.append(0) | r = all(x for x in s)
comprehension of a dict | {1: 1} | s[2] = 2 | r = {k: v for k, v in s.items()}
type called | [1] | s.append(2) | k = list; r = k(s)
type from a dict | [1] | s.append(2) | r = {"k": list}["k"](s)
callable from a dict | [1] | s.append(2) | r = {"k": len}["k"](s)
class with C __init__ | [1] | s.append(2) | r = len(Rows(s))
class with C __new__ | [1] | s.append(2) | r = len(Row(s))
list subclass | Rows([1]) | s.append(2) | r = len(s)
list subclass with attribute | Rows([1]) | s.n = 2 | r = s.n
dict subclass | Table(a=1) | s["a"] = 2 | r = s["a"]
dict subclass missing | Missing() | r = len(s) | r = s["a"]
str subclass | Name("a") | s.n = 2 | r = s.n
exception raised | Box() | s.n = 2 | try: raise KeyError(s.n)\nexcept KeyError as e: r = e.args
exception chained | ValueError() | s.__cause__ = KeyError() | r = s.__cause__ is None
exception's traceback | ValueError() | s.with_traceback(None); s.n = 1 | r = hasattr(s, "n")
asyncio.Queue's inside | asyncio.Queue() | s.put_nowait(1) | r = len(s._queue)
asyncio.Event's inside | asyncio.Event() | s.set() | r = s._value
asyncio.Lock's inside | asyncio.Lock() | await s.acquire() | r = s._locked
asyncio.Lock's text | asyncio.Lock() | await s.acquire() | r = "unlocked" in repr(s)
asyncio.Semaphore's inside | asyncio.Semaphore(2) | await s.acquire() | r = s._value
asyncio.Queue's text | asyncio.Queue() | s.put_nowait(1) | r = f"{s}"[-20:]
future's state | LOOP().create_future() | s.set_result(1) | r = s._state
future's text | LOOP().create_future() | s.set_result(1) | r = "finished" in f"{s}"
future in a list's text | [LOOP().create_future()] | s[0].set_result(1) | r = "finished" in f"{s}"
future's result | LOOP().create_future() | s.set_result([1]) | r = s.done() and s.result()
queue subclass | Peeked() | s.put_nowait(1) | r = s.peek()
itertools.repeat | itertools.repeat(1, 2) | r = next(s) | r = operator.length_hint(s)
batched zip of one iterator | [iter([1, 2, 3])] | r = list(zip(*s * 2)) | r = next(s[0], 0)
date's format | [1] | s.append(2) | r = f"{s!s:>9}"
decimal context | None | decimal.getcontext().prec = 5 | r = decimal.Decimal(1) / 3
decimal context set | None | decimal.setcontext(decimal.Context(prec=4)) | r = str(decimal.Decimal(1) / 3)
recursion limit | None | sys.setrecursionlimit(1700) | r = sys.getrecursionlimit() == 1700
interned attribute | Box() | s.__dict__.update(n=3) | r = s.n
hasattr | Box() | del s.n | r = hasattr(s, "n")
isinstance of an abstract class | Box() | Abstract.register(Fresh.__class__) if 0 else None; s.n = 2 | r = isinstance(s, Abstract), s.n
instance check of C | Box() | s.__class__ = Other | r = isinstance(s, Other)
type of | Box() | s.__class__ = Other | r = type(s).__name__
element tree | ElementTree.Element("a") | s.append(ElementTree.Element("b")) | r = len(s)
element's attribute | ElementTree.Element("a") | s.text = "x" | r = ElementTree.tostring(s)
element's get | ElementTree.Element("a") | s.set("k", "v") | r = s.get("k")
string template | {"a": 1} | s["a"] = 2 | r = string.Template("$a").substitute(s)
logging record | [1] | s.append(2) | r = logging.LogRecord("n", 1, "p", 1, "%s", (s,), None).getMessage()
text wrapped | ["b"] | s[0] = "c" | r = textwrap.wrap(" ".join(s))
statistics | [1, 2] | s.append(6) | r = statistics.mean(s)
fractions | [1] | s[0] = 2 | r = fractions.Fraction(s[0], 3)
super's attribute | Fresh() | s.limit = 2 | r = type("Sub", (s,), {"m": lambda self: super(Sub2, self).limit})().limit
"""

MEANS = tuple(
    Means(*(part.strip().replace("\\n", "\n") for part in line.split(" | ")))
    for line in (_TEXT.strip() + RARER.rstrip()).splitlines()
)
