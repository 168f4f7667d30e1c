"""The random generators that modules keep for themselves: each run seeds them anew."""

from __future__ import annotations

import _random
import random
import sys
from contextlib import suppress
from types import BuiltinFunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["ModuleGenerators"]

_SEED, _STATE, _SET_STATE = (
    _random.Random.seed,
    _random.Random.getstate,
    _random.Random.setstate,
)
# What all other methods of a generator draw by, and what gives it another state.
_FIRST = ("random", "getrandbits", "seed", "getstate", "setstate")
# Their generators are not a program's own, or are guarded already.
_OTHERS = frozenset({
    "_pytest", "_random", "coverage", "harness", "hypothesis", "pytest", "random", "secrets",
    "tempfile", "xdist",
})  # fmt: skip

# Where they are by name, for the modules that were looked at. A module is looked at once.
_found: dict[str, random.Random] = {}
_looked: set[str] = set()
_looked_at = 0


class ModuleGenerators:
    """Seeds such a generator when a run first draws from it, and gives it back as it was.

    One that was made before the run has drawn its seed from the machine, and goes on where the
    last run left it. It is found in the variables of a module and of its classes; one whose
    method was imported by name is seeded when the run begins.
    """

    def __init__(self, key: Callable[[str], int]) -> None:
        self._key = key
        self._waiting: dict[str, random.Random] = {}
        self._before: dict[str, tuple[random.Random, Any, Any]] = {}

    def guard(self, patches: PreparedPatches) -> None:
        """Have them be given back when the patches are closed."""
        patches.add(bool, self._put_back)

    def begin_anew(self) -> None:
        """Have the run that begins seed them once more."""
        if len(sys.modules) != _looked_at:
            _look()
        if not _found:
            return
        for name, generator in _found.items():
            if name not in self._waiting:
                self._waiting[name] = generator
                if not _hooked(generator, self._hooks(name)):
                    self._begin(name)

    def _hooks(self, name: str) -> dict[str, Callable[..., Any]]:
        return {method: self._first(name, method) for method in _FIRST}

    def _first(self, name: str, method: str) -> Callable[..., Any]:
        def first(*args: Any, **kwargs: Any) -> Any:
            self._begin(name)
            return getattr(_found[name], method)(*args, **kwargs)

        return first

    def _begin(self, name: str) -> None:
        generator = self._waiting.pop(name)
        _unhook(generator)
        if name not in self._before:
            gauss = getattr(generator, "gauss_next", None)
            self._before[name] = generator, _STATE(generator), gauss
        _SEED(generator, self._key(f"random.Random() of {name}"))
        _set_gauss(generator, None)

    def _put_back(self) -> None:
        for generator in self._waiting.values():
            _unhook(generator)
        self._waiting.clear()
        for generator, state, gauss in self._before.values():
            _SET_STATE(generator, state)
            _set_gauss(generator, gauss)
        self._before.clear()


def _hooked(generator: Any, hooks: dict[str, Callable[..., Any]]) -> bool:
    """Put methods before a generator's own; False if it has no place for them, or is bypassed."""
    variables = getattr(generator, "__dict__", None)
    if variables is None or id(generator) in _bypassed:
        return False
    variables.update(hooks)
    return True


def _unhook(generator: Any) -> None:
    variables = getattr(generator, "__dict__", None)
    if variables is not None:
        for method in _FIRST:
            variables.pop(method, None)


def _set_gauss(generator: Any, value: Any) -> None:
    with suppress(AttributeError):
        generator.gauss_next = value


# Generators of which a module holds a method of C.
_bypassed: set[int] = set()


def _look() -> None:
    """Look at the modules that were loaded since the last time."""
    global _looked_at  # noqa: PLW0603 - so are the modules the process's
    _looked_at = len(sys.modules)
    for name, module in list(sys.modules.items()):
        if name in _looked:
            continue
        _looked.add(name)
        if name.partition(".")[0] in _OTHERS:
            continue
        for path, value in _variables(name, module):
            held = value
            if type(value) in {BuiltinFunctionType, MethodType}:
                held = value.__self__
            # By the class: what stands for something else may not like to be asked.
            if issubclass(type(held), _random.Random) and _is_own(held):
                _found[path] = held
                if type(value) is BuiltinFunctionType:
                    _bypassed.add(id(held))


def _is_own(generator: Any) -> bool:
    return (
        generator is not random._inst
        and not isinstance(generator, random.SystemRandom)
        and not any(generator is one for one in _found.values())
    )


def _variables(name: str, module: Any) -> Iterator[tuple[str, Any]]:
    variables = getattr(module, "__dict__", None)
    for key, value in list((variables or {}).items()):
        yield f"{name}.{key}", value
        if isinstance(value, type) and value.__module__ == name:
            for inner, attribute in list(vars(value).items()):
                yield f"{name}.{key}.{inner}", attribute
