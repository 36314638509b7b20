"""The server: how fast it starts and works, against the SDK's own local server and the bare binary."""

from __future__ import annotations

import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client
from temporalio.worker import Worker

from devserver import DevServer
from devserver.server.http_api import HttpApi, NotAnswering

from . import servers
from .table import Row
from .work import WORKFLOWS, Activities, Children, Empty, Timers, nothing

Contestant = Callable[[Path], AbstractAsyncContextManager[Client]]
QUEUE = "bench"
REMOTE = "bench-remote"
KINDS = {
    (Timers, QUEUE): ("10 timers of 50 ms", 10),
    (Activities, REMOTE): ("10 activities in a row, not eager", 1),
    (Activities, QUEUE): ("10 activities in a row", 3),
    (Children, QUEUE): ("10 child workflows in a row", 4),
    (Empty, QUEUE): ("1 empty workflow", 1),
}
MIB = 1024 * 1024


async def until_first_workflow(contestant: Contestant, executable: Path) -> float:
    """Seconds from nothing until a workflow has been started."""
    begin = time.perf_counter()
    async with contestant(executable) as client:
        await client.start_workflow(Empty.run, id=str(uuid.uuid4()), task_queue=QUEUE)
        return time.perf_counter() - begin


async def work(contestant: Contestant, executable: Path, repeat: int) -> dict[Any, list[float]]:
    """Seconds of each workflow, after one to warm up."""
    found: dict[Any, list[float]] = {kind: [] for kind in KINDS}
    async with contestant(executable) as client:
        worker = Worker(client, task_queue=QUEUE, workflows=list(WORKFLOWS), activities=[nothing])
        # As if activities ran in other workers: the server dispatches them, not the worker itself.
        remote = Worker(
            client,
            task_queue=REMOTE,
            workflows=list(WORKFLOWS),
            activities=[nothing],
            disable_eager_activity_execution=True,
        )
        async with worker, remote:
            await client.execute_workflow(Empty.run, id=str(uuid.uuid4()), task_queue=QUEUE)
            for _ in range(repeat):
                for (kind, queue), times in found.items():
                    begin = time.perf_counter()
                    await client.execute_workflow(kind.run, id=str(uuid.uuid4()), task_queue=queue)
                    times.append(time.perf_counter() - begin)
    return found


def command_seconds(*command: str) -> float:
    """Seconds of a whole command."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def bare_until_ready(executable: Path) -> float:
    """Seconds until the bare binary, on a new file, answers the readiness checks of `devserver up`."""
    port, http = servers.free_port(), servers.free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(executable), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
        command += ["--http-port", str(http), "--ui-port", str(servers.free_port()), "--log-level", "error"]
        command += ["--db-filename", str(Path(folder) / "t.db")]
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            frontend = HttpApi("127.0.0.1", http)
            while not _serves(frontend):
                time.sleep(servers.RETRY_SECONDS)
            return time.perf_counter() - begin
        finally:
            process.kill()
            process.wait()


def _serves(frontend: HttpApi) -> bool:
    try:
        return frontend.serves("default")
    except NotAnswering:
        return False


def up_detached(devserver: str) -> float:
    """Seconds of `devserver up -d`, on a new file as the bare binary."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    try:
        return command_seconds(devserver, "up", "-d", "--quiet", "--name", name)
    finally:
        subprocess.run([devserver, "down", "--name", name], check=True, stdout=subprocess.DEVNULL)


def memory(executable: Path) -> tuple[float, float]:
    """Resident MiB of a server that has just started, and of its supervisor."""
    with DevServer.start(binary=executable) as server:
        process = psutil.Process(server.pid)
        parent = process.parent()
        return process.memory_info().rss / MIB, parent.memory_info().rss / MIB if parent else 0.0


async def measure(executable: Path, devserver: str, starts: int, repeat: int) -> AsyncIterator[Row]:
    """Every row, slowest last."""
    contestants: tuple[Contestant, ...] = (servers.ours, servers.sdk, servers.bare)
    began: dict[Contestant, list[float]] = {contestant: [] for contestant in contestants}
    for _ in range(starts):
        for contestant in contestants:
            began[contestant].append(await until_first_workflow(contestant, executable))
    what = "start until the first workflow"
    yield Row(what, began[servers.ours], began[servers.sdk], "SDK start_local", aim=1)
    yield Row(what, began[servers.ours], began[servers.bare], "bare binary", at_most=1.2)
    up = [(up_detached(devserver), bare_until_ready(executable)) for _ in range(starts)]
    yield Row("`devserver up -d` until ready", [a for a, _ in up], [b for _, b in up], "bare binary", at_most=2)
    helps = [(command_seconds(devserver, "--help"), command_seconds(str(executable), "--help")) for _ in range(starts)]
    yield Row("`devserver --help`", [a for a, _ in helps], [0.150] * starts, "150 ms", at_most=1)
    for ours, stock, where in ((servers.ours, servers.sdk, "memory"), (servers.durable, servers.sdk_on_file, "file")):
        fast, slow = await work(ours, executable, repeat), await work(stock, executable, repeat)
        for kind, (text, aim) in KINDS.items():
            yield Row(f"{text}, {where}", fast[kind], slow[kind], "SDK start_local", aim=aim)
