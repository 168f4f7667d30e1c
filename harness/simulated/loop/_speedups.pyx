# cython: language_level=3, binding=False, boundscheck=True, wraparound=False, nonecheck=True
"""The virtual loop's core, compiled: the queue of callbacks, timers, and how loops turn.

It does what ``plain_core.py``, ``laned_calls.py`` and ``adversarial_turn.py`` do, entry for entry of
the trace, for less: a callback has neither a Python frame nor a look-up by name on its way from
``call_soon`` to its run, and the queue of events is sifted without a call a comparison. Whoever
changes one changes both: the tests compare them. ``SOURCE`` is the sha256 of this text, by which
``core.py`` knows what was built from another.
"""

import asyncio
from asyncio import futures
from sys import float_info
from types import FunctionType

from cpython cimport array
from cpython.object cimport PyObject
cimport cython

from simpy.events import NORMAL as _NORMAL

from harness.simulated.loop.handles import described
from harness.simulated.loop.laned_calls import PLUMBING as _PLUMBING, is_plumbing as _is_plumbing
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_task import TASK_NUMBER as _TASK_NUMBER

cdef extern from *:
    """
    #ifndef SPEEDUPS_SOURCE
    #define SPEEDUPS_SOURCE ""
    #endif

    /* call_soon() takes its context by name, and nothing else: whoever calls it hands over names and
       values as they are, where a method of Cython's would be given a dictionary for each call. */
    static PyObject *(*calls_soon)(PyObject *, PyObject *, PyObject *);

    static PyObject *
    call_soon(PyObject *calls, PyObject *const *given, Py_ssize_t count, PyObject *names)
    {
        PyObject *context = Py_None, *call, *handle;
        Py_ssize_t place;

        if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
            PyObject *name = PyTuple_GET_ITEM(names, PyTuple_GET_SIZE(names) - 1);
            if (PyTuple_GET_SIZE(names) != 1
                    || PyUnicode_CompareWithASCIIString(name, "context") != 0) {
                PyErr_Format(PyExc_TypeError,
                             "call_soon() got an unexpected keyword argument '%U'", name);
                return NULL;
            }
            context = given[count];
        }
        if (count == 0) {
            PyErr_SetString(PyExc_TypeError,
                            "call_soon() missing 1 required positional argument: 'callback'");
            return NULL;
        }
        call = PyTuple_New(count);
        if (call == NULL) return NULL;
        for (place = 0; place < count; place++) {
            Py_INCREF(given[place]);
            PyTuple_SET_ITEM(call, place, given[place]);
        }
        handle = calls_soon(calls, call, context);
        Py_DECREF(call);
        return handle;
    }

    static PyMethodDef call_soon_method = {
        "call_soon", (PyCFunction)(void (*)(void))call_soon, METH_FASTCALL | METH_KEYWORDS,
        "Run a callback in the next pass, after all that became ready before it."
    };
    """
    const char *SPEEDUPS_SOURCE
    ctypedef object (*CallsSoon)(object, object, object)
    CallsSoon calls_soon
    ctypedef struct PyMethodDef:
        pass
    PyMethodDef call_soon_method

cdef extern from "Python.h":
    ctypedef struct PyTupleObject:
        PyObject **ob_item
    ctypedef struct PyListObject:
        PyObject **ob_item
    int Py_LT
    void Py_DECREF(PyObject *thing)
    bint PyFloat_CheckExact(PyObject *thing)
    double PyFloat_AS_DOUBLE(PyObject *number)
    int PyObject_RichCompareBool(PyObject *one, PyObject *other, int operator) except -1
    object PyCFunction_New(PyMethodDef *method, object owner)
    object PyObject_Call(object callable, tuple arguments, dict names)
    object PyObject_Vectorcall(object callable, PyObject **arguments, size_t count, PyObject *names)
    object PyContext_CopyCurrent()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    int PyContextVar_Get(object variable, PyObject *default, PyObject **value) except -1

__all__ = ["SOURCE", "FastCore", "ReadyHandle", "Timer", "laned_call_soon", "turn_adversarial"]

SOURCE = SPEEDUPS_SOURCE.decode()

