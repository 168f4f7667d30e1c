# The operations of the core that have a form of their own in C. What each does is said by its plain
# form, in primitives.py; here is only how.

from cpython cimport array
from cpython.object cimport PyObject

cdef extern from *:
    """
    /* call_soon() takes its context by name, and nothing else: whoever calls it hands over names and
       values as they are, where a function of Cython's would be given a dictionary for each call. */
    static PyObject *
    call_soon(PyObject *take, PyObject *const *given, Py_ssize_t count, PyObject *names)
    {
        PyObject *taken[2], *handle;
        Py_ssize_t place;

        taken[1] = Py_None;
        if (names != NULL && PyTuple_GET_SIZE(names) != 0) {
            PyObject *name = PyTuple_GET_ITEM(names, PyTuple_GET_SIZE(names) - 1);
            if (PyTuple_GET_SIZE(names) != 1
                    || PyUnicode_CompareWithASCIIString(name, "context") != 0) {
                PyErr_Format(PyExc_TypeError,
                             "call_soon() got an unexpected keyword argument '%U'", name);
                return NULL;
            }
            taken[1] = given[count];
        }
        if (count == 0) {
            PyErr_SetString(PyExc_TypeError,
                            "call_soon() missing 1 required positional argument: 'callback'");
            return NULL;
        }
        taken[0] = PyTuple_New(count);
        if (taken[0] == NULL) return NULL;
        for (place = 0; place < count; place++) {
            Py_INCREF(given[place]);
            PyTuple_SET_ITEM(taken[0], place, given[place]);
        }
        handle = ((_PyCFunctionFastWithKeywords)(void (*)(void))PyCFunction_GET_FUNCTION(take))(
            PyCFunction_GET_SELF(take), taken, 2, NULL);
        Py_DECREF(taken[0]);
        return handle;
    }

    /* A deque's methods are called as they are, past what CPython does for whoever it does not know. */
    static inline PyObject *
    called(PyObject *method)
    {
        if (PyCFunction_GET_FLAGS(method) != METH_NOARGS) return PyObject_CallNoArgs(method);
        return PyCFunction_GET_FUNCTION(method)(PyCFunction_GET_SELF(method), NULL);
    }

    static inline PyObject *
    called_with(PyObject *method, PyObject *argument)
    {
        if (PyCFunction_GET_FLAGS(method) != METH_O) return PyObject_CallOneArg(method, argument);
        return PyCFunction_GET_FUNCTION(method)(PyCFunction_GET_SELF(method), argument);
    }

    static PyMethodDef call_soon_method = {
        "call_soon", (PyCFunction)(void (*)(void))call_soon, METH_FASTCALL | METH_KEYWORDS,
        "Run a callback in the next pass, after all that became ready before it."
    };
    """
    ctypedef struct PyMethodDef:
        pass
    PyMethodDef call_soon_method
    object called(object method)
    object called_with(object method, object argument)

cdef extern from "Python.h":
    int METH_FASTCALL
    int METH_KEYWORDS
    int PyCFunction_GET_FLAGS(object function)
    object PyCFunction_New(PyMethodDef *method, object owner)
    ctypedef struct PyTupleObject:
        PyObject **ob_item
    ctypedef struct PyListObject:
        PyObject **ob_item
    int Py_LT
    void Py_DECREF(PyObject *thing)
    bint PyFloat_CheckExact(PyObject *thing)
    double PyFloat_AS_DOUBLE(PyObject *number)
    int PyObject_RichCompareBool(PyObject *one, PyObject *other, int operator) except -1
    object PyObject_Call(object callable, tuple arguments, dict names)
    object PyObject_Vectorcall(object callable, PyObject **arguments, size_t count, PyObject *names)
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    int PyContextVar_Get(object variable, PyObject *default, PyObject **value) except -1

cdef enum:
    COMPILED = 1


cdef inline int note_step(array.array steps, unsigned int number) except -1:
    cdef Py_ssize_t count = len(steps)
    array.resize_smart(steps, count + 1)
    steps.data.as_uints[count] = number
    return 0


cdef inline int note_moment(array.array wakes, double entry) except -1:
    cdef Py_ssize_t count = len(wakes)
    array.resize_smart(wakes, count + 1)
    wakes.data.as_doubles[count] = entry
    return 0


cdef inline object spread(object take):
    # What is called below must take its arguments as Cython's methods take them.
    if PyCFunction_GET_FLAGS(take) != METH_FASTCALL | METH_KEYWORDS:
        raise TypeError("spread() wants a compiled method with two arguments")
    return PyCFunction_New(&call_soon_method, take)


cdef inline object made(object kind, dict names):
    return PyObject_Call(kind, (), names)


cdef inline int spread_out(tuple call) except -1:
    cdef PyObject **parts = (<PyTupleObject *>call).ob_item
    if len(call) == 0:
        raise TypeError("run() missing 1 required positional argument")
    PyObject_Vectorcall(<object>parts[0], parts + 1, len(call) - 1, NULL)
    return 0


cdef inline int run(object context, tuple call) except -1:
    PyContext_Enter(context)
    try:
        spread_out(call)
    finally:
        PyContext_Exit(context)
    return 0


cdef inline int run_noted(object context, tuple call, array.array steps, object variable) except -1:
    cdef PyObject *number = NULL
    try:
        PyContext_Enter(context)
    except BaseException:
        # It is entered already, or no context: the step counts all the same.
        note_step(steps, context.get(variable, 0))
        raise
    try:
        PyContextVar_Get(variable, NULL, &number)
        try:
            note_step(steps, <object>number)
        finally:
            Py_DECREF(number)
        spread_out(call)
    finally:
        PyContext_Exit(context)
    return 0


# The queue of events: heapq's algorithm step for step, so that the list always lies as heapq
# would have it lie. An entry is (moment, priority, number, event); it moves by swaps only, so the
# list stays whole even if a comparison fails.


cdef inline bint earlier(PyObject *one, PyObject *other) except -1:
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


cdef inline void swap(list heap, Py_ssize_t one, Py_ssize_t other) noexcept:
    cdef PyObject **items = (<PyListObject *>heap).ob_item
    cdef PyObject *kept = items[one]
    items[one] = items[other]
    items[other] = kept


cdef inline int rise(list heap, Py_ssize_t place) except -1:
    cdef Py_ssize_t parent
    cdef PyObject **items
    while place > 0:
        parent = (place - 1) >> 1
        items = (<PyListObject *>heap).ob_item
        if not earlier(items[place], items[parent]):
            return 0
        swap(heap, place, parent)
        place = parent
    return 0


cdef inline int push(list heap, tuple entry) except -1:
    heap.append(entry)
    return rise(heap, len(heap) - 1)


cdef inline tuple pop(list heap):
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
        if child + 1 < end and not earlier(items[child], items[child + 1]):
            child += 1
        swap(heap, place, child)
        place = child
    rise(heap, place)
    return first
