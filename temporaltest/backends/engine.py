"""The Docker engine: whether it answers, where ports may be published, and the containers of killed supervisors."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import Reaper
from testcontainers.core.docker_client import DockerClient

from devserver import HttpApi, NotAnswering, ProcessIdentity

if TYPE_CHECKING:
    from docker.models.containers import Container

HOME_LABEL = "temporaltest.home"
SUPERVISOR_LABEL = "temporaltest.supervisor"
LOOPBACK = "127.0.0.1"
LOCAL = ("localhost", LOOPBACK, "::1")
LAST_LINES = 8
READY_POLL_SECONDS = 0.02
REAPER_SECONDS = 15.0  # a registry that cannot be reached may leave a pull without any answer


class ContainerUnavailable(Exception):
    """No container can be started; the message says why and what to do."""


def engine() -> DockerClient:
    """The Docker engine, after it has answered.

    Raises:
        ContainerUnavailable: It does not answer.
    """
    try:
        client = DockerClient()
        client.client.ping()
    except docker.errors.DockerException as error:
        raise ContainerUnavailable(
            f"no Docker engine answers: {error}\nstart Docker, or set DOCKER_HOST to its address; "
            "without Docker use --temporal-backend managed"
        ) from None
    return client


def publish_at(client: DockerClient) -> str | None:
    """The address on which ports are published: only this machine can reach it.

    None if the container is reached directly, in a network that this process is in too.
    """
    mode = client.get_connection_mode()
    if mode is ConnectionMode.bridge_ip:
        return None
    if mode is ConnectionMode.gateway_ip:  # this process is in a container: only this machine reaches the bridge
        return str(client.client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"])
    if client.host() in LOCAL:
        return LOOPBACK
    raise ContainerUnavailable(
        f"the Docker engine is on {client.host()}: its containers can only be reached if their ports are open to the "
        "network, and they have no authentication\nuse an engine on this machine, or --temporal-address with a server"
    )


def begin_reaper(keep: bool) -> None:
    """Let ryuk remove the container if this process is killed. Continue without, if its image is not available soon."""
    if not (keep or testcontainers_config.ryuk_disabled):
        starting = threading.Thread(target=_start_reaper, daemon=True)
        starting.start()
        starting.join(REAPER_SECONDS)
        if Reaper._instance is not None:
            return
    testcontainers_config.ryuk_disabled = True


def _start_reaper() -> None:
    try:
        Reaper.get_instance()
    except Exception as error:  # noqa: BLE001 - ryuk is optional
        print(f"no ryuk: {error}", file=sys.stderr)  # noqa: T201 - our log
        Reaper.delete_instance()


def labels(folder: Path, supervisor: ProcessIdentity | None) -> dict[str, str]:
    """The labels of the container of a folder; one without a supervisor is never an orphan."""
    home = {HOME_LABEL: _home(folder)}
    return home if supervisor is None else home | {SUPERVISOR_LABEL: json.dumps(asdict(supervisor))}


def remove_orphans(client: DockerClient, folder: Path) -> None:
    """Remove the containers whose supervisor was killed."""
    ours = {"label": f"{HOME_LABEL}={_home(folder)}"}
    for container in client.client.containers.list(all=True, filters=ours, ignore_removed=True):
        supervisor = container.labels.get(SUPERVISOR_LABEL)
        if supervisor is not None and not ProcessIdentity(**json.loads(supervisor)).alive():
            with contextlib.suppress(docker.errors.APIError):
                container.remove(force=True, v=True)


def last_lines(container: Container) -> str:
    """The last lines of the container's log."""
    lines = container.logs(tail=LAST_LINES).decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines) or "  (no output)"


def wait_until_serving(container: Container, image: str, find: Callable[[], HttpApi], limit: float) -> HttpApi:
    """The HTTP API of the server in a container, once the server answers a call.

    Args:
        container: The container.
        image: The name of its image, for the error.
        find: The API at the port that Docker has published; raises ConnectionError while there is none.
        limit: Seconds to wait.

    Raises:
        ContainerUnavailable: The container has ended, or the server does not answer within `limit` seconds.
    """
    deadline = time.monotonic() + limit
    while True:
        try:
            api = find()
            problem = api.problem("default")
            if problem is None:
                return api
        except (NotAnswering, ConnectionError) as error:
            problem = str(error)
        container.reload()
        if container.status not in ("created", "running"):
            raise ContainerUnavailable(f"the container of {image} ended at once:\n{last_lines(container)}")
        if time.monotonic() > deadline:
            raise ContainerUnavailable(
                f"the server in {image} was not ready within {limit:g} s: {problem}\n{last_lines(container)}"
            )
        time.sleep(READY_POLL_SECONDS)


def _home(folder: Path) -> str:
    return f"{socket.gethostname()}:{folder.parent}"