cdef object TASK_NUMBER = _TASK_NUMBER
cdef long PLUMBING = _PLUMBING
cdef object is_plumbing = _is_plumbing
cdef object IN_PYTHON = FunctionType
cdef object FUTURE = asyncio.Future
cdef object END_SLEEP = futures._set_result_unless_cancelled
cdef object NORMAL = _NORMAL
cdef object STOPPED = Pause.STOPPED
cdef object SPINNING = Pause.SPINNING
cdef double NO_LIMIT = float_info.max
cdef tuple NOTHING = ()

# Handles that a queue holds before it grows: a power of two, as it is ever after.
cdef Py_ssize_t FIRST_CAPACITY = 64


cdef class Handle:
    """What both handles have: a callback with its arguments, None once cancelled; a context."""

    cdef public tuple call
    cdef public object context
    cdef public long lane

    def cancelled(self):
        """Return True if the callback was cancelled."""
        return self.call is None

    def get_context(self):
        """Return the context the callback runs in."""
        return self.context


@cython.final
@cython.freelist(64)
cdef class ReadyHandle(Handle):
    """What ``call_soon`` returns: as ``asyncio.Handle``."""

    def cancel(self):
        """Never run the callback; no effect if it has run."""
        self.call = None

    def __repr__(self):
        return f"<ReadyHandle {described(self.call)}>"


@cython.final
@cython.freelist(64)
cdef class Timer(Handle):
    """What ``call_later`` and ``call_at`` return: as ``asyncio.TimerHandle``.

    ``environment`` is None once it lies in the environment's queue no more.
    """

    cdef public object environment
    cdef public double when_s

    def cancel(self):
        """Never run the callback; no effect if it has run."""
        if self.call is not None:
            self.call = None
            if self.environment is not None:
                self.environment.timer_cancelled()

    def when(self):
        """Return the moment at which the callback is due, in seconds of the loop's time."""
        return self.when_s

    def __repr__(self):
        return f"<Timer when={self.when_s} {described(self.call)}>"


# The queue of events: heapq's algorithm step for step, so that the list always lies as heapq
# would have it lie. An entry is (moment, priority, number, event); it moves by swaps only, so the
# list stays whole even if a comparison fails.


cdef inline bint _earlier(PyObject *one, PyObject *other) except -1:
    """Compare two entries; nearly always their moments differ, and are floats."""
    cdef PyObject *mine = (<PyTupleObject *>one).ob_item[0]
    cdef PyObject *yours = (<PyTupleObject *>other).ob_item[0]
    cdef double my_s, your_s
    if PyFloat_CheckExact(mine) and PyFloat_CheckExact(yours):
        my_s = PyFloat_AS_DOUBLE(mine)
        your_s = PyFloat_AS_DOUBLE(yours)
        if my_s != your_s:
            return my_s < your_s
    return PyObject_RichCompareBool(one, other, Py_LT)


cdef inline void _swap(list heap, Py_ssize_t one, Py_ssize_t other) noexcept:
    cdef PyObject **items = (<PyListObject *>heap).ob_item
    cdef PyObject *kept = items[one]
    items[one] = items[other]
    items[other] = kept


cdef int _rise(list heap, Py_ssize_t place) except -1:
    cdef Py_ssize_t parent
    cdef PyObject **items
    while place > 0:
        parent = (place - 1) >> 1
        items = (<PyListObject *>heap).ob_item
        if not _earlier(items[place], items[parent]):
            return 0
        _swap(heap, place, parent)
        place = parent
    return 0


cdef int _push(list heap, tuple entry) except -1:
    heap.append(entry)
    return _rise(heap, len(heap) - 1)


cdef tuple _pop(list heap):
    cdef tuple last = <tuple?>heap.pop()
    cdef tuple first
    cdef Py_ssize_t end = len(heap)
    cdef Py_ssize_t place = 0
    cdef Py_ssize_t child
    cdef PyObject **items
    if end == 0:
        return last
    first = <tuple?>heap[0]
    heap[0] = last
    while place < end >> 1:
        child = 2 * place + 1
        items = (<PyListObject *>heap).ob_item
        if child + 1 < end and not _earlier(items[child], items[child + 1]):
            child += 1
        _swap(heap, place, child)
        place = child
    _rise(heap, place)
    return first


