"""What tests of schedules share: a server, and a worker for runs that last as long as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from devserver import DevServer
from devserver.executables.models import Executable

QUEUE = "lasting"


@workflow.defn
class Lasts:
    """A run of a given length."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        """Sleep."""
        await workflow.sleep(seconds)


@workflow.defn
class Held:
    """A run that ends when it is let go."""

    def __init__(self) -> None:
        self._gone = False

    @workflow.run
    async def run(self, clings: bool) -> None:
        """Wait; one that clings does so after it was cancelled, too."""
        try:
            await workflow.wait_condition(lambda: self._gone)
        except asyncio.CancelledError:
            if clings:
                await workflow.wait_condition(lambda: self._gone)
            raise

    @workflow.signal
    def let_go(self) -> None:
        """End."""
        self._gone = True


def worker(client: Client) -> Worker:
    """A worker for these runs."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Lasts, Held],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    )


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server as users have it."""
    with DevServer.start(ui=False) as server:
        yield server
