"""The import of a user's modules: where they are looked for, and what is said if that fails."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import sysconfig
import traceback
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput, Terminated
from harness.processes import patches
from harness.scenario.words import listed, resembling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

__all__ = ["file_of", "import_module", "importing_from_here", "needing_serve"]


# The folder that a service has gone to as it was loaded, which is its own affair.
_gone_to: list[str] = []


@contextmanager
def importing_from_here(*, loads: bool = False) -> Iterator[None]:
    """Look for modules in the current folder too, and there first, as "python -m" does.

    For as long as a service is loaded or runs: it may import what stands beside it at any moment.
    Around that, sys.path belongs to whoever started this process, such as pytest. So does the
    current folder, which all paths of the command line go by; a service that changes it as it is
    loaded (``loads``) finds itself there again when it runs.
    """
    here = str(Path.cwd())
    if _gone_to and not loads:
        os.chdir(_gone_to[-1])
    try:
        with _first_on_path(here):
            yield
    finally:
        now = _current()
        if now != here:
            if loads and now is not None:
                _gone_to[:] = [now]
            os.chdir(here)


def _current() -> str | None:
    """Return the current folder; None if it is gone."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


@contextmanager
def _first_on_path(here: str) -> Iterator[None]:
    if sys.path[:1] == [here]:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        # The service may have changed the path itself.
        with suppress(ValueError):
            sys.path.remove(here)


def import_module(name: str) -> ModuleType:
    """Import a module by its whole name.

    Raises:
        BadInput: It is not found, it imports what is not found, it raises, or it would end this
            process; or this process has loaded another module of that name, from another folder.
    """
    try:
        with patches.kept_alive():
            found = importlib.import_module(name)
    except (KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:
        raise BadInput(_why(name, error)) from error
    _refuse_another(name.partition(".")[0], found)
    return found


def _refuse_another(name: str, found: ModuleType) -> None:
    """Refuse a module of the package ``name`` if here it would be another, with another text."""
    if name == __name__.partition(".")[0]:
        # The harness is the one that runs, even in a checkout of it or beside another of its name.
        return
    spec = PathFinder.find_spec(name)
    loaded = sys.modules[name]
    if spec is None or spec.origin is None or getattr(loaded, "__file__", None) is None:
        return
    here, there = Path(spec.origin).resolve().parent, Path(file_of(loaded)).resolve().parent
    if here == there:
        return
    with suppress(OSError, ValueError):
        file = Path(file_of(found)).resolve()
        if file.read_bytes() == (here / file.relative_to(there)).read_bytes():
            return
    raise BadInput(
        f"the module {name} is in {here} here, but this process has loaded another one of that name"
        f" from {there}; rename one of them, or run each in a process of its own"
    )


@contextmanager
def needing_serve(who: str, *, otherwise: str) -> Iterator[None]:
    """Say in one line, of what is imported inside, that it needs mosaic-serve.

    Args:
        who: What needs it.
        otherwise: What to do, if not to install it.

    Raises:
        BadInput: mosaic-serve is not installed, or something else of that name hides it.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "serve":
            raise
        found = find_spec("serve")
        why = (
            'which is not installed: pip install mosaic-serve, or "./serve" in a checkout'
            if found is None
            else f"whose package serve is hidden by {found.origin}: rename that one"
        )
        raise BadInput(f"{who} needs mosaic-serve, {why}; or {otherwise}") from error


def file_of(module: ModuleType) -> str:
    """Say in which file a module stands."""
    return str(getattr(module, "__file__", None) or "built into Python")


def _why(name: str, error: BaseException) -> str:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and f"{name}.".startswith(f"{missing}."):
        return _not_found(missing)
    place = _place(error)
    if missing is not None:
        looked = _looked_in(sys.path)
        return f"{name} imports {missing}{place}, which cannot be found; {looked}; install it"
    said = " ".join(str(error).split())
    return f"importing {name} failed{place}: {type(error).__name__}: {said}"


def _not_found(missing: str) -> str:
    above, _, last = missing.rpartition(".")
    package = sys.modules.get(above)
    if package is None:
        known = [one.name for one in pkgutil.iter_modules([str(Path.cwd())])]
        close = resembling(last, known)
        fix = (
            f"did you mean {close}?"
            if close
            else "call this in the folder that holds it, or name that folder in PYTHONPATH"
        )
        return f"there is no module {missing}; {_looked_in(sys.path)}; {fix}"
    folders = getattr(package, "__path__", None)
    if folders is None:
        return f"there is no module {missing}: {above} is no package but {file_of(package)}"
    close = resembling(last, [one.name for one in pkgutil.iter_modules(folders)])
    hint = f"; did you mean {above}.{close}?" if close else ""
    return f"there is no module {missing}; {_looked_in(folders)}{hint}"


def _looked_in(folders: Iterable[str]) -> str:
    """List the folders that exist, but for those of Python's own library."""
    library = sysconfig.get_path("stdlib")
    own = (library, f"{library}/lib-dynload")
    places = dict.fromkeys(str(Path(one).absolute()) for one in folders)
    return f"looked in {listed(one for one in places if Path(one).exists() and one not in own)}"


def _place(error: BaseException) -> str:
    """Say at which line of which file an import failed, as far as that is known."""
    if isinstance(error, SyntaxError):
        # Its own message names the file and the line.
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in (__file__, importlib.__file__):
            break
        if not frame.filename.startswith(("<frozen importlib", patches.__file__)):
            return f" at {frame.filename}:{frame.lineno}"
    return ""