cdef inline double _moment(list queue) except? -1.0:
    """Return the moment of the first entry; the queue has one."""
    return (<tuple?>queue[0])[0]


cdef class Calls:
    """Where callbacks wait that are ready; ``call_soon`` adds one."""

    @property
    def call_soon(self):
        """The loop's own method."""
        return PyCFunction_New(&call_soon_method, self)

    cdef object soon(self, tuple call, object context):
        raise NotImplementedError


cdef object _soon(object calls, object call, object context):
    return (<Calls>calls).soon(<tuple>call, context)


calls_soon = _soon


@cython.final
cdef class FastCore(Calls):
    """The callbacks of one loop that are ready, and how the loop runs them: as ``PlainCore``.

    It is its own queue: a ring of handles in a list whose length is a power of two.
    """

    cdef object loop
    cdef object environment
    cdef object next_number
    cdef list queue
    cdef set background
    cdef dict of_loop
    cdef list items
    cdef Py_ssize_t head
    cdef Py_ssize_t count
    cdef Py_ssize_t mask
    # What may change between two turns.
    cdef object ledger
    cdef object observer
    cdef double limit_s
    cdef int events_max
    cdef array.array steps
    cdef array.array wakes

    def __init__(self, loop, environment):
        self.loop = loop
        self.environment = environment
        self.next_number = environment._eid
        self.queue = environment.queue
        self.background = environment.background_numbers
        self.of_loop = {"loop": loop}
        self.clear()

    @property
    def ready(self):
        """The queue of handles that are ready: this object itself."""
        return self

    def __len__(self):
        return self.count

    def __iter__(self):
        return iter([self.items[(self.head + place) & self.mask] for place in range(self.count)])

    def append(self, handle):
        """Add a handle at the end."""
        self.put(<Handle?>handle)

    def clear(self):
        """Forget all handles."""
        self.items = [None] * FIRST_CAPACITY
        self.mask = FIRST_CAPACITY - 1
        self.head = self.count = 0

    cdef int put(self, Handle handle) except -1:
        if self.count > self.mask:
            self.items = self.items[self.head:] + self.items[:self.head] + [None] * self.count
            self.mask = 2 * self.mask + 1
            self.head = 0
        self.items[(self.head + self.count) & self.mask] = handle
        self.count += 1
        return 0

    cdef Handle take(self):
        cdef Handle handle = <Handle?>self.items[self.head]
        self.items[self.head] = None
        self.head = (self.head + 1) & self.mask
        self.count -= 1
        return handle

    cdef object soon(self, tuple call, object context):
        cdef ReadyHandle handle = ReadyHandle.__new__(ReadyHandle)
        handle.call = call
        handle.context = PyContext_CopyCurrent() if context is None else context
        self.put(handle)
        return handle

    def call_later(self, delay, *call, context=None):
        """Run a callback ``delay`` virtual seconds from now."""
        cdef Timer timer
        cdef double now = self.environment._now
        cdef double when = now + delay
        if not call:
            raise TypeError("call_later() missing 1 required positional argument: 'callback'")
        timer = Timer.__new__(Timer)
        timer.call = call
        timer.context = PyContext_CopyCurrent() if context is None else context
        timer.environment = self.environment
        timer.when_s = when
        _push(self.queue, (when if when > now else now, NORMAL, next(self.next_number), timer))
        return timer

    def create_future(self):
        """Make a future of the loop."""
        return PyObject_Call(FUTURE, NOTHING, self.of_loop)

    def turn(self, int passes, int events_max):
        """Run so many passes; return None, or why the loop pauses before."""
        cdef object loop = self.loop
        self.ledger = loop.ledger
        self.observer = loop.observer
        self.limit_s = NO_LIMIT if loop.time_limit_s is None else loop.time_limit_s
        self.events_max = events_max
        self.steps = loop.trace.steps
        self.wakes = loop.trace.wakes
        try:
            return self.run_passes(loop, passes)
        finally:
            self.ledger = self.observer = None

    cdef object run_passes(self, object loop, int passes):
        cdef double now = self.environment._now
        cdef Py_ssize_t waiting
        cdef int turned
        for turned in range(passes):
            if self.observer is not None:
                self.observer()
            if self.queue and _moment(self.queue) <= now:
                self.deliver(now)
            waiting = self.count
            if waiting == 0:
                now = self.advance(loop)
                if now < 0.0:
                    return loop._pause
                waiting = self.count
            while waiting > 0:
                waiting -= 1
                self.step(loop)
            if loop._stopping:
                return STOPPED
        return None

    cdef int step(self, object loop) except -1:
        """Run the next callback that is ready."""
        cdef Handle handle = self.take()
        # Never an empty tuple: it would have no callback.
        if handle.call:
            try:
                self.run(handle.context, handle.call)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                loop._callback_failed(handle, error)
        return 0

    cdef int run(self, object context, tuple call) except -1:
        cdef PyObject *number = NULL
        cdef PyObject **parts = (<PyTupleObject *>call).ob_item
        try:
            PyContext_Enter(context)
        except BaseException:
            # It is entered already, or no context: the step counts all the same.
            self.record(context.get(TASK_NUMBER, 0))
            raise
        try:
            PyContextVar_Get(TASK_NUMBER, NULL, &number)
            try:
                self.record(<object>number)
            finally:
                Py_DECREF(number)
            PyObject_Vectorcall(<object>parts[0], parts + 1, len(call) - 1, NULL)
        finally:
            PyContext_Exit(context)
        return 0

    cdef inline int record(self, unsigned int number) except -1:
        cdef Py_ssize_t count = len(self.steps)
        array.resize_smart(self.steps, count + 1)
        self.steps.data.as_uints[count] = number
        return 0

    cdef inline int wake(self, double entry) except -1:
        cdef Py_ssize_t count = len(self.wakes)
        array.resize_smart(self.wakes, count + 1)
        self.wakes.data.as_doubles[count] = entry
        return 0

    cdef double advance(self, object loop) except? -1.0:
        """Move the clock to the next moment and deliver what is due then; -1.0 if there is none."""
        cdef double when
        cdef tuple entry
        # Nearly always the head of the queue is a timer: then its branch is all there is to do.
        if self.queue and not self.background and not loop._stopping:
            entry = <tuple?>self.queue[0]
            when = entry[0]
            if type(entry[3]) is Timer and (<Timer>entry[3]).call is not None:
                if when <= self.limit_s:
                    self.advance_to_timer(loop, entry[0], <Timer>entry[3])
                    return when
        return loop._advance_slowly(self._deliver)

    cdef int advance_to_timer(self, object loop, object moment, Timer timer) except -1:
        cdef double when = moment
        cdef tuple call = timer.call
        cdef object future
        cdef unsigned int number
        if self.ledger is not None and self.ledger.sample_due_s <= when:
            self.ledger.sample(when)
        self.environment._now = moment
        loop._moment_passes = 0
        _pop(self.queue)
        timer.environment = None
        number = timer.context.get(TASK_NUMBER, 0)
        self.wake(when)
        self.wake(-1.0 - number)
        if self.queue and _moment(self.queue) <= when:
            self.put(timer)
            return self.deliver(when)
        if call[0] is END_SLEEP and type(call[1]) is FUTURE and not call[1].done():
            # A sleep is over, and nothing else happens now: its callback would have a pass for
            # itself. What it does is done here, to the same effect.
            timer.call = None
            self.record(number)
            call[1].set_result(call[2])
            return 0
        return self.put(timer)

    def _deliver(self, double now):
        self.deliver(now)

    cdef int deliver(self, double now) except -1:
        """Make ready what is due, and let SimPy's events happen in order."""
        cdef bint traced = False
        cdef int delivered
        cdef Py_ssize_t before, place
        cdef tuple entry
        cdef Timer timer
        for delivered in range(self.events_max):
            entry = _pop(self.queue)
            if self.background:
                self.background.discard(entry[2])
            before = self.count
            if type(entry[3]) is Timer:
                timer = <Timer>entry[3]
                timer.environment = None
                if timer.call is None:
                    self.environment.cancelled_count -= 1
                else:
                    self.put(timer)
            else:
                self.environment.process_event(entry[3])
            if self.count > before:
                if not traced:
                    traced = True
                    self.wake(now)
                for place in range(before, self.count):
                    self.wake_up(<Handle?>self.items[(self.head + place) & self.mask])
            if not self.queue or _moment(self.queue) > now:
                return 0
        self.loop._moment_is_endless()
        return 0

    cdef int wake_up(self, Handle handle) except -1:
        cdef unsigned int number = handle.context.get(TASK_NUMBER, 0)
        return self.wake(-1.0 - number)


