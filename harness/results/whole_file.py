"""The writing of report files, wholly or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make_directory", "write_whole"]


def make_directory(directory: Path) -> None:
    """Make the directory and its parents, unless it is there.

    Raises:
        BadInput: It is a file, or cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refusal(
            directory, rule="must be a directory that can be made", error=error
        ) from error


def write_whole(texts: Mapping[Path, str | bytes]) -> None:
    """Write each text to its file, in UTF-8, or bytes as they are.

    All are written beside their places and only then renamed, so that a disk that fills up leaves
    every file as it was. A device or a pipe, such as /dev/stdout, is written to directly.

    Raises:
        BadInput: A file cannot be written; the message says which, and why.
    """
    parts = {path: _part(path) for path in texts}
    try:
        for path, text in texts.items():
            _write(parts[path], text, path=path)
        for path, part in parts.items():
            if part != path:
                _rename(part, path)
    finally:
        for path, part in parts.items():
            if part != path:
                with suppress(OSError):  # renamed already, or never made
                    part.unlink()


def _part(path: Path) -> Path:
    if path.exists() and not path.is_file() and not path.is_dir():
        return path
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _write(part: Path, text: str | bytes, *, path: Path) -> None:
    content = text.encode("utf-8", errors="backslashreplace") if isinstance(text, str) else text
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            if part != path:  # a pipe cannot be synchronised
                os.fsync(stream.fileno())
    except OSError as error:
        raise _refusal(path, rule="must be a file that can be written", error=error) from error


def _rename(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except OSError as error:
        raise _refusal(path, rule="must be a file that can be replaced", error=error) from error


def _refusal(path: Path, *, rule: str, error: OSError) -> BadInput:
    reason = error.strerror or type(error).__name__
    fix = "free some space, or name another place" if _is_full(error) else "name another place"
    return BadInput(f"{path}: {rule}, got: {reason}; {fix}")


def _is_full(error: OSError) -> bool:
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
