"""Workers that a test makes itself with the SDK's `Worker` fail at once and are replayed, as those of `temporal` do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from temporalio import client, worker
from temporalio.service import ConnectConfig, ServiceClient

if TYPE_CHECKING:
    from ..workers.workers import Workers


class WorkerTracking(client.Plugin, worker.Plugin):
    """The SDK's plugin on a test's client: it hears of every worker of that client."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def name(self) -> str:
        """As the server shows it."""
        return "temporaltest"

    def configure_client(self, config: client.ClientConfig) -> client.ClientConfig:
        """Nothing to change."""
        return config

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002 - the SDK's name
    ) -> ServiceClient:
        """Nothing to change."""
        return await next(config)

    def configure_worker(self, config: worker.WorkerConfig) -> worker.WorkerConfig:
        """Fill in what workers in tests should have."""
        self._workers.prepare(config)
        return config

    async def run_worker(
        self,
        worker: worker.Worker,
        next: Callable[[worker.Worker], Awaitable[None]],  # noqa: A002 - the SDK's name
    ) -> None:
        """Remember the worker."""
        self._workers.adopt(worker)
        await next(worker)

    def configure_replayer(self, config: worker.ReplayerConfig) -> worker.ReplayerConfig:
        """Nothing to change."""
        return config

    def run_replayer(
        self,
        replayer: worker.Replayer,
        histories: AsyncIterator[client.WorkflowHistory],
        next: Callable[  # noqa: A002 - the SDK's name
            [worker.Replayer, AsyncIterator[client.WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[worker.WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[worker.WorkflowReplayResult]]:
        """Nothing to change."""
        return next(replayer, histories)
