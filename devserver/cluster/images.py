"""The server's programs, taken out of official container images: they run as processes, like a built executable.

So killing, freezing and cutting works in the same way, and no container is left behind by a kill.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..system.paths import Paths
from ..system.progress import Reporter
from . import executable
from .errors import ClusterBuildFailed
from .preparation import made_once
from .programs import SERVER, TOOLS

SERVER_IMAGE = "temporalio/server"
TOOLS_IMAGE = "temporalio/admin-tools"
BIN = "/usr/local/bin"
LOCK_SECONDS = 600.0
UNIX = "unix://"
DEFAULT_HOST = f"{UNIX}/var/run/docker.sock"
EXTRA = "pip install 'temporal-devserver[container]'"


def take(
    version: str,
    paths: Paths,
    reporter: Reporter,
    *,
    server_image: str | None = None,
    tools_image: str | None = None,
    offline: bool = False,
) -> Path:
    """The folder with the programs of this version, taken out of the images if it is not there.

    Args:
        version: The version of the server.
        paths: Where our files are.
        reporter: Receives the progress.
        server_image: The image with the server; the official one of this version by default.
        tools_image: The image with the schema tools and tdbg; the official one of this version by default.
        offline: Whether only images count that Docker has already.

    Raises:
        ClusterBuildFailed: There is no Docker engine, an image cannot be pulled, or has other programs.
        OptionError: The version is not one.
    """
    wanted = {
        server_image or f"{SERVER_IMAGE}:{version}": [SERVER],
        tools_image or f"{TOOLS_IMAGE}:{version}": list(TOOLS.values()),
    }
    if len(wanted) == 1:
        wanted = {next(iter(wanted)): [SERVER, *TOOLS.values()]}

    def make(work: Path) -> None:
        with _engine() as engine:
            for image, names in wanted.items():
                _copy(engine, image, names, work, reporter, offline=offline)
        found = executable.version_of(work)
        if found != version:
            raise ClusterBuildFailed(
                f"the images have Temporal {found}, not {version}",
                hint="name the images with --image and --tools-image",
            )

    target = executable.official(version, paths)
    return made_once(target, make, lock="official.lock", limit=LOCK_SECONDS, doing="taking programs out of images")


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    try:
        import docker
    except ImportError:
        raise ClusterBuildFailed("the client of Docker is not installed", hint=EXTRA) from None
    try:
        _require_listening(os.environ.get("DOCKER_HOST", DEFAULT_HOST))
        engine = docker.from_env()
    except (docker.errors.DockerException, OSError) as error:
        raise ClusterBuildFailed(
            "no Docker engine answers",
            details=[str(error)],
            hint="start one, or set DOCKER_HOST; or: devserver cluster build",
        ) from error
    try:
        yield engine
    except (docker.errors.DockerException, OSError) as error:
        raise ClusterBuildFailed("Docker refuses", details=[str(error)]) from error
    finally:
        engine.close()


def _require_listening(host: str) -> None:
    """Raise OSError if nobody listens on a Unix socket: Docker's client leaks a socket then."""
    if host.startswith(UNIX):
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.connect(host.removeprefix(UNIX))


def _copy(engine: Any, image: str, names: list[str], target: Path, reporter: Reporter, *, offline: bool) -> None:
    """Copy programs out of an image, which is pulled if it is not there. None of it runs."""
    import docker

    try:
        engine.images.get(image)
    except docker.errors.ImageNotFound:
        if offline:
            raise ClusterBuildFailed(
                f"the image {image} is not on this machine, and nothing is downloaded offline",
                hint="pull it with Docker, or go online",
            ) from None
        reporter.note(f"pulling {image} ...")
        try:
            engine.images.pull(image)
        except (docker.errors.DockerException, OSError) as error:
            raise ClusterBuildFailed(
                f"cannot pull the image {image}",
                details=[str(error)],
                hint="name another with --image or --tools-image, or build the server: devserver cluster build",
            ) from error
    container = engine.containers.create(image, ["none"])
    try:
        for name in names:
            try:
                stream, _ = container.get_archive(f"{BIN}/{name}")
            except docker.errors.NotFound:
                raise ClusterBuildFailed(
                    f"the image {image} has no {BIN}/{name}", hint="name another with --image or --tools-image"
                ) from None
            _extract(stream, target / name)
    finally:
        container.remove()


def _extract(stream: Any, target: Path) -> None:
    """Write the only file of an archive, whatever its name in there is."""
    with tempfile.TemporaryFile() as archive:
        for part in stream:
            archive.write(part)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            members = [member for member in tar if member.isfile()]
            source = tar.extractfile(members[0]) if len(members) == 1 else None
            if source is None:
                raise ClusterBuildFailed(f"{target.name} in the image is not one file")
            with source, target.open("xb") as output:
                while part := source.read(1 << 20):
                    output.write(part)
    target.chmod(0o700)
