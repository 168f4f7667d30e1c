# ruff: noqa: E501 - a line is a program
"""Rarer means by which two tasks share state, in the form of ``shared_state``."""

from __future__ import annotations

__all__ = ["RARER"]

RARER = r"""
a name bound anew after a call of C | Holder(functools.partial([].append, 1)) | s.it(); s.it = print | r = s.it is print
a partial bound anew after its call | Holder(functools.partial(BOXES.append, 1)) | s.it(); s.it = int | r = len(BOXES)
a list bound anew after its use | Holder([1]) | s.it.append(2); s.it = [] | r = list(s.it)
a list bound anew before its text | [h := Holder([1]), h.it] | s[1].append(2) | r = f"{s[0].it}"; s[0].it = 0
a list taken before it is bound anew | [h := Holder([1]), h.it] | s[1].append(2) | h = s[0]; r = len(h.it) + (setattr(h, "it", 5) or 0)
a list added to and bound anew | [h := Holder([1]), h.it] | h = s[0]; h.it += [2]; h.it = 0 | r = len(s[1])
a loop's list bound anew within | [[1, 2], [3]] | s[0].append(4) | r = []; m = s[0]\nfor x in m:\n m = s[1]; Box(); r.append(x)
a key bound anew | [{"a": [1], "b": [2]}, ["a"]] | s[0]["a"].append(3) | k = s[1]; r = len(s[0][k[0]]); k[0] = "b"
an attribute of either | [Box(), Box()] | s[0].n = 2 | r = (s[0] or s[1]).n
an inner of either | [asyncio.Event(), asyncio.Event()] | s[0].set() | r = (s[0] or s[1])._value
a future's inner of either | [LOOP().create_future()] | s[0].set_result(1) | r = (s[0] or 0)._state
notes of either | [ValueError(1)] | s[0].args = (2,) | r = str(s[0] or 0)
property set | Doubled() | s.twice = 4 | r = s.twice
property added to the class | Turned() | s.m = 5 | type(s).n = property(operator.attrgetter("m")); r = s.n
property added beforehand | Turned() | s.n; type(s).n = property(operator.attrgetter("m")) | r = s.n; s.m = 3; await asyncio.sleep(0); r = s.n
length added to the class | Turned() | type(s).__len__ = BOXES.__len__; r = len(BOXES) | BOXES.append(1); r = len(s) if hasattr(s, "__len__") else 0
descriptor of Python | Described() | s.field = 5 | r = s.field
descriptor in a dict | Described() | s.field = 5 | r = Described.values.get(id(s), 0)
__getattr__ of Python | Answering() | s.table["x"] = 2 | r = s.x
__setattr__ of Python | Answering() | s.y = 2 | r = s.table.get("y")
__delattr__ of Python | Answering() | del s.z | r = s.table.get("z")
__dir__ of Python | Answering() | s.table["x"] = 2 | r = len(dir(s))
__format__ of Python | Shown() | s.n = 2 | r = f"{s:x}"
__format__ by format | Shown() | s.n = 2 | r = format(s, "x")
__repr__ within a list | [Shown()] | s[0].n = 2 | r = repr(s)
__str__ by print | Shown() | s.n = 2 | print(s, end=""); r = str(s)
__contains__ of Python | Shown() | s.n = 2 | r = 2 in s
__eq__ within a list | [Shown()] | s[0].n = 2 | r = s == [2]
__lt__ by sorted | [Shown(), Shown()] | s[0].n = 2 | r = sorted(s)[0] is s[0]
__lt__ by min | [Shown(), Shown()] | s[0].n = 2 | r = min(s) is s[0]
__bool__ by any | [Shown()] | s[0].n = 0 | r = any(s)
__iter__ of Python | Shown() | s.n = 2 | r = list(s)
__iter__ of C | Inner() | s.rows.append(2) | r = list(s)
__len__ of C | Inner() | s.rows.append(2) | r = len(s)
__getitem__ of C | Inner() | s.rows[0] = 2 | r = s[0]
__contains__ of C | Inner() | s.rows.append(2) | r = 2 in s
__call__ of C | Inner() | s(5) | r = len(s.rows)
__hash__ of Python | Shown() | s.n = 2 | r = s in {Shown(): 1}
__reversed__ of Python | Shown() | s.n = 2 | r = list(reversed(s))
__length_hint__ | Shown() | s.n = 2 | r = operator.length_hint(s)
__index__ in a slice | Box() | s.n = 2 | r = [1, 2, 3][:s]
__int__ by int | Shown() | s.n = 2 | r = int(s)
__float__ by math | Shown() | s.n = 2 | r = math.sqrt(s)
__missing__ by format_map | Missing() | r = len(s) | r = "{a}".format_map(s)
__enter__ of Python | Shown() | s.n = 2 | with s as x: r = x
__exit__ of Python | Shown() | with s: pass | r = s.n
__aenter__ of Python | Shown() | async with s: pass | r = s.n
__await__ of Python | Shown() | s.n = 7 | r = await s
__aiter__ of Python | Shown() | s.n = 2 | r = [x async for x in s]
__copy__ of Python | Shown() | s.n = 2 | r = copy.copy(s)
__reduce__ of Python | Shown() | s.n = 2 | r = pickle.loads(pickle.dumps(s))
__class_getitem__ | Shown() | s.n = 2 | r = type(s)[s]
__init_subclass__ | Registry() | class Sub(s): pass | r = len(s.made)
__set_name__ | [] | class Sub: x = Named(s) | r = len(s)
metaclass's __call__ | Counted() | s(); r = 0 | r = s.calls
metaclass's __instancecheck__ | Counted() | s.calls = 5 | r = isinstance(5, s)
abc registered | Fresh() | Concrete.register(s) | r = issubclass(s, Concrete)
abc cache | Fresh() | Concrete.register(s) | r = isinstance(s(), Concrete); await asyncio.sleep(0); r = isinstance(s(), Concrete)
singledispatch | functools.singledispatch(len) | s.register(int, abs) | r = s([1]), s.dispatch(int) is len
singledispatch registry | functools.singledispatch(len) | s.register(int, abs) | r = int in s.registry
wraps | Tagged() | functools.update_wrapper(s, len) | r = s.__name__
cmp_to_key | [1] | s[0] = 3 | r = sorted([2, 1], key=functools.cmp_to_key(lambda a, b: s[0] - b))
total ordering | Ordered() | s.n = 5 | r = s >= Ordered()
exec writes | [1] | exec("s.append(2)", {"s": s}) | r = len(s)
exec reads | [1] | s.append(2) | r = eval("len(s)", {"s": s})
locals by locals | [1] | s.append(2) | m = s; r = locals()["m"]
compile and eval | {"n": 1} | s["n"] = 2 | r = eval("n", {}, s)
builtins changed | None | import builtins; builtins.CELL2 = 2 | r = "CELL2" in dir(builtins)
module attribute | types.ModuleType("m") | s.n = 2 | r = getattr(s, "n", 0)
module's dict | types.ModuleType("m") | vars(s)["n"] = 2 | r = getattr(s, "n", 0)
sys.modules | None | sys.modules["lies"] = sys | r = sys.modules.pop("lies", None)
sys.path | None | sys.path.append("lies") | r = "lies" in sys.path; sys.path[:] = [x for x in sys.path if x != "lies"]
an import | None | sys.modules["lies"] = sys | r = 0\ntry:\n import lies\n r = 1\nexcept ImportError: pass\nsys.modules.pop("lies", None)
warnings registry | warnings.resetwarnings() | warnings.filterwarnings("error", "lies") | r = len(warnings.filters)
logging level | logging.Logger("x") | s.setLevel(50) | r = s.isEnabledFor(20)
logging handlers | logging.Logger("x") | s.addHandler(logging.NullHandler()) | r = len(s.handlers)
logging to a list | Logging() | s.logger.warning("x") | r = len(s.seen)
threading.local | threading.local() | s.n = 2 | r = getattr(s, "n", 0)
threading.Lock | threading.Lock() | s.acquire(blocking=False) | r = s.locked()
threading.Event | threading.Event() | s.set() | r = s.is_set()
threading.Lock by with | threading.Lock() | s.acquire(blocking=False) | r = s.acquire(blocking=False)
queue.Queue | queue.Queue() | s.put(1) | r = s.qsize()
queue.PriorityQueue | queue.PriorityQueue() | s.put(1); s.put(0) | r = s.get_nowait() if s.qsize() else 5
weak key dictionary | [Box()] | WEAK[s[0]] = 1 | r = len(WEAK)
contextvar of a task | contextvars.ContextVar("w", default=[]) | s.get().append(1) | r = len(s.get())
context copied | contextvars.copy_context() | s.run(VAR.set, 3) | r = len(s)
exitstack | contextlib.ExitStack() | s.callback(BOXES.clear) | s.close(); r = len(BOXES)
contextmanager of a list | [] | with opened(s): pass | r = len(s)
closing | Closed() | with contextlib.closing(s): pass | r = s.n
suppress | Box() | s.n = 2 | with contextlib.suppress(KeyError): r = {}[s.n]\nr = s.n
redirect | io.StringIO() | print("x", file=s) | with contextlib.redirect_stdout(s): print("y")\nr = s.getvalue()
async generator | ticking() | r = await anext(s) | r = await anext(s)
async generator asend | ticking() | r = await s.asend(None) | r = await anext(s, 5)
async generator looped | ticking() | async for x in s:\n r = x\n break\n | r = await anext(s, 5)
async generator closed | ticking() | await s.aclose() | r = await anext(s, 5)
generator delegated | delegating() | r = next(s) | r = next(s)
generator within a generator | (x for x in (y for y in iter([1, 2, 3]))) | r = next(s) | r = next(s)
generator given to a function of C | (x for x in (1, 2)) | r = sum(s) | r = list(s)
generator given to join | (x for x in "ab") | r = "".join(s) | r = next(s, "")
generator's return value | counting() | s.close() | r = 0\ntry: next(s)\nexcept StopIteration: r = 1
map of a Python function | map(lambda x: x, iter([1, 2])) | r = next(s) | r = list(s)
filter shared | filter(None, iter([1, 2])) | r = next(s) | r = list(s)
zip shared | zip(iter([1, 2]), iter([3, 4])) | r = next(s) | r = list(s)
enumerate shared | enumerate("ab") | r = next(s) | r = list(s)
reversed shared | reversed([1, 2]) | r = next(s) | r = list(s)
dropwhile | iter([1, 2]) | r = list(itertools.dropwhile(bool, s)) | r = next(s, 0)
takewhile | iter([1, 2]) | r = list(itertools.takewhile(bool, s)) | r = next(s, 0)
zip_longest | iter([1, 2]) | r = list(itertools.zip_longest(s)) | r = next(s, 0)
compress | iter([1, 2]) | r = list(itertools.compress(s, [1, 1])) | r = next(s, 0)
permutations | [1] | s.append(2) | r = len(list(itertools.permutations(s)))
pairwise | iter([1, 2, 3]) | r = list(itertools.pairwise(s)) | r = next(s, 0)
chain from an iterable | [[1]] | s[0].append(2) | r = list(itertools.chain.from_iterable(s))
operator.methodcaller of append | [] | operator.methodcaller("append", 1)(s) | r = len(s)
operator.delitem | {1: 1} | operator.delitem(s, 1) | r = len(s)
operator.concat | [1] | s.append(2) | r = operator.concat(s, [3])
operator.countOf | [1] | s.append(1) | r = operator.countOf(s, 1)
operator.indexOf | [1] | s.insert(0, 2) | r = operator.indexOf(s, 1)
operator.not_ | [] | s.append(1) | r = operator.not_(s)
operator.call of append | [] | list(map(operator.call, [functools.partial(s.append, 1)])) | r = len(s)
operator.itemgetter of many | {"a": 1, "b": 2} | s["a"] = 2 | r = operator.itemgetter("a", "b")(s)
heapq.heapify | [3, 1] | heapq.heapify(s) | r = s[0]
heapq.heappushpop | [3] | heapq.heappushpop(s, 9) | r = s[0]
heapq.heapreplace | [3] | heapq.heapreplace(s, 9) | r = s[0]
heapq.nlargest | [3] | s.append(9) | r = heapq.nlargest(1, s)
heapq of objects | [Shown()] | s[0].n = -5 | m = [Shown()]; heapq.heappush(m, s[0]); r = m[0] is s[0]
Counter's elements | collections.Counter("a") | s["a"] += 1 | r = list(s.elements())
Counter added | collections.Counter("a") | s["a"] += 1 | r = s + s
Counter missing | collections.Counter() | s["a"] += 1 | r = s["a"]
OrderedDict compared | collections.OrderedDict(a=1) | s["b"] = 2 | r = s == {"a": 1}
deque bounded | collections.deque([1], 1) | s.append(2) | r = s[0]
deque iterated | [d := collections.deque([1, 2]), iter(d)] | r = next(s[1]) | r = next(s[1])
deque inserted | collections.deque([1]) | s.insert(0, 5) | r = s.index(1)
ChainMap's children | collections.ChainMap({}) | m = s.new_child(); m.maps[1]["a"] = 1 | r = "a" in s
UserString | collections.UserString("a") | s.data = "b" | r = str(s)
namedtuple's fields | Pair([1], 2) | s.a.append(2) | r = s._asdict()
namedtuple's replace | Pair([1], 2) | s.a.append(2) | r = s._replace(b=1)
dict view compared | {1: 1} | s[2] = 2 | r = s.keys() == {1}
dict view of a method | {1: 1} | s[2] = 2 | r = s.keys().isdisjoint({2})
dict view starred | {1: 1} | s[2] = 2 | r = [*s.values()]
dict view unpacked | {1: 1} | s[1] = 2 | [(a, b)] = s.items(); r = b
dict in a comprehension | {1: 1} | s[2] = 2 | r = [x for x in s]
dict's get default | {} | s[1] = 2 | r = s.get(1, 0)
dict popped with a default | {1: 1} | s.clear() | r = s.pop(1, 0)
dict's or | {1: 1} | s[2] = 2 | r = {3: 3} | s
dict's update by pairs | {} | s.update([(1, 2)]) | r = len(s)
dict's update by keywords | {} | s.update(a=1) | r = len(s)
set popped | {1} | s.pop() | r = len(s)
set updated by difference | {1, 2} | s.difference_update([1]) | r = len(s)
set in place and | {1, 2} | s &= {1} | r = len(s)
set compared | {1} | s.add(2) | r = s <= {1}
frozenset of sets | {1} | s.add(2) | r = frozenset([1, 2]) >= s
list sorted in place | [2, 1] | s.sort() | r = s[0]
list inserted | [2, 1] | s.insert(0, 7) | r = s[0]
list deleted | [2, 1] | del s[0] | r = s[0]
list in a format | [1] | s.append(2) | r = "{}".format(s)
list in bytes | [1] | s.append(2) | r = bytes(s)
list in a tuple's hash | ([1],) | s[0].append(2) | r = str(s)
starred call | [1] | s.append(2) | r = counts_all(*s)
starred keywords | {"a": 1} | s["a"] = 2 | r = Pair(**{"b": 1, **s})
default argument | Gathering() | s.add(1) | r = len(s.add.__func__.__defaults__[1])
function's closure | cells() | s[0](5) | r = s[1]() + 0
nonlocal in a generator | nonlocals() | next(s[0]) | r = s[1]()
decorator that counts | Decorated() | s.work() | r = s.work.calls
decorator's wrapped | Decorated() | s.work.__wrapped__.n = 2 | r = getattr(Decorated.work.__wrapped__, "n", 0)
method through its class | Fresh() | s.limit = 2 | r = s.read(s)
staticmethod bound anew | Fresh() | s.read = lambda self: 9 | r = s().read()
class attribute inherited | Fresh() | s.limit = 2 | r = type("Sub", (s,), {}).limit
class attribute by super | Subbing() | s.base.limit = 2 | r = s.sub().ask()
class's bases | Subbing() | s.sub.__bases__ = (Box,) | r = hasattr(s.sub, "limit")
slots of a dataclass | Slim(1) | s.x = 2 | r = s == Slim(1)
dataclass frozen | Frozen([1]) | s.x.append(2) | r = hash(str(s))
dataclass fields | Point(1, 2) | s.x = 5 | r = [getattr(s, f.name) for f in dataclasses.fields(s)]
dataclass ordered | Slim(1) | s.x = 5 | r = s < Slim(3)
dataclass's __post_init__ | [] | Posted(s) | r = len(s)
dataclass's default factory | Factory() | m = Made(); r = 0 | r = len(Made.seen)
enum by value | Colour | Colour.RED.note = 5 | r = Colour(1).note
flag | Flags() | s.now |= 2 | r = s.now
exception's attribute | ValueError() | s.extra = 1 | r = getattr(s, "extra", 0)
exception raised again | Box() | s.n = 2 | try: raise ValueError(s)\nexcept ValueError as e: r = e.args[0].n
exception's context | ValueError() | s.__suppress_context__ = True | r = s.__suppress_context__
exception's traceback kept | ValueError() | try: raise s\nexcept ValueError: pass | r = s.__traceback__ is None
OSError's fields | OSError(1, "x") | s.errno = 2 | r = str(s)
StopIteration's value | StopIteration(1) | s.value = 2 | r = s.value
KeyError's text | KeyError([1]) | s.args[0].append(2) | r = str(s)
exception group | ExceptionGroup("g", [ValueError([1])]) | s.exceptions[0].args[0].append(2) | r = repr(s)
UnicodeError's fields | UnicodeDecodeError("u", b"a", 0, 1, "x") | s.reason = "y" | r = str(s)
struct.Struct | bytearray(4) | struct.Struct("B").pack_into(s, 0, 7) | r = s[0]
struct iter | bytearray(4) | s[0] = 7 | r = list(struct.iter_unpack("B", s))
memoryview cast | bytearray(4) | memoryview(s).cast("I")[0] = 7 | r = s[0]
memoryview released | memoryview(bytearray(b"a")) | s.release() | r = 0\ntry: r = s[0]\nexcept ValueError: r = 5
memoryview iterated | [b := bytearray(b"a"), memoryview(b)] | s[0][0] = 66 | r = list(s[1])
array frombytes | array.array("B") | s.frombytes(b"a") | r = len(s)
array read by memoryview | array.array("B", [1]) | s[0] = 5 | r = bytes(memoryview(s))
array byteswap | array.array("H", [1]) | s.byteswap() | r = s[0]
bytearray translated | bytearray(b"a") | s[0] = 66 | r = s.translate(None)
bytearray compared | bytearray(b"a") | s[0] = 66 | r = s == b"a"
bytearray in bytes | bytearray(b"a") | s[0] = 66 | r = s in b"ab"
bytes joined with bytearray | bytearray(b"a") | s[0] = 66 | r = b"%b" % s
int of a bytearray | bytearray(b"1") | s[0] = 50 | r = int(s)
readinto | bytearray(1) | io.BytesIO(b"z").readinto(s) | r = s[0]
json.loads of a bytearray | bytearray(b"1") | s[0] = 50 | r = json.loads(s)
json's default | Box() | s.n = 2 | r = json.dumps([s], default=vars)
json's hook | [] | json.loads("{}", object_hook=s.append) | r = len(s)
pickle's persistent | [1] | s.append(2) | r = pickle.loads(pickle.dumps({"x": s}))
copy's memo | {} | copy.deepcopy([1], s) | r = len(s)
sort with a side effect | [] | sorted([1], key=s.append) | r = len(s)
max with a side effect | [] | max([1], key=lambda x: s.append(x) or 1) | r = len(s)
re's function | [] | re.sub("a", lambda m: s.append(1) or "", "a") | r = len(s)
reduce with a side effect | [] | functools.reduce(lambda a, b: s.append(b), [1, 2]) | r = len(s)
int's base by Python | Shown() | s.n = 2 | r = range(s).stop
str of a subclass | NameOf("a") | s.n = 2 | r = "%s" % s
dict of a subclass copied | Table(a=1) | s["a"] = 2 | r = dict(s)
list of a subclass added | Rows([1]) | s.append(2) | r = [0] + s
list of a subclass compared | Rows([1]) | s.append(2) | r = s == [1]
Decimal | Holder(decimal.Decimal(1)) | s.it += 1 | r = s.it
Fraction | Holder(fractions.Fraction(1)) | s.it += 1 | r = s.it
date | Holder(0) | s.it = 5 | r = f"{s.it:>3}"
time of the loop | Holder(0) | s.it = LOOP().time() + 1 | r = s.it > 0
random choice | random.Random(2) | s.choice([1, 2]) | r = s.random()
random of the module | None | random.random() | r = random.random()
uuid | Holder(0) | s.it = 7 | r = f"{s.it!r:>5}"
hashlib copy | hashlib.md5() | s.update(b"a") | r = s.copy().hexdigest()
hmac | hmac.new(b"k", digestmod="sha256") | s.update(b"a") | r = s.hexdigest()
zlib's object | zlib.compressobj() | r = s.compress(b"a"); s.flush() | r = 0\ntry: r = s.compress(b"b")\nexcept Exception: r = 1
re scanner of a method | re.compile("a").scanner("aa") | r = s.match() is None | r = s.search() is None; s.match()
ElementTree iterated | ElementTree.Element("a") | ElementTree.SubElement(s, "b") | r = len(list(s))
tempfile spooled | tempfile.SpooledTemporaryFile() | s.write(b"a") | r = s.tell()
sqlite row factory | DATABASE() | s.row_factory = sqlite3.Row | r = type(s.execute("select 1").fetchone()).__name__
sqlite function | DATABASE() | s.create_function("f", 0, lambda: 1) | r = 0\ntry: r = s.execute("select f()").fetchone()\nexcept sqlite3.Error: pass
sqlite by a context | DATABASE() | with s: s.execute("insert into t values (1)") | r = s.execute("select count(*) from t").fetchone()
path | FILE() | os.truncate(s.name, 3) | r = pathlib.Path(s.name).stat().st_size
directory | tempfile.TemporaryDirectory() | open(s.name + "/x", "w").close() | r = len(os.listdir(s.name))
umask | None | os.umask(0o77); r = 0 | r = os.umask(0o22)
signal | None | signal.signal(signal.SIGUSR1, signal.SIG_IGN) | r = signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN; signal.signal(signal.SIGUSR1, signal.SIG_DFL)
asyncio.Event | asyncio.Event() | s.set() | r = s.is_set()
asyncio.Event cleared | asyncio.Event() | s.set(); s.clear() | s.set(); await asyncio.sleep(0); r = s.is_set()
asyncio.Condition | asyncio.Condition() | await s.acquire() | r = s.locked()
asyncio.BoundedSemaphore | asyncio.BoundedSemaphore(1) | await s.acquire() | r = s.locked()
asyncio.LifoQueue | asyncio.LifoQueue() | s.put_nowait(1); s.put_nowait(2) | r = s.get_nowait() if s.qsize() else 0
asyncio.PriorityQueue | asyncio.PriorityQueue() | s.put_nowait(2) | r = s.get_nowait() if not s.empty() else 0
asyncio.PriorityQueue of objects | Prioritised() | s.one.n = -9 | s.queue.put_nowait(s.one); r = s.queue.get_nowait().n
asyncio.Queue joined | asyncio.Queue() | s.put_nowait(1) | r = s._unfinished_tasks
asyncio.Queue full | asyncio.Queue(1) | s.put_nowait(1) | r = s.full()
asyncio.Barrier | asyncio.Barrier(2) | r = await asyncio.wait_for(s.wait(), 0.1) | r = s.n_waiting
asyncio.Task's name | asyncio.create_task(asyncio.sleep(0)) | s.set_name("x") | r = s.get_name() == "x"
asyncio.Task's state | asyncio.create_task(asyncio.sleep(0)) | await s | r = s.done()
asyncio.Task cancelled | asyncio.create_task(asyncio.sleep(5)) | s.cancel() | r = s.cancelling()
asyncio.Task's callbacks | asyncio.create_task(asyncio.sleep(0)) | s.add_done_callback(BOXES.append) | await asyncio.sleep(0); await asyncio.sleep(0); r = len(BOXES)
asyncio.timeout | Holder(0) | s.it = 1 | async with asyncio.timeout(1): r = s.it
asyncio.timeout moved | asyncio.timeout(5) | r = s.when() | r = s.expired()
asyncio.TaskGroup | [] | async with asyncio.TaskGroup() as g: g.create_task(appends(s)) | r = len(s)
asyncio.gather | [] | await asyncio.gather(appends(s), appends(s)) | r = len(s)
asyncio.shield | [] | await asyncio.shield(appends(s)) | r = len(s)
asyncio.wait | [] | await asyncio.wait([asyncio.create_task(appends(s))]) | r = len(s)
asyncio.as_completed | [] | [await x for x in asyncio.as_completed([appends(s)])] | r = len(s)
asyncio.StreamReader | asyncio.StreamReader() | s.feed_data(b"a") | r = len(s._buffer)
call_soon | [] | LOOP().call_soon(s.append, 1) | await asyncio.sleep(0); r = len(s)
call_soon of a partial | [] | LOOP().call_soon(functools.partial(s.append, 1)) | await asyncio.sleep(0); r = len(s)
call_later | [] | LOOP().call_later(0, s.append, 1) | await asyncio.sleep(0); r = len(s)
loop's attribute | LOOP() | s.lies = 1 | r = getattr(s, "lies", 0); vars(s).pop("lies", None)
loop's exception handler | LOOP() | s.set_exception_handler(print) | r = s.get_exception_handler() is None; s.set_exception_handler(None)
loop's debug | LOOP() | s.set_debug(True) | r = s.get_debug(); s.set_debug(False)
future's callback | LOOP().create_future() | s.add_done_callback(BOXES.append) | s.set_result(1); await asyncio.sleep(0); r = len(BOXES)
future's exception | LOOP().create_future() | s.set_exception(ValueError(1)) | r = s.done() and str(s.exception())
future awaited | LOOP().create_future() | s.set_result([1]) | m = await asyncio.wait_for(s, 1); m.append(2); r = len(m)
coroutine's frame | [c := asyncio.sleep(0)] | s[0].close() | r = s[0].cr_frame is None
class from a call | [1] | s.append(2) | r = len(get_class()(s))
class from a dict | [1] | s.append(2) | r = len({"k": Row}["k"](s))
class with an __init__ of its own and C's __new__ | [1] | s.append(2) | r = len(Begun(s))
class from a call with both | [1] | s.append(2) | r = len(get_begun()(s))
callable of C from a call | [] | (lambda: functools.partial(s.append, 1))()() | r = len(s)
callable of C in an attribute | Holder([]) | f = Holder(functools.partial(s.it.append, 1)); f.it() | r = len(s.it)
callable of C in a list | [] | for f in [functools.partial(s.append, 1)]: f() | r = len(s)
callable of C as a default | [] | run_it(functools.partial(s.append, 1)) | r = len(s)
method of C from getattr | [] | getattr(s, "append")(1) | r = len(s)
method of C through a class | [] | type(s).append(s, 1) | r = len(s)
method of C from a dict | [] | {"f": s.append}["f"](1) | r = len(s)
bound method compared | [] | s.append(1) | r = s.__len__() == len([])
super().append | Growing() | s.append(1) | r = len(s)
super() in a property | Growing() | s.append(1) | r = s.size
walrus | [1] | s.append(2) | r = (m := s) and len(m)
conditional of lists | [1] | s.append(2) | r = len(s if s else [])
chained comparison | [1] | s.append(2) | r = [0] < s < [2]
unary | Shown() | s.n = 2 | r = -s
matrix product | Shown() | s.n = 2 | r = s @ 1
in-place by Python | Shown() | s @= 2 | r = s.n
delete of a global | globals() | global CELL; CELL = 9 | r = globals()["CELL"]
try and finally | [] | try: pass\nfinally: s.append(1) | r = len(s)
except star | [] | try: raise ExceptionGroup("g", [ValueError()])\nexcept* ValueError: s.append(1) | r = len(s)
with two | [] | with opened(s), opened(s): pass | r = len(s)
async comprehension | ticking() | r = [x async for x in s] | r = [x async for x in s]
lambda's default | [] | (lambda m=s: m.append(1))() | r = len(s)
type parameters | [1] | s.append(2) | r = list[int](s)
"""
