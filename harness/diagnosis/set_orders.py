"""Places of a program that take things in the order of a set, which no seed decides."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["set_orders"]

PLACES_MAX = 3
_KINDS = frozenset({"set", "frozenset", "WeakSet", "Set", "FrozenSet", "MutableSet", "AbstractSet"})
_SET_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})
# What keeps the order of what it is given.
_IN_ORDER = frozenset({"enumerate", "filter", "gather", "iter", "list", "map", "tuple", "zip"})
_BY_ADDRESS = frozenset({"hash", "id"})


def set_orders(module: str) -> list[str]:
    """List lines of a loaded module, and of those beside it, where a set's order may decide.

    They are guessed from the text: what is gone through, or taken from, is called a set there. So
    are calls of ``hash`` and ``id``. The others are looked at if the module itself has none.
    """
    found: list[str] = []
    files = _files(module)
    for path in files:
        if found and path in files[1:2]:
            break
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (OSError, SyntaxError, ValueError):
            continue
        lines = text.splitlines()
        places = sorted(set(_Orders(tree).places()))
        found += [f"{path.name}:{line} {lines[line - 1].strip()}" for line in places]
    return found[:PLACES_MAX]


def _files(module: str) -> list[Path]:
    first = getattr(sys.modules.get(module), "__file__", None)
    if first is None:
        return []
    folder = Path(first).parent
    others = {
        Path(file)
        for one in list(sys.modules.values())
        if isinstance(file := getattr(one, "__file__", None), str)
        and file.endswith(".py")
        and Path(file).is_relative_to(folder)
        and "site-packages" not in Path(file).relative_to(folder).parts
    }
    return [Path(first), *sorted(others - {Path(first)})]


class _Orders:
    """The places in one module, with the names that stand for sets in it."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and self._is_set(node.value):
                self._names.update(_name(target) for target in node.targets)
            elif isinstance(node, ast.AnnAssign) and _is_set_type(node.annotation):
                self._names.add(_name(node.target))
            elif isinstance(node, ast.arg) and node.annotation and _is_set_type(node.annotation):
                self._names.add(node.arg)
        self._names.discard("")

    def places(self) -> Iterator[int]:
        """List the lines where a set's order, or an address, is asked for."""
        hashes: list[ast.AST] = [
            part
            for node in ast.walk(self._tree)
            if isinstance(node, ast.FunctionDef) and node.name == "__hash__"
            for part in ast.walk(node)
        ]
        nodes: Iterator[Any] = ast.walk(self._tree)
        for node in nodes:
            if node in hashes:
                continue
            through = getattr(node, "iter", None)
            if through is not None and self._is_set(through):
                yield through.lineno
            elif self._asks(node):
                yield node.lineno
            elif isinstance(node, ast.keyword) and node.arg == "key" and _name(node.value) == "id":
                yield node.value.lineno

    def _asks(self, node: Any) -> bool:
        if isinstance(node, ast.Starred):
            return self._is_set(node.value)
        if not isinstance(node, ast.Call):
            return False
        name = _name(node.func)
        if name in _BY_ADDRESS and isinstance(node.func, ast.Name):
            return True
        if name == "pop" and isinstance(node.func, ast.Attribute):
            return not node.args and self._is_set(node.func.value)
        return name in _IN_ORDER and any(self._is_set(one) for one in node.args)

    def _is_set(self, node: Any) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in _SET_METHODS and isinstance(node.func, ast.Attribute):
                return self._is_set(node.func.value)
            return name in _KINDS or (
                name in _IN_ORDER and bool(node.args) and self._is_set(node.args[-1])
            )
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor
        ):
            return self._is_set(node.left) or self._is_set(node.right)
        return isinstance(node, ast.Name | ast.Attribute) and _name(node) in self._names


def _name(node: Any) -> str:
    """Return the last part of a dotted name, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _is_set_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        node = node.value
    return _name(node) in _KINDS
