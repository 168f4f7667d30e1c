"""The build of a Docker image with the classic builder, and the messages for its failures."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections import deque
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun
from harness.live.docker_daemon import docker_failures_explained

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from docker import DockerClient

__all__ = ["build_image", "explain_build_failure", "make_base_image"]


def build_image(
    client: DockerClient,
    folder: Path,
    *,
    dockerfile: str,
    tag: str,
    progress: Callable[[str], None],
    further: Path | None = None,
    base_image: str | None = None,
) -> None:
    """Build ``folder`` (with the files of ``further`` beside its own) into an image.

    Raises:
        CouldNotRun: The build failed; the message ends with the last lines of its output.
    """
    last: deque[str] = deque(maxlen=15)
    with tempfile.TemporaryFile() as context, docker_failures_explained(f"building {tag}"):
        _pack(context, folder, further)
        chunks = client.api.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            buildargs={"BASE_IMAGE": base_image} if base_image else {},
            rm=True,
            forcerm=True,
            decode=True,
        )
        for chunk in chunks:
            if "error" in chunk:
                raise explain_build_failure(str(chunk["error"]), list(last), tag=tag)
            for line in str(chunk.get("stream", "")).splitlines():
                if line.strip():
                    last.append(line)
                if line.startswith("Step ") or "Compiling miden" in line:
                    progress(" ".join(line.split())[:100])


def _pack(context: IO[bytes], folder: Path, further: Path | None) -> None:
    """Write the files of both folders as a tar, the same bytes each time, for the caches."""
    with tarfile.open(fileobj=context, mode="w") as archive:
        for path in sorted([*folder.iterdir(), *(further.iterdir() if further else ())]):
            entry = archive.gettarinfo(path, path.name)
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            # A wheel does not keep the executable bit.
            entry.mode = 0o644 if "Dockerfile" in path.name else 0o755
            with path.open("rb") as file:
                archive.addfile(entry, file)
    context.seek(0)


def explain_build_failure(error: str, last: list[str], *, tag: str) -> CouldNotRun:
    """Say what a failed build means, from its error and the last lines of its output."""
    output = "\n".join(f"  | {line}" for line in last)
    everything = f"{error}\n{output}"
    unusable = [line.split("UNUSABLE ", 1)[1] for line in last if line.startswith("UNUSABLE ")]
    if "no space left" in everything.lower():
        advice = "the disk is full: free some space (docker system df says what Docker holds)"
    elif unusable:
        advice = (
            f"wrong binary: {unusable[-1]}; take binaries of that version, built for this machine "
            "on Debian 12 or older"
        )
    elif "apt-get" in everything:
        advice = "a package could not be fetched: does a container here reach Debian's mirror?"
    elif "cargo install" in everything:
        advice = "the node could not be compiled: is there memory, and a way to the Rust registry?"
    else:
        advice = "Docker could not build the image"
    return CouldNotRun(f"building {tag}: {advice}\n  Docker says: {error}\n{output}")


def make_base_image(script: Path, *, tag: str, progress: Callable[[str], None]) -> None:
    """Make a base image without any registry, with debootstrap (20 to 100 s).

    Raises:
        CouldNotRun: debootstrap is missing or failed; the message says what to install.
    """
    last: deque[str] = deque(maxlen=15)
    with subprocess.Popen(  # noqa: S603 - our own script
        ["/bin/sh", str(script), tag],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                progress(line.rstrip())
        except BaseException:
            # The script's trap ends debootstrap and removes the unfinished tree.
            process.terminate()
            raise
    if process.returncode != 0:
        output = "\n".join(f"  | {line}" for line in last)
        raise CouldNotRun(
            f"no base image can be pulled, and {script.name} could not make one:\n{output}\n"
            f"make it by hand, as root, with debootstrap installed: sh {script}"
        )
