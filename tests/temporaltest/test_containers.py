"""The Testcontainers module, the project's image and its compose file, on a real Docker engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container
from temporalio.client import Client

from devserver.executables.known_releases import PINS
from devserver.system.ports import Reservations
from scripts import image as script
from tests.helpers.checkout import ROOT
from tests.helpers.docker_engine import Engine, build, engine
from tests.helpers.docker_images import DOCKERFILE, project_image
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.timeout(600)

COMPOSE = DOCKERFILE.with_name("compose.yaml")
QUICK = {"interval": 500_000_000, "timeout": 60_000_000_000, "retries": 100}  # nanoseconds


@pytest.fixture(scope="module")
def docker(real_binary: Path) -> Iterator[Engine]:
    """A Docker engine."""
    with engine() as found:
        yield found


@pytest.fixture(scope="module")
def image(docker: Engine, real_binary: Path) -> Iterator[str]:
    """The project's image."""
    with project_image(docker, real_binary) as name:
        yield name


@pytest.fixture
def volume(docker: Engine) -> Iterator[str]:
    """A new volume."""
    made = docker.client.volumes.create()
    yield str(made.name)
    made.remove(force=True)


def ready(container: Container) -> str:
    """The address of a container's server, once its health check says that it serves."""

    def healthy() -> bool:
        container.reload()
        assert container.status in ("created", "running"), container.logs().decode()
        return bool(container.attrs["State"]["Health"]["Status"] == "healthy")

    eventually(healthy, 120)
    (bound,) = container.attrs["NetworkSettings"]["Ports"]["7233/tcp"]
    return f"{bound['HostIp']}:{bound['HostPort']}"


def run(docker: Engine, image: str, volume: str, **how: Any) -> Container:
    """Run the image as the strictest platforms do: any user, a root that is read-only, no /dev/shm."""
    return docker.client.containers.run(
        image, detach=True, read_only=True, tmpfs={"/tmp": ""}, ipc_mode="none", healthcheck=QUICK,
        ports={"7233/tcp": ("127.0.0.1",)}, volumes={volume: {"bind": "/data"}}, cap_drop=["ALL"], **how,
    )  # fmt: skip


async def start_workflow(address: str) -> None:
    """Start a workflow that no worker takes."""
    client = await Client.connect(address)
    await client.start_workflow("Order", id="order-1", task_queue="orders")


async def status_of_workflow(address: str) -> str:
    """The status of that workflow."""
    client = await Client.connect(address)
    description = await client.get_workflow_handle("order-1").describe()
    assert description.status is not None
    return description.status.name


@pytest.mark.parametrize("user", [None, "12345:12345"], ids=["own-user", "any-user"])
def test_the_image_keeps_its_state(docker: Engine, image: str, volume: str, user: str | None) -> None:
    """The image runs with a read-only root, no /dev/shm and any user; a new container has the volume's workflows."""
    container = run(docker, image, volume, user=user)
    try:
        asyncio.run(start_workflow(ready(container)))
        container.kill()
        container.remove(force=True)
        container = run(docker, image, volume, user=user)
        assert asyncio.run(status_of_workflow(ready(container))) == "RUNNING"
    finally:
        container.remove(force=True)


def test_the_image_stops_at_once(docker: Engine, image: str, volume: str) -> None:
    """`docker stop` ends the server gracefully, long before it is killed."""
    container = run(docker, image, volume)
    try:
        ready(container)
        container.stop(timeout=60)
        assert container.wait()["StatusCode"] == 0
    finally:
        container.remove(force=True)


def test_the_image_has_the_command_of_up() -> None:
    """The Dockerfile's command is what the code of today starts; `python scripts/image.py` writes it."""
    assert script.rewritten(DOCKERFILE.read_text()) == DOCKERFILE.read_text()


def test_the_image_can_be_built_for_any_processor() -> None:
    """No line of the Dockerfile names a processor: the executable is that of the machine, or of `--platform`, which
    builds under emulation. Every version has pinned hashes for both.
    """
    text = DOCKERFILE.read_text()
    assert re.findall(r"(?i)amd64|x86|arm64|aarch64|--platform|TARGETARCH", text) == []
    assert {
        platform for pins in PINS.values() for platform in ("linux-amd64", "linux-arm64") if platform not in pins
    } == set()


def test_the_images_build_has_what_the_readme_links_to() -> None:
    """The build of the wheel fails on a dead link, and in the Dockerfile it sees what .dockerignore lets through."""
    shown = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    links = re.findall(r"\]\((?!https?:)([^)#:\s]+)", (ROOT / "README.md").read_text())
    assert len(links) > 10
    assert [link for link in links if not any(fnmatch(link.partition("/")[0], name) for name in shown)] == []


