"""The reading of a TOML file that somebody wrote by hand: its tables, or the reason why not."""

from __future__ import annotations

import difflib
import stat
import tomllib
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["near", "read_toml", "reason"]

BYTES_MAX = 1_000_000
DEPTH_MAX = 30
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_toml(path: Path, *, noun: str, holds: str, shorter: str) -> dict[str, Any]:
    """Read a file; ``noun`` says what it should be, ``holds`` which keys such a file has.

    ``shorter`` is what to do with one that is too large.

    Raises:
        BadInput: It cannot be read, is no TOML, or is empty.
    """
    raw = _bytes(path, noun, shorter)
    if raw.startswith(BYTE_ORDER_MARK):
        raise BadInput(f"{path}: begins with a byte order mark; save it as UTF-8 without one")
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path}: must be UTF-8 text, line {line} is not; save it as UTF-8"
        ) from error
    except RecursionError as error:
        raise BadInput(_too_deep(path)) from error
    except ValueError as error:
        # TOMLDecodeError for most mistakes, a plain ValueError for a number of thousands of digits.
        raise BadInput(f"{path}: is not TOML: {_toml_reason(error)}") from error
    if not data:
        raise BadInput(f"{path}: is empty; a {noun} has {holds}")
    if _is_deep(data):
        raise BadInput(_too_deep(path))
    return data


def _too_deep(path: Path) -> str:
    return f"{path}: is nested deeper than {DEPTH_MAX} tables or lists; write it flatter"


def _bytes(path: Path, noun: str, shorter: str) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise BadInput(f"{path}: is a folder; name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise BadInput(f"{path}: is no regular file; name a {noun} file (*.toml)")
        if found.st_size > BYTES_MAX:
            raise BadInput(
                f"{path}: must be at most {BYTES_MAX:_} bytes, has {found.st_size:_}; {shorter}"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file or folder{near(path)}") from error
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Say why something cannot be read, as the system says it."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _toml_reason(error: ValueError) -> str:
    text = str(error)
    if "integer string conversion" in text:
        return "a number has thousands of digits; no key takes one"
    return text[:1].lower() + text[1:]


def _is_deep(data: dict[str, Any]) -> bool:
    """Return True beyond ``DEPTH_MAX`` levels, to which dotted keys nest without any recursion."""
    level: list[Any] = [data]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def near(path: Path) -> str:
    """Suggest the most similar name in the same folder; say of a link that it leads nowhere."""
    if path.is_symlink():
        return f": it is a link to {path.readlink()}, which is not there"
    try:
        names = sorted(one.name for one in path.parent.iterdir())
    except OSError:
        return f"; there is no folder {path.parent} either"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""
