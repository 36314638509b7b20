"""What tests of schedules share: a server, a client's loop, and a worker whose runs last as long as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from devserver import DevServer
from devserver.store.request import Executable

QUEUE = "lasting"


@workflow.defn
class Lasts:
    """A run of a given length."""

    @workflow.run
    async def run(self, seconds: float, to_cancel: float) -> None:
        """Sleep; when it is cancelled, end after `to_cancel` seconds."""
        try:
            await workflow.sleep(seconds)
        except asyncio.CancelledError:
            if to_cancel:
                await workflow.sleep(to_cancel)
            raise


def worker(client: Client) -> Worker:
    """A worker for runs of a given length."""
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[Lasts],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
    )


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server as users have it."""
    with DevServer.start(ui=False) as server:
        yield server