@cython.final
cdef class LanedCalls(Calls):
    """Where an exploring loop's ``call_soon`` adds its handles: as in ``laned_calls.py``."""

    cdef list ready
    cdef object append

    def __init__(self, ready):
        # In production order it is a deque, whose method has to be asked.
        self.ready = ready if type(ready) is list else None
        self.append = ready.append

    cdef object soon(self, tuple call, object context):
        cdef ReadyHandle handle = ReadyHandle.__new__(ReadyHandle)
        cdef PyObject *number = NULL
        handle.call = call
        if context is None:
            handle.context = PyContext_CopyCurrent()
            # What a copy of the current context says is what the current one does, and is cached.
            PyContextVar_Get(TASK_NUMBER, NULL, &number)
            try:
                handle.lane = <object>number
            finally:
                Py_DECREF(number)
        else:
            handle.context = context
            handle.lane = context.get(TASK_NUMBER, 0)
        if type(call[0]) is IN_PYTHON and is_plumbing(call[0]):
            handle.lane = PLUMBING
        if self.ready is None:
            self.append(handle)
        else:
            self.ready.append(handle)
        return handle


def laned_call_soon(ready):
    """Make ``call_soon`` of an exploring loop, which adds to ``ready``: every handle has its lane."""
    return LanedCalls(ready).call_soon


