"""The node's image: its choice, and its making before a node is started."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import DockerException, ImageNotFound
from filelock import FileLock
from requests.exceptions import RequestException

from harness.errors import CouldNotRun, HarnessBug
from harness.live.docker_daemon import docker_failures_explained, open_docker
from harness.live.image_build import build_image, make_base_image
from harness.miden.node.binaries import NodeBinaries
from harness.miden.node.compilation import compile_on_host
from harness.miden.node.runtime_folder import runtime_folder
from harness.processes.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from docker import DockerClient

__all__ = [
    "IMAGE_VARIABLE",
    "NODE_VERSION",
    "ImageChoice",
    "ImageWay",
    "build_folder",
    "ensure_node_image",
    "image_tag",
    "read_image_choice",
]

NODE_VERSION = "0.15.2"
IMAGE_VARIABLE = "HARNESS_NODE_IMAGE"

_REPOSITORY = "mosaic-harness-node"
_LOCAL_BASE = "mosaic-harness-base:bookworm"
_OTHER_WAYS = (
    f"other ways to get a node:\n"
    f"  {IMAGE_VARIABLE}=/path/to/folder   takes miden-node and miden-validator from there\n"
    f"  {IMAGE_VARIABLE}=source            compiles them (75 minutes on two cores, once)\n"
    f"  HARNESS_NODE_ENDPOINT=http://HOST:PORT   uses a node that runs already"
)


class ImageWay(StrEnum):
    """Where the node's binaries come from."""

    OFFICIAL = "official"
    SOURCE = "source"
    PREBUILT = "prebuilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChoice:
    """The value of HARNESS_NODE_IMAGE; ``folder`` is set for prebuilt binaries only."""

    way: ImageWay
    folder: Path | None = None


def read_image_choice(environment: Mapping[str, str]) -> ImageChoice:
    """Read the setting: ``official`` (also when unset), ``source``, or the path of a folder."""
    value = environment.get(IMAGE_VARIABLE, "").strip()
    if value in {"", ImageWay.OFFICIAL}:
        return ImageChoice(way=ImageWay.OFFICIAL)
    if value == ImageWay.SOURCE:
        return ImageChoice(way=ImageWay.SOURCE)
    return ImageChoice(way=ImageWay.PREBUILT, folder=Path(value).expanduser().absolute())


def build_folder() -> Path:
    """Find ``containers/miden_node``: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parents[1]
    for containers in (here / "containers", here.parents[1] / "containers"):
        if (containers / "miden_node" / "entrypoint.sh").is_file():
            return containers / "miden_node"
    raise HarnessBug(f"{here}: the package was installed without its folder containers/")


def image_tag(choice: ImageChoice, *, folder: Path) -> str:
    """Name the image after all that goes into it, so that a change makes a new image.

    Raises:
        CouldNotRun: The folder of prebuilt binaries lacks one.
    """
    digest = hashlib.sha256()
    for name in (f"{choice.way}.Dockerfile", "entrypoint.sh", "healthcheck.sh"):
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    if choice.folder is not None:
        digest.update(NodeBinaries.find(choice.folder).digest())
    return f"{_REPOSITORY}:{NODE_VERSION}-{choice.way}-{digest.hexdigest()[:12]}"


def ensure_node_image(
    progress: Callable[[str], None], *, environment: Mapping[str, str] | None = None
) -> str:
    """Return the tag of the node's image, after building what is missing.

    ``progress`` is given a line at a time. ``environment`` replaces ``os.environ``.

    Raises:
        CouldNotRun: Docker, an image, a binary or disk space is missing; the message says what to
            do.
    """
    choice = read_image_choice(os.environ if environment is None else environment)
    folder = build_folder()
    tag = image_tag(choice, folder=folder)
    # A compiler inside a build may be silent for minutes.
    client = open_docker(timeout_s=3600)
    try:
        if _has_image(client, tag):
            return tag
        # No limit: another process may be compiling the node. The lock ends with its holder.
        with FileLock(runtime_folder() / "image.lock"):
            if not _has_image(client, tag):
                progress(f"building the node's image {tag}")
                _build(client, choice, folder=folder, tag=tag, progress=progress)
                progress(f"built {tag}")
        return tag
    finally:
        client.close()


def _build(
    client: DockerClient,
    choice: ImageChoice,
    *,
    folder: Path,
    tag: str,
    progress: Callable[[str], None],
) -> None:
    dockerfile = folder / f"{choice.way}.Dockerfile"
    if choice.folder is not None:
        _build_from(client, choice.folder, folder=folder, tag=tag, progress=progress)
        return
    for image in re.findall(r"^FROM (\S+)", dockerfile.read_text(encoding="utf-8"), re.MULTILINE):
        reason = _obtain(client, image, progress=progress)
        if reason is not None and choice.way is ImageWay.SOURCE:
            progress(f"{image} cannot be pulled: compiling on this machine instead")
            binaries = compile_on_host(progress, version=NODE_VERSION)
            _build_from(client, binaries, folder=folder, tag=tag, progress=progress)
            return
        if reason is not None:
            raise CouldNotRun(f"{image} cannot be pulled: {reason}\n{_OTHER_WAYS}")
    build_image(client, folder, dockerfile=dockerfile.name, tag=tag, progress=progress)


def _build_from(
    client: DockerClient,
    binaries: Path,
    *,
    folder: Path,
    tag: str,
    progress: Callable[[str], None],
) -> None:
    """Build an image from existing binaries: unpack them, find a base, build."""
    architecture = str(client.info()["Architecture"])
    with temporary_folder("image") as outer:
        unpacked = outer / "binaries"
        unpacked.mkdir()
        NodeBinaries.find(binaries).unpack_to(unpacked, architecture=architecture)
        build_image(
            client,
            folder,
            dockerfile="prebuilt.Dockerfile",
            tag=tag,
            progress=progress,
            further=unpacked,
            base_image=_base_image(client, folder=folder, progress=progress),
        )


def _base_image(client: DockerClient, *, folder: Path, progress: Callable[[str], None]) -> str:
    """Choose the base image: a local one if it was made, else Debian's, else make a local one."""
    if _has_image(client, _LOCAL_BASE):
        return _LOCAL_BASE
    text = (folder / "prebuilt.Dockerfile").read_text(encoding="utf-8")
    debian = re.search(r"^ARG BASE_IMAGE=(\S+)", text, re.MULTILINE)
    if debian is None:
        raise HarnessBug(f"{folder}/prebuilt.Dockerfile names no BASE_IMAGE")
    reason = _obtain(client, debian[1], progress=progress)
    if reason is None:
        return debian[1]
    progress(f"{debian[1]} cannot be pulled ({reason}): making a base image here")
    make_base_image(folder.parent / "make_base_image.sh", tag=_LOCAL_BASE, progress=progress)
    return _LOCAL_BASE


def _has_image(client: DockerClient, tag: str) -> bool:
    with docker_failures_explained("looking for an image"):
        try:
            client.images.get(tag)
        except ImageNotFound:
            return False
        return True


def _obtain(client: DockerClient, image: str, *, progress: Callable[[str], None]) -> str | None:
    """Pull an image unless it is local; return the reason if that is impossible."""
    if _has_image(client, image):
        return None
    progress(f"pulling {image}")
    try:
        client.images.pull(image)
    except (DockerException, RequestException) as error:
        reason = str(getattr(error, "explanation", None) or error)
        if "no space left" in reason:
            raise CouldNotRun(f"{image}: the disk is full: free some space: {reason}") from error
        return reason
    return None
