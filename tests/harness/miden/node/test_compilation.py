"""The claims about compiling the node with cargo, with a small program in cargo's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import CouldNotRun
from harness.miden.node.compilation import compile_on_host

if TYPE_CHECKING:
    from pathlib import Path

# Does what "cargo install NAME --version =V --locked --root ROOT" does, in a moment.
CARGO = """#!/bin/sh
echo "$@" >> "$CALLS"
/bin/mkdir -p "$7/bin"
echo program > "$7/bin/$2"
"""


def _cargo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> Path:
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "cargo").write_text(script)
    (folder / "cargo").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def test_both_programs_are_compiled_at_the_pinned_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = _cargo(monkeypatch, tmp_path, CARGO)
    binaries = compile_on_host(print, version="0.15.2", root=tmp_path / "root")
    assert sorted(path.name for path in binaries.iterdir()) == ["miden-node", "miden-validator"]
    root = tmp_path / "root"
    assert calls.read_text().splitlines() == [
        f"install {name} --version =0.15.2 --locked --root {root}"
        for name in ("miden-validator", "miden-node")
    ]


def test_what_was_compiled_is_not_compiled_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = _cargo(monkeypatch, tmp_path, CARGO)
    for _ in range(2):
        compile_on_host(print, version="0.15.2", root=tmp_path / "root")
    assert len(calls.read_text().splitlines()) == 2


def test_missing_cargo_gives_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CouldNotRun, match=r"cargo is not installed here.*HARNESS_NODE_IMAGE"):
        compile_on_host(print, version="0.15.2", root=tmp_path / "root")


def test_failed_compilation_tells_what_cargo_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _cargo(monkeypatch, tmp_path, "#!/bin/sh\necho 'error: linker cc not found' >&2\nexit 101\n")
    with pytest.raises(CouldNotRun, match=r"(?s)miden-validator 0.15.2.*packages.*linker cc not"):
        compile_on_host(print, version="0.15.2", root=tmp_path / "root")


def test_full_disk_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _cargo(monkeypatch, tmp_path, "#!/bin/sh\necho 'No space left on device' >&2\nexit 101\n")
    with pytest.raises(CouldNotRun, match=r"the disk is full"):
        compile_on_host(print, version="0.15.2", root=tmp_path / "root")


def test_folder_that_cannot_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _cargo(monkeypatch, tmp_path, CARGO)
    (tmp_path / "file").write_text("")
    with pytest.raises(CouldNotRun, match=r"miden-validator: cannot be compiled into .*file"):
        compile_on_host(print, version="0.15.2", root=tmp_path / "file" / "root")
