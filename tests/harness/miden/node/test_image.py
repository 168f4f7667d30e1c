"""The claims about choosing the node's image, as far as they need no Docker."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.errors import CouldNotRun
from harness.live.image_build import explain_build_failure, make_base_image
from harness.miden.node.image import (
    NODE_VERSION,
    ImageChoice,
    ImageWay,
    build_folder,
    ensure_node_image,
    image_tag,
    read_image_choice,
)

OFFICIAL = ImageChoice(way=ImageWay.OFFICIAL)
SOURCE = ImageChoice(way=ImageWay.SOURCE)
DOCKERFILES = ("official.Dockerfile", "source.Dockerfile", "prebuilt.Dockerfile")
SHARED_TAIL = "# Everything from here on is the same in all three Dockerfiles"


def _binaries(folder: Path) -> Path:
    folder.mkdir()
    for name in ("miden-node", "miden-validator"):
        (folder / name).write_bytes(b"\x7fELF" + bytes(40))
    return folder


def _no_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


@pytest.mark.parametrize(
    ("environment", "choice"),
    [
        ({}, OFFICIAL),
        ({"HARNESS_NODE_IMAGE": ""}, OFFICIAL),
        ({"HARNESS_NODE_IMAGE": "official"}, OFFICIAL),
        ({"HARNESS_NODE_IMAGE": " source "}, SOURCE),
        (
            {"HARNESS_NODE_IMAGE": "/opt/node"},
            ImageChoice(way=ImageWay.PREBUILT, folder=Path("/opt/node")),
        ),
    ],
)
def test_one_setting_chooses_the_way(environment: dict[str, str], choice: ImageChoice) -> None:
    assert read_image_choice(environment) == choice


def test_relative_folder_counts_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_image_choice({"HARNESS_NODE_IMAGE": "bin"}).folder == tmp_path / "bin"


@pytest.mark.parametrize("choice", [OFFICIAL, SOURCE])
def test_tag_says_version_and_way(choice: ImageChoice) -> None:
    tag = image_tag(choice, folder=build_folder())
    assert re.fullmatch(rf"mosaic-harness-node:{NODE_VERSION}-{choice.way}-[0-9a-f]{{12}}", tag)


@pytest.mark.parametrize("name", ["official.Dockerfile", "entrypoint.sh", "healthcheck.sh"])
def test_tag_changes_with_every_input(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(build_folder(), tmp_path / "miden_node")
    before = image_tag(OFFICIAL, folder=folder)
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert image_tag(OFFICIAL, folder=folder) != before


def test_tag_changes_with_the_binaries(tmp_path: Path) -> None:
    binaries = _binaries(tmp_path / "bin")
    choice = ImageChoice(way=ImageWay.PREBUILT, folder=binaries)
    before = image_tag(choice, folder=build_folder())
    (binaries / "miden-validator").write_bytes(b"\x7fELF" + bytes(41))
    assert image_tag(choice, folder=build_folder()) != before


def test_missing_folder_is_told_before_docker_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _no_docker(monkeypatch, tmp_path)
    with pytest.raises(
        CouldNotRun, match=r"HARNESS_NODE_IMAGE=.*offical: no such folder.*official"
    ):
        ensure_node_image(print, environment={"HARNESS_NODE_IMAGE": "offical"})


def test_docker_that_does_not_answer_gives_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _no_docker(monkeypatch, tmp_path)
    with pytest.raises(
        CouldNotRun, match=r"(?s)does not answer: install it.*HARNESS_NODE_ENDPOINT"
    ):
        ensure_node_image(print, environment={})


def test_three_dockerfiles_end_alike() -> None:
    tails = {
        (build_folder() / name).read_text("utf-8").partition(SHARED_TAIL)[2] for name in DOCKERFILES
    }
    assert len(tails) == 1
    assert "ca-certificates" in tails.pop()


@pytest.mark.parametrize("name", [*DOCKERFILES, "entrypoint.sh"])
def test_every_file_pins_the_same_version(name: str) -> None:
    text = (build_folder() / name).read_text("utf-8")
    versions = set(re.findall(r"\b0\.[1-9]\d*\.\d+\b", text))
    assert versions == {NODE_VERSION}


def test_every_base_image_is_pinned() -> None:
    texts = [(build_folder() / name).read_text("utf-8") for name in DOCKERFILES]
    images = [
        image
        for text in texts
        for image in re.findall(r"^(?:FROM |ARG BASE_IMAGE=)([^\s$]+)", text, re.MULTILINE)
    ]
    assert len(images) == 6
    assert all(re.search(r":[\w.-]*\d", image) for image in images)


def test_the_node_does_not_run_as_root() -> None:
    text = (build_folder() / "prebuilt.Dockerfile").read_text("utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001"]


@pytest.mark.parametrize(
    ("error", "last", "advice"),
    [
        ("write /x: no space left on device", [], "the disk is full"),
        (
            "returned a non-zero code: 1",
            ["UNUSABLE miden-node says 'miden-node 0.14.0', wanted 'miden-node 0.15.2'"],
            "wrong binary: miden-node says 'miden-node 0.14.0'",
        ),
        ("The command '/bin/sh -c apt-get update' returned 100", [], "reach Debian's mirror"),
        ("The command '/bin/sh -c cargo install x' returned 101", [], "could not be compiled"),
        ("something else", ["line"], "could not build the image"),
    ],
)
def test_failed_build_is_explained(error: str, last: list[str], advice: str) -> None:
    failure = str(explain_build_failure(error, last, tag="node:1"))
    assert advice in failure
    assert failure.startswith("building node:1: ")
    assert all(f"  | {line}" in failure for line in last)


def test_failed_base_image_tells_what_its_script_said(tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text("echo working on $1\necho 'debootstrap is not installed' >&2\nexit 1\n")
    lines: list[str] = []
    with pytest.raises(CouldNotRun, match=r"(?s)make.sh could not.*debootstrap is not installed"):
        make_base_image(script, tag="base:1", progress=lines.append)
    assert lines == ["working on base:1", "debootstrap is not installed"]


def test_base_image_script_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    script = build_folder().parent / "make_base_image.sh"
    with pytest.raises(CouldNotRun, match=r"docker is not installed: install Docker"):
        make_base_image(script, tag="base:1", progress=print)