class Compose:
    """The project's compose file, as a project of its own.

    Args:
        docker: The engine.
        image: The image.
        folder: A home.
        ports: The ports of gRPC and of the Web UI.
    """

    def __init__(self, docker: Engine, image: str, folder: Path, *ports: int) -> None:
        program = shutil.which("docker-compose")
        if program is None:
            pytest.skip("docker-compose is not installed (make system)")
        self.project = f"temporaltest-{os.urandom(4).hex()}"
        self._docker = docker
        self._command = [program, "--project-name", self.project, "--file", str(COMPOSE)]
        self._environ = {
            **os.environ,
            "DOCKER_HOST": docker.host,
            "HOME": str(folder),
            "TEMPORAL_IMAGE": image,
            "TEMPORAL_PORT": str(ports[0]),
            "TEMPORAL_UI_PORT": str(ports[1]),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` with these words."""
        command = [*self._command, *words]
        return subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False, timeout=300)

    def call(self, *words: str) -> None:
        """Do the same; it has to succeed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr

    def containers(self) -> list[Container]:
        """Its running containers."""
        label = f"com.docker.compose.project={self.project}"
        return list(self._docker.client.containers.list(filters={"label": label}))


@contextlib.contextmanager
def two_ports() -> Iterator[tuple[int, int]]:
    """Two ports that are free at the end of the block."""
    with Reservations("127.0.0.1") as reservations:
        yield reservations.take(None, None, "--port"), reservations.take(None, None, "--ui-port")


def test_compose(docker: Engine, image: str, tmp_path: Path) -> None:
    """`docker compose up` serves on loopback, and the state survives `down` and `up`."""
    with two_ports() as ports:
        compose = Compose(docker, image, tmp_path, *ports)
    try:
        for check in (start_workflow, status_of_workflow):
            compose.call("up", "--detach", "--no-build")
            (container,) = compose.containers()
            address = ready(container)
            assert address == f"127.0.0.1:{ports[0]}"
            asyncio.run(check(address))
            compose.call("down")
    finally:
        compose.call("down", "--volumes")


def test_compose_on_a_taken_port(docker: Engine, image: str, tmp_path: Path) -> None:
    """It fails at once and Docker names the port, which `TEMPORAL_PORT` changes; nothing runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken, two_ports() as (_, ui):
        port = taken.getsockname()[1]
        compose = Compose(docker, image, tmp_path, port, ui)
        try:
            done = compose.run("up", "--detach", "--no-build")
            assert done.returncode != 0
            assert re.search(rf"{port}.*(already in use|already allocated)", done.stderr), done.stderr
            assert compose.containers() == []
        finally:
            compose.call("down", "--volumes")


IN_A_CONTAINER = """
import asyncio, json, sys
from temporaltest.containers import TemporalContainer

async def use(server):
    client = await server.connect(namespace="orders")
    await client.start_workflow("Order", id="order-1", task_queue="orders")

with TemporalContainer(sys.argv[1], ui=True, namespaces=["orders"], dynamic_config={"frontend.rps": 1000}) as server:
    asyncio.run(use(server))
    container = server.get_wrapped_container()
    container.reload()
    print(json.dumps([server.ui_url, container.id, container.attrs["NetworkSettings"]["Ports"]]))
assert "pytest" not in sys.modules
"""


def in_a_process(docker: Engine, image: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own: testcontainers reads its variables when it is imported."""
    environ = {**os.environ, **docker.environment}
    words = [sys.executable, "-c", IN_A_CONTAINER, image]
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False, timeout=300)


def test_a_container_for_tests(docker: Engine, image: str) -> None:
    """`TemporalContainer` serves when its block begins, on loopback only, and is gone when it ends; without pytest."""
    done = in_a_process(docker, image)
    assert done.returncode == 0, done.stderr
    ui_url, container, ports = json.loads(done.stdout)
    assert ui_url.startswith("http://127.0.0.1:")
    assert {place["HostIp"] for places in ports.values() for place in places or ()} == {"127.0.0.1"}
    assert container not in {each.id for each in docker.client.containers.list(all=True)}


def test_a_container_that_does_not_serve(docker: Engine, real_binary: Path) -> None:
    """An image that cannot run is an error with Docker's reason, and leaves no container."""
    name = build(docker, real_binary, f"temporaltest-broken-{os.urandom(4).hex()}", entrypoint="/nothing")
    try:
        done = in_a_process(docker, name)
        assert done.returncode == 1
        assert f"SetupError: Docker cannot run {name}: " in done.stderr
        assert not docker.client.containers.list(all=True, filters={"ancestor": name})
    finally:
        docker.client.images.remove(name, force=True)
