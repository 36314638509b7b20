"""Workers with a build id: a pinned workflow, and one that upgrades automatically."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from tests.helpers.checkout import ROOT

DEPLOYMENT, QUEUE = "shop", "orders"
LIMIT = 120.0


class Waits:
    """Waits for the signal `end`."""

    def __init__(self) -> None:
        self.released = False

    async def wait(self) -> None:
        """Wait for the signal."""
        await workflow.wait_condition(lambda: self.released)

    @workflow.signal
    def end(self) -> None:
        """Let the workflow end."""
        self.released = True


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Stays(Waits):
    """Stays on the build that it started with."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await self.wait()


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Moves(Waits):
    """Moves to the current build with its next task."""

    @workflow.run
    async def run(self) -> None:
        """Wait."""
        await self.wait()


def worker(client: Client, build: str, *queues: str) -> list[Worker]:
    """Return workers of that build, one for each task queue."""
    version = WorkerDeploymentVersion(DEPLOYMENT, build)
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=[Stays, Moves],
            workflow_runner=UnsandboxedWorkflowRunner(),
            graceful_shutdown_timeout=timedelta(0),
            deployment_config=WorkerDeploymentConfig(version=version, use_worker_versioning=True),
        )
        for queue in queues or (QUEUE,)
    ]


@contextlib.asynccontextmanager
async def serving(client: Client, build: str, *queues: str) -> AsyncIterator[None]:
    """Run such workers until the end of the block, once the server has registered them."""
    from devserver.deployments import VersionTaskQueue, watch_registration

    async with contextlib.AsyncExitStack() as stack:
        for build_worker in worker(client, build, *queues):
            await stack.enter_async_context(build_worker)
        polled = [VersionTaskQueue(queue, "workflow") for queue in queues or (QUEUE,)]
        await asyncio.wait_for(_until(watch_registration(client, DEPLOYMENT, build, polled)), LIMIT)
        yield


async def _until(looks: AsyncIterator[bool]) -> None:
    async for _ in looks:
        pass


@contextlib.contextmanager
def worker_process(address: str, *builds: str) -> Iterator[None]:
    """Run a worker of each build in one separate process, once the server has registered them; kill it at the end."""
    words = [sys.executable, "-m", "tests.helpers.versioned", address, *builds]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


async def _serve(address: str, builds: list[str]) -> None:
    client = await Client.connect(address)
    async with contextlib.AsyncExitStack() as stack:
        for build in builds:
            await stack.enter_async_context(serving(client, build))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2:]))
