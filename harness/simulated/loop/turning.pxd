# The C types of what turning.py says: compiled with them, it is the module _speedups. A name that is
# not here stays an object of Python's.

cimport cython
from cpython cimport array

from harness.simulated.loop cimport primitives

cdef object TASK_NUMBER
cdef object NORMAL
cdef object FUTURE
cdef object FunctionType
cdef object END_SLEEP
cdef object copy_context
cdef object islice
cdef object is_plumbing
cdef object partial
cdef bint COMPILED
cdef double NO_LIMIT


cdef class Handle:
    cdef public tuple call
    cdef public object context
    cdef public long lane


@cython.final
cdef class ReadyHandle(Handle):
    pass


@cython.final
cdef class Timer(Handle):
    cdef public object environment
    cdef public double when_s


@cython.final
cdef class Core:
    cdef object loop
    cdef object environment
    cdef object numbers
    cdef list queue
    cdef set background
    cdef readonly object ready
    cdef object append
    cdef dict of_loop
    cdef readonly object call_soon
    # What may change between two turns.
    cdef object ledger
    cdef double limit_s
    cdef int events_max
    cdef array.array steps
    cdef array.array wakes

    @cython.locals(handle=ReadyHandle)
    cpdef ReadyHandle soon(self, tuple call, object context)

    @cython.locals(when=double, due=double, timer=Timer)
    cdef Timer _set_timer(self, double now, double delay, tuple call, object context)

    @cython.locals(
        queue=list, handle=Handle, call=tuple, steps=array.array, due=double, now=double,
        waiting=Py_ssize_t, _=int,
    )
    cdef object _run_passes(self, object loop, int passes, object observer)

    @cython.locals(
        queue=list, timer=Timer, when=double, due=double, call=tuple, number="unsigned int",
    )
    cdef double _advance(self, object loop) except? -1.0

    @cython.locals(
        queue=list, entry=tuple, timer=Timer, due=double, traced=bint,
        before=Py_ssize_t, _=int,
    )
    cpdef object _deliver(self, double now)

    @cython.locals(number="unsigned int")
    cdef int _wake(self, Handle handle) except -1


@cython.final
cdef class LanedCalls:
    cdef object append
    cdef readonly object call_soon

    @cython.locals(handle=ReadyHandle)
    cpdef ReadyHandle soon(self, tuple call, object context)


@cython.locals(
    ready=list, queue=list, picks=list, steps=array.array, left=Py_ssize_t, index=Py_ssize_t,
    handle=Handle, lane=long, call=tuple, _=int,
)
cpdef object turn_adversarial(object loop, int turns)


@cython.locals(handle=Handle, lane=long, earlier=Py_ssize_t)
cpdef Py_ssize_t first_of_lane(list ready, Py_ssize_t index) except -1
