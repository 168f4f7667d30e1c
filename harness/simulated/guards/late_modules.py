"""Modules of C that are guarded when they are loaded, be it in the middle of a run."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from harness.processes.prepared_patches import PreparedPatches

    Guard = Callable[[ModuleType], object]

__all__ = ["guard_modules"]


def guard_modules(patches: PreparedPatches, guards: dict[str, Guard]) -> None:
    """Guard each of these modules: now if it is loaded, else once it has been."""
    late = dict(guards)
    finder = _Finder(late)

    def begin() -> None:
        for name in [name for name in late if name in sys.modules]:
            late.pop(name)(sys.modules[name])
        if late:
            sys.meta_path.insert(0, finder)

    def end() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    patches.add(begin, end)


class _Finder:
    """Finds a module as the other finders do, with a loader that guards it then."""

    def __init__(self, guards: dict[str, Guard]) -> None:
        self._guards = guards

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's place if it is one that is waited for."""
        del path, target
        guard = self._guards.pop(name, None)
        if guard is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, guard)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads a module by its own loader, and guards it."""

    def __init__(self, loader: Any, guard: Guard) -> None:
        self._loader, self._guard = loader, guard

    def create_module(self, spec: ModuleSpec) -> Any:
        """Create it as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Fill it, and guard what it has."""
        self._loader.exec_module(module)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._guard(module)