def turn_adversarial(loop):
    """Run one callback after another, each chosen among those that are ready, while nobody looks.

    As in ``adversarial_turn.py``.
    """
    cdef list ready = loop._ready
    cdef list queue = loop.environment.queue
    cdef object order = loop.policy.order
    cdef list picks = loop.picks
    cdef array.array steps = loop.trace.steps
    cdef Py_ssize_t left = 0
    cdef Py_ssize_t index
    cdef int step, steps_max = loop.steps_max
    for step in range(steps_max):
        if left == 0:
            if queue:
                loop.outside.deliver_due()
            left = len(ready)
            if left == 0:
                if loop.outside.advance():
                    continue
                return loop._pause
        if queue and loop._time_runs_ahead():
            continue
        left -= 1
        index = 0
        if len(ready) > 1 and (<Handle?>ready[0]).lane >= 0:
            index = order(ready)
            if index != 0:
                index = _first_of_lane(ready, index)
            picks.append(index)
        if _run_laned(loop, <Handle?>ready.pop(index), steps) and loop._stopping:
            return STOPPED
    return SPINNING


cdef Py_ssize_t _first_of_lane(list ready, Py_ssize_t index) except -1:
    """Return the index of the first callback of the lane at ``index``, which keeps its order."""
    cdef Py_ssize_t earlier
    cdef long lane
    while (<Handle?>ready[index]).lane < 0:
        index -= 1
    lane = (<Handle?>ready[index]).lane
    for earlier in range(index):
        if (<Handle?>ready[earlier]).lane == lane:
            return earlier
    return index


cdef bint _run_laned(object loop, Handle handle, array.array steps) except -1:
    """Run a callback, unless it was cancelled; say whether it was run."""
    cdef tuple call = handle.call
    cdef Py_ssize_t count
    if not call:
        return False
    if handle.lane >= 0:
        count = len(steps)
        array.resize_smart(steps, count + 1)
        steps.data.as_uints[count] = <unsigned int>handle.lane
    try:
        _run_in(handle.context, call)
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        loop._callback_failed(handle, error)
    return True


cdef int _run_in(object context, tuple call) except -1:
    cdef PyObject **parts = (<PyTupleObject *>call).ob_item
    PyContext_Enter(context)
    try:
        PyObject_Vectorcall(<object>parts[0], parts + 1, len(call) - 1, NULL)
    finally:
        PyContext_Exit(context)
    return 0
