"""A worker whose SDK serves metrics, in its own process, with activities that succeed and fail.

Run as a program with an address, a port, a namespace, a task queue and the keywords of PrometheusConfig as JSON, it
runs the work, prints `done`, and runs it again for every line on stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from devserver.system.ports import reserve
from tests.helpers.checkout import ROOT

QUEUE = "measured"
COMPLETED, FAILED, ATTEMPTS = 3, 1, 2
SUFFIXES = {"counters_total_suffix": True, "unit_suffix": True, "durations_as_seconds": True}


@activity.defn
async def greet(name: str) -> str:
    """Succeed."""
    return f"Hello, {name}!"


@activity.defn
async def fail() -> None:
    """Fail."""
    raise ApplicationError("the disk is full")


@workflow.defn
class Measured:
    """One activity, which fails on request."""

    @workflow.run
    async def run(self, well: bool) -> None:
        """Succeed or fail."""
        limit = timedelta(seconds=30)
        if well:
            await workflow.execute_activity(greet, "you", start_to_close_timeout=limit)
            return
        soon = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=ATTEMPTS)
        await workflow.execute_activity(fail, start_to_close_timeout=limit, retry_policy=soon)


@dataclass(frozen=True)
class Worked:
    """The process: the address of its metrics, and a way to run the work again."""

    address: str
    process: subprocess.Popen[str]

    def again(self) -> None:
        """Run the work again, and wait until it is done."""
        _stream(self.process.stdin).write("\n")
        _stream(self.process.stdin).flush()
        self.done()

    def done(self) -> None:
        """Wait until the work is done."""
        assert _stream(self.process.stdout).readline() == "done\n"


@contextlib.contextmanager
def measured(
    address: str, *, namespace: str = "default", queue: str = QUEUE, spelling: dict[str, bool] | None = None
) -> Iterator[Worked]:
    """Run such a worker, which has done its work once; kill it at the end of the block."""
    reserved = reserve("127.0.0.1", 0, "")
    port = reserved.port
    reserved.release()
    words = [address, str(port), namespace, queue, json.dumps(spelling or {})]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.measured", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            worked = Worked(f"127.0.0.1:{port}", process)
            worked.done()
            yield worked
        finally:
            process.kill()


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


async def _serve(address: str, port: str, namespace: str, queue: str, spelling: str) -> None:
    keywords: dict[str, Any] = json.loads(spelling)
    config = PrometheusConfig(bind_address=f"127.0.0.1:{port}", **keywords)
    client = await Client.connect(
        address, namespace=namespace, runtime=Runtime(telemetry=TelemetryConfig(metrics=config))
    )
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=queue, workflows=[Measured], activities=[greet, fail], workflow_runner=runner):
        while True:
            await _work(client, queue)
            sys.stdout.write("done\n")
            sys.stdout.flush()
            if not await asyncio.to_thread(sys.stdin.readline):
                return


async def _work(client: Client, queue: str) -> None:
    for well in (*(True for _ in range(COMPLETED)), *(False for _ in range(FAILED))):
        with contextlib.suppress(WorkflowFailureError):
            await client.execute_workflow(Measured.run, well, id=uuid4().hex, task_queue=queue)


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
