"""The folder of prebuilt node binaries: finding, unpacking and checking them."""

from __future__ import annotations

import errno
import hashlib
import lzma
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BINARY_NAMES", "NodeBinaries"]

BINARY_NAMES = ("miden-node", "miden-validator")

# ELF's e_machine (gabi, "Machine Architecture"), by Docker's name of an architecture.
_ELF_MACHINES = {"x86_64": 62, "amd64": 62, "aarch64": 183, "arm64": 183}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBinaries:
    """The two binaries of a node, each plain or packed with xz."""

    files: tuple[Path, ...]

    @classmethod
    def find(cls, folder: Path) -> NodeBinaries:
        """Find the binaries in a folder; a plain file is preferred to a packed one.

        Raises:
            CouldNotRun: The folder or one of the binaries is missing.
        """
        if not folder.is_dir():
            raise CouldNotRun(
                f"HARNESS_NODE_IMAGE={folder}: no such folder; give the path of a folder "
                f"that holds {' and '.join(BINARY_NAMES)}, or one of the words official, source"
            )
        files, missing = [], []
        for name in BINARY_NAMES:
            found = [path for path in (folder / name, folder / f"{name}.xz") if path.is_file()]
            files.extend(found[:1])
            if not found:
                missing.append(name)
        if missing:
            raise CouldNotRun(
                f"{folder}: {' and '.join(missing)} missing; each may also be packed, as NAME.xz"
            )
        return cls(files=tuple(files))

    def digest(self) -> bytes:
        """Hash names and contents of the files as they are."""
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(path.name.encode() + b"\0")
            try:
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise CouldNotRun(f"{path}: cannot be read: {error.strerror}") from error
        return digest.digest()

    def unpack_to(self, target: Path, *, architecture: str) -> None:
        """Copy the binaries, unpacked and executable, into ``target``.

        ``architecture`` is Docker's word for the machine that will run them, such as ``x86_64``.

        Raises:
            CouldNotRun: A file is damaged, is no Linux program, or is one for another machine.
        """
        for name, path in zip(BINARY_NAMES, self.files, strict=True):
            unpacked = target / name
            try:
                opener = lzma.open if path.suffix == ".xz" else open
                with opener(path, "rb") as packed, unpacked.open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1 << 20)
            except (lzma.LZMAError, EOFError) as error:
                raise CouldNotRun(f"{path}: damaged: {error}; fetch or build it again") from error
            except OSError as error:
                full = "; free some space there" if error.errno == errno.ENOSPC else ""
                raise CouldNotRun(
                    f"{path}: cannot be unpacked to {target}: {error}{full}"
                ) from error
            unpacked.chmod(0o755)
            with unpacked.open("rb") as file:
                _check_header(file.read(20), path=path, architecture=architecture)


def _check_header(header: bytes, *, path: Path, architecture: str) -> None:
    """Refuse what Linux on this architecture would not load."""
    if header[:4] != b"\x7fELF" or len(header) < 20:
        raise CouldNotRun(
            f"{path}: not a Linux program (it begins with {header[:4]!r}, wanted an ELF file); "
            "build it with: cargo install --locked --version =0.15.2 miden-node miden-validator"
        )
    machine = int.from_bytes(header[18:20], "little" if header[5] == 1 else "big")
    wanted = _ELF_MACHINES.get(architecture)
    if wanted is not None and machine != wanted:
        names = {number: name for name, number in reversed(_ELF_MACHINES.items())}
        raise CouldNotRun(
            f"{path}: made for {names.get(machine, f'machine {machine}')}, but Docker runs "
            f"{architecture}; take binaries for {architecture}"
        )
