"""The replacement of functions of C where they lie: who imported one by name is reached, too.

``from time import time`` keeps the function object itself. What the object calls stands in its
fields: they are replaced, all at once, by a call of a Python function, through CPython's own
``PyObject_Vectorcall``, and put back. Nothing is compiled for this. time-machine, which freezes
time in tests, reaches such imports in the same place.

Only a layout that is known is touched: CPython 3.11 to 3.14 with 64 bits, as its default builds
are. Elsewhere ``reaches`` is False, and callers replace the attribute of the module instead.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import sysconfig
import threading
import time
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "KNOWN",
    "ClassMethodSite",
    "HashSite",
    "Site",
    "get_ident",
    "original",
    "reaches",
    "site_of",
]

F = TypeVar("F")

# Of CPython's methodobject.h: how a C function is called.
_FASTCALL_KEYWORDS = 0x82
_METHOD = 0x200
# A builtin function's fields behind the object's head: its definition, what it is called on, its
# module, its weak references, how it is called.
_FIELDS = struct.Struct("5P")
# Behind the head of a descriptor: its class, name and qualified name; then its definition.
_DESCRIPTOR_DEFINITION = 3
# The place of tp_hash in a class, the same since CPython 3.8.
_TP_HASH = 120


class _Definition(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_void_p),
    )


def _is_known() -> bool:
    if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info < (3, 15):
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED") or hasattr(sys, "getobjects"):
        return False
    if object.__basicsize__ != 16 or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    names = {function: _definition_of(function).name for function in (time.time, print)}
    as_it_should = names == {time.time: b"time", print: b"print"}
    return as_it_should and _definition_of(print).flags == _FASTCALL_KEYWORDS


def _fields_of(function: Any) -> memoryview:
    at = id(function) + object.__basicsize__
    return memoryview((ctypes.c_char * _FIELDS.size).from_address(at)).cast("B")


def _definition_of(function: Any) -> _Definition:
    return _Definition.from_address(_FIELDS.unpack(_fields_of(function))[0])


KNOWN = _is_known()


def reaches(function: object) -> bool:
    """Return True for a function of C whose object can be made to call another one."""
    if not KNOWN or type(function) is not BuiltinFunctionType:
        return False
    return not _definition_of(function).flags & _METHOD


class Site:
    """A function of C, and how its object is made to call a Python function on one thread."""

    def __init__(self, function: Any) -> None:
        # It must not go away, nor its place be taken by another.
        self._target = function
        self.original = _twin(function)
        self._fields = _fields_of(function)
        self._before = bytes(self._fields)
        self._function: Callable[..., Any] = self.original
        self._thread = 0
        self._during = self._prepared()

    def replace(self, function: Callable[..., Any], thread: int) -> None:
        """Have the thread call this function instead; other threads go on calling the original."""
        self._function, self._thread = function, thread
        self._fields[:] = self._during

    def put_back(self) -> None:
        """Have the function be as it was."""
        self._fields[:] = self._before
        self._function, self._thread = self.original, 0

    def _prepared(self) -> bytes:
        target, weak, called, was = self, 3, 4, _FIELDS.unpack(self._before)
        ident, whole = get_ident, self.original

        def dispatched(*args: Any, **kwargs: Any) -> Any:
            if ident() == target._thread:
                return target._function(*args, **kwargs)
            return whole(*args, **kwargs)

        before = _Definition.from_address(was[0])
        self._definition = _Definition(before.name, _CALL, _FASTCALL_KEYWORDS, before.doc)
        self._dispatched = dispatched
        # The function's object counts among what refers to it; the site is kept for ever.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(dispatched))
        return _FIELDS.pack(
            ctypes.addressof(self._definition),
            id(dispatched),
            was[2],
            was[weak],
            _FIELDS.unpack(_fields_of(print))[called],
        )


_sites: dict[int, Site] = {}


def site_of(function: Any) -> Site:
    """Return the site of a function that ``reaches`` is True for, always the same one."""
    site = _sites.get(id(function))
    if site is None:
        site = _sites[id(function)] = Site(function)
    return site


def original(function: F) -> F:
    """Return a function that does what this one does, whatever is put in its place meanwhile."""
    if not reaches(function):
        return function
    found = _sites.get(id(function))
    return _twin(function) if found is None else found.original  # type: ignore[no-any-return]


def _twin(function: Any) -> Any:
    definition, called_on, module, _, _ = _FIELDS.unpack(_fields_of(function))
    return _make(definition, called_on or None, module or None)


class ClassMethodSite:
    """A class method of C, bound before or not: ``now = datetime.now``.

    ``replace`` takes a function of the class and the arguments. What that raises cannot be handed
    on through C: ``failed`` is told, and the caller gets what a call without arguments gives.
    """

    def __init__(self, owner: type, name: str) -> None:
        descriptor = owner.__dict__[name]
        at = id(descriptor) + object.__basicsize__ + _DESCRIPTOR_DEFINITION * 8
        self._definition = _Definition.from_address(ctypes.c_void_p.from_address(at).value or 0)
        self._before = self._definition.function
        takes = ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p
        self._original = ctypes.PYFUNCTYPE(ctypes.py_object, *takes)(self._before or 0)
        self._function: Callable[..., Any] | None = None
        self._failed: Callable[[Exception], object] = bool
        self._thread = 0
        self._callback = ctypes.PYFUNCTYPE(ctypes.py_object, *takes)(self._called)

    def replace(
        self,
        function: Callable[..., Any],
        thread: int,
        *,
        failed: Callable[[Exception], object],
    ) -> None:
        """Have the thread call this function instead; other threads go on calling the original."""
        self._function, self._thread, self._failed = function, thread, failed
        self._definition.function = ctypes.cast(self._callback, ctypes.c_void_p).value

    def put_back(self) -> None:
        """Have the method be as it was."""
        self._definition.function = self._before
        self._function = None

    def _called(self, owner: Any, args: int | None, count: int, names: int | None) -> Any:
        # A method without arguments is given no count: only the pointers before it mean something.
        if self._function is None or get_ident() != self._thread:
            return self._original(owner, args, count, names)
        if not args:
            return self._function(owner)
        given = ctypes.cast(args, ctypes.POINTER(ctypes.py_object))
        keywords: tuple[str, ...] = ctypes.cast(names, ctypes.py_object).value if names else ()
        positional = [given[at] for at in range(count)]
        named = {name: given[count + at] for at, name in enumerate(keywords)}
        try:
            return self._function(owner, *positional, **named)
        except Exception as error:  # noqa: BLE001 - C has no way to hand it on
            self._failed(error)
            return self._function(owner)


class HashSite:
    """The hash of a class of C, made to be that of a Python function, which must not fail.

    Those that hashed before must be given the same number by it.
    """

    def __init__(self, owner: type, function: Callable[[Any], int]) -> None:
        self._slot = ctypes.c_void_p.from_address(id(owner) + _TP_HASH)
        self._before = self._slot.value
        self._callback = ctypes.PYFUNCTYPE(ctypes.c_ssize_t, ctypes.py_object)(function)
        self._during = ctypes.cast(self._callback, ctypes.c_void_p).value

    def replace(self) -> None:
        """Hash by the function."""
        self._slot.value = self._during

    def put_back(self) -> None:
        """Hash as before."""
        self._slot.value = self._before


if KNOWN:
    _CALL = ctypes.cast(ctypes.pythonapi.PyObject_Vectorcall, ctypes.c_void_p).value
    _make = ctypes.PYFUNCTYPE(ctypes.py_object, *[ctypes.c_void_p] * 3)(
        ("PyCFunction_NewEx", ctypes.pythonapi)
    )
# Whatever a run has put in the place of that: the harness must know its threads.
get_ident = original(threading.get_ident)
