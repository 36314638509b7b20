"""The process that supervises a container: starts it, reports when its server answers, removes it with its last user.

It is a process of its own, so that the container is removed however its users end (`kill -9` of pytest included), and
that xdist's workers and parallel runs share one. The next supervisor removes what a killed one has left; so does ryuk,
testcontainers' own reaper, where it can run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors
from filelock import FileLock, Timeout
from testcontainers.core.container import DockerContainer

from devserver import Channel, HttpApi, ProcessIdentity, holders

from . import engine
from .container_record import GRPC, HTTP, MEMORY, RECORD, UI, ContainerRecord, lock_path

if TYPE_CHECKING:
    from docker.models.containers import Container

START_SECONDS = 60.0
HOLDERS_POLL_SECONDS = 0.25


class ContainerSupervisor:
    """One container, and the folder with its leases and its record.

    Args:
        folder: The folder.
        spec: Its `image`, `command`, `ui` (whether it is published), `linger` (seconds) and `keep`.
        channel: To the process that has started this one.
    """

    def __init__(self, folder: Path, spec: dict[str, Any], channel: Channel) -> None:
        self._folder = folder
        self._spec = spec
        self._channel = channel
        self._container: DockerContainer | None = None
        self._host = ""

    def run(self) -> None:
        """Start the container, report that it is ready, and remove it after its last user."""
        try:
            self._start()
            self._wait_until_ready().write(self._folder)
            send(self._channel, "ready")
            if self._spec["keep"]:
                self._container = None
                return
            self._wait_for_last_user()
        finally:
            self._remove()

    def _start(self) -> None:
        client = engine.engine()
        engine.remove_orphans(client, self._folder)
        engine.begin_reaper(self._spec["keep"])
        labels = engine.labels(self._folder, self._identity())
        container = DockerContainer(self._spec["image"]).with_command(self._spec["command"])
        container.with_tmpfs_mount(MEMORY).with_kwargs(labels=labels)
        ports = (GRPC, HTTP, UI) if self._spec["ui"] else (GRPC, HTTP)
        address = engine.publish_at(client)
        for port in ports if address else ():
            container.ports[f"{port}/tcp"] = (address,)  # type: ignore[assignment] # docker's form for "any port there"
        self._container = container
        container.start()
        self._host = address or container.get_container_host_ip()

    def _wait_until_ready(self) -> ContainerRecord:
        """Wait until the server answers a call."""
        api = engine.wait_until_serving(
            self._docker(), self._spec["image"], lambda: HttpApi(self._host, self._port(HTTP)), START_SECONDS
        )
        return self._record(api.server_version())

    def _record(self, version: str) -> ContainerRecord:
        return ContainerRecord(
            container=str(self._docker().id),
            address=f"{self._host}:{self._port(GRPC)}",
            http=(self._host, self._port(HTTP)),
            ui_url=f"http://{self._host}:{self._port(UI)}" if self._spec["ui"] else None,
            version=version,
            supervisor=self._identity(),
        )

    def _identity(self) -> ProcessIdentity | None:
        """This process; None for a container that is kept, which nobody supervises."""
        return None if self._spec["keep"] else ProcessIdentity.own()

    def _port(self, port: int) -> int:
        assert self._container is not None  # noqa: S101 - started
        return self._container._get_exposed_port(port)

    def _docker(self) -> Container:
        assert self._container is not None  # noqa: S101 - started
        return self._container.get_wrapped_container()

    def _wait_for_last_user(self) -> None:
        """Wait until the container ends by itself, or has had no user for the linger time."""
        unused_since: float | None = None
        while not self._ended():
            if holders(self._folder):
                unused_since = None
            elif unused_since is None:
                unused_since = time.monotonic()
            lingered = unused_since is not None and time.monotonic() - unused_since >= self._spec["linger"]
            if lingered and self._remove_unused():
                return
            time.sleep(HOLDERS_POLL_SECONDS)

    def _ended(self) -> bool:
        try:
            self._docker().reload()
        except (docker.errors.NotFound, OSError):  # errors of requests are OSErrors: the engine has ended
            return True
        return bool(self._docker().status != "running")

    def _remove_unused(self) -> bool:
        """Remove the container under its lock, unless somebody has taken a lease in the meantime."""
        try:
            with FileLock(lock_path(self._folder), timeout=0):
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
        (self._folder / RECORD).unlink(missing_ok=True)
        with contextlib.suppress(docker.errors.DockerException, OSError):
            container.stop()


def send(channel: Channel, kind: str, **facts: Any) -> None:
    """Send a message to the process that has started this one; if it has ended, the container has no user."""
    with contextlib.suppress(OSError):
        channel.send(kind, **facts)


def _exit(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> None:
    """`python -m temporaltest.backends.container_supervisor SOCKET PARENT FOLDER SPEC`.

    It outlives the process that has started it: others may use the container.
    """
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    os.set_inheritable(int(sys.argv[1]), False)
    folder, spec = Path(sys.argv[3]), json.loads(sys.argv[4])
    signal.signal(signal.SIGTERM, _exit)
    try:
        ContainerSupervisor(folder, spec, channel).run()
    except engine.ContainerUnavailable as error:
        send(channel, "failed", reason=str(error))
    except docker.errors.DockerException as error:
        send(channel, "failed", reason=f"Docker cannot run {spec['image']}: {error}")


if __name__ == "__main__":
    main()
