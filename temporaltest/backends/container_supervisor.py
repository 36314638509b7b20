"""The process that keeps one container: starts it, says when it answers, removes it when nobody holds it any more.

It is a process of its own so that the container goes however its users end, `kill -9` of pytest included, and so that
xdist's workers and parallel runs share one. What a killed keeper leaves, the next one removes; so does ryuk,
testcontainers' own reaper, where it can run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors
from filelock import FileLock, Timeout
from testcontainers.core.container import DockerContainer

from devserver import HttpApi, NotAnswering, holders

from . import container_record, engine
from .container_record import GRPC, HTTP, UI

if TYPE_CHECKING:
    from docker.models.containers import Container

START_SECONDS = 60.0
READY_POLL_SECONDS = 0.02
HOLDERS_POLL_SECONDS = 0.25


class ContainerSupervisor:
    """See the module. `spec` holds image, command, ui, linger and keep; the folder holds leases and the record."""

    def __init__(self, folder: Path, spec: dict[str, Any]) -> None:
        self._folder = folder
        self._spec = spec
        self._container: DockerContainer | None = None
        self._host = ""

    def run(self) -> None:
        """Start, tell, watch, remove."""
        try:
            self._start()
            record = self._until_it_answers()
            container_record.write(self._folder, record)
            _tell({"ready": record})
            if self._spec["keep"]:
                self._container = None
                return
            self._watch()
        finally:
            self._remove()

    def _start(self) -> None:
        client = engine.engine()
        engine.remove_orphans(client, self._folder)
        engine.begin_reaper(self._spec["keep"])
        labels = engine.labels(self._folder, None if self._spec["keep"] else os.getpid())
        container = DockerContainer(self._spec["image"]).with_command(self._spec["command"])
        container.with_tmpfs_mount("/temporaltest").with_kwargs(labels=labels)
        ports = (GRPC, HTTP, UI) if self._spec["ui"] else (GRPC, HTTP)
        address = engine.publish_at(client)
        for port in ports if address else ():
            container.ports[f"{port}/tcp"] = (address,)  # type: ignore[assignment] # docker's form for "any port there"
        self._container = container
        container.start()
        self._host = address or container.get_container_host_ip()

    def _until_it_answers(self) -> dict[str, Any]:
        """The record, once the server answers a real call."""
        container, image = self._docker(), self._spec["image"]
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(NotAnswering, ConnectionError):
                frontend = HttpApi(self._host, self._port(HTTP))
                if frontend.serves("default"):
                    return self._record(frontend.server_version())
            container.reload()
            if container.status not in ("created", "running"):
                raise engine.ContainerUnavailable(
                    f"the container of {image} ended at once:\n{engine.last_lines(container)}"
                )
            if time.monotonic() > deadline:
                raise engine.ContainerUnavailable(
                    f"the server in {image} did not answer within {START_SECONDS:g} s:\n{engine.last_lines(container)}"
                )
            time.sleep(READY_POLL_SECONDS)

    def _record(self, version: str) -> dict[str, Any]:
        return {
            "keeper": None if self._spec["keep"] else container_record.identity(os.getpid()),
            "container": self._docker().id,
            "address": f"{self._host}:{self._port(GRPC)}",
            "http": [self._host, self._port(HTTP)],
            "ui": f"http://{self._host}:{self._port(UI)}" if self._spec["ui"] else None,
            "version": version,
        }

    def _port(self, port: int) -> int:
        assert self._container is not None  # noqa: S101 - started
        return self._container._get_exposed_port(port)

    def _docker(self) -> Container:
        assert self._container is not None  # noqa: S101 - started
        return self._container.get_wrapped_container()

    def _watch(self) -> None:
        """Until the container ends by itself, or nobody has held it for as long as it may linger."""
        unheld_since: float | None = None
        while not self._ended():
            if holders(self._folder):
                unheld_since = None
            elif unheld_since is None:
                unheld_since = time.monotonic()
            if unheld_since is not None and time.monotonic() - unheld_since >= self._spec["linger"] and self._gave_up():
                return
            time.sleep(HOLDERS_POLL_SECONDS)

    def _ended(self) -> bool:
        try:
            self._docker().reload()
        except (docker.errors.NotFound, OSError):  # requests' errors are of the latter kind: the engine is gone
            return True
        return bool(self._docker().status != "running")

    def _gave_up(self) -> bool:
        """End under the lock, so that nobody takes a lease meanwhile."""
        try:
            with FileLock(container_record.lock_path(self._folder), timeout=0):
                if holders(self._folder):
                    return False
                self._remove()
                return True
        except Timeout:
            return False

    def _remove(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        (self._folder / container_record.RECORD).unlink(missing_ok=True)
        with contextlib.suppress(docker.errors.DockerException, OSError):
            container.stop()


def _tell(event: dict[str, Any]) -> None:
    """Say it to whoever started us; where they are gone, nobody holds the container and it ends."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """`python -m temporaltest.backends.container_supervisor FOLDER SPEC`."""
    signal.signal(signal.SIGTERM, _end)
    try:
        ContainerSupervisor(Path(sys.argv[1]), json.loads(sys.argv[2])).run()
    except engine.ContainerUnavailable as error:
        _tell({"failed": str(error)})
    except docker.errors.DockerException as error:
        image = json.loads(sys.argv[2])["image"]
        _tell({"failed": f"Docker cannot run {image}: {error}"})


if __name__ == "__main__":
    main()
