"""The claims about the folder of ready-made binaries."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import pytest

from harness.errors import CouldNotRun
from harness.miden.node.binaries import NodeBinaries

if TYPE_CHECKING:
    from pathlib import Path

X86_64 = b"\x7fELF\x02\x01\x01" + bytes(11) + (62).to_bytes(2, "little") + bytes(64)
ARM64 = b"\x7fELF\x02\x01\x01" + bytes(11) + (183).to_bytes(2, "little") + bytes(64)


def _folder(tmp_path: Path, *, node: bytes = X86_64, packed: bool = False) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, content in (("miden-node", node), ("miden-validator", X86_64)):
        if packed:
            (folder / f"{name}.xz").write_bytes(lzma.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def _unpack(folder: Path, *, architecture: str = "x86_64") -> Path:
    target = folder.parent / "unpacked"
    target.mkdir()
    NodeBinaries.find(folder).unpack_to(target, architecture=architecture)
    return target


@pytest.mark.parametrize("packed", [False, True])
def test_binaries_are_unpacked_and_executable(tmp_path: Path, packed: bool) -> None:
    target = _unpack(_folder(tmp_path, packed=packed))
    for name in ("miden-node", "miden-validator"):
        assert (target / name).read_bytes() == X86_64
        assert (target / name).stat().st_mode & 0o777 == 0o755


def test_plain_binary_is_taken_before_a_packed_one(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "miden-node.xz").write_bytes(b"stale")
    assert NodeBinaries.find(folder).files[0].name == "miden-node"


def test_missing_folder_is_named_with_the_other_words(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match=r"nowhere: no such folder.*official, source"):
        NodeBinaries.find(tmp_path / "nowhere")


def test_every_missing_binary_is_named(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match=r"miden-node and miden-validator missing.*NAME.xz"):
        NodeBinaries.find(tmp_path)


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path, packed=True)
    packed = folder / "miden-validator.xz"
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(CouldNotRun, match=r"miden-validator.xz: damaged"):
        _unpack(folder)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n" + bytes(30), b"\xcf\xfa\xed\xfe" * 8])
def test_what_is_no_linux_program_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CouldNotRun, match=r"miden-node: not a Linux program.*cargo install"):
        _unpack(_folder(tmp_path, node=content))


def test_binary_for_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CouldNotRun, match=r"miden-node: made for aarch64, but Docker runs x86_64"):
        _unpack(_folder(tmp_path, node=ARM64))


def test_architecture_is_the_one_of_docker_not_of_this_machine(tmp_path: Path) -> None:
    with pytest.raises(
        CouldNotRun, match=r"miden-validator: made for x86_64, but Docker runs aarch64"
    ):
        _unpack(_folder(tmp_path, node=ARM64), architecture="aarch64")


def test_full_disk_is_named(tmp_path: Path) -> None:
    # /dev/full stands in for a target without room: every write to it says so.
    folder, target = _folder(tmp_path), tmp_path / "full"
    target.mkdir()
    (target / "miden-node").symlink_to("/dev/full")
    with pytest.raises(CouldNotRun, match=r"No space left on device; free some space there"):
        NodeBinaries.find(folder).unpack_to(target, architecture="x86_64")
