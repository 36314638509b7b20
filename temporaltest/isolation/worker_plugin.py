"""The SDK plugin of a test's client: workers that the test creates itself get the defaults and are replayed too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from temporalio import client, worker
from temporalio.service import ConnectConfig, ServiceClient

if TYPE_CHECKING:
    from ..workers.workers import Workers


class WorkerTracking(client.Plugin, worker.Plugin):
    """Configures and notes every worker of the client."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def name(self) -> str:
        """The name that the server shows."""
        return "temporaltest"

    def configure_client(self, config: client.ClientConfig) -> client.ClientConfig:
        """Required by the SDK; changes nothing."""
        return config

    async def connect_service_client(
        self,
        config: ConnectConfig,
        next: Callable[[ConnectConfig], Awaitable[ServiceClient]],  # noqa: A002 - the SDK's name
    ) -> ServiceClient:
        """Required by the SDK; changes nothing."""
        return await next(config)

    def configure_worker(self, config: worker.WorkerConfig) -> worker.WorkerConfig:
        """Set the plugin's defaults."""
        self._workers.prepare(config)
        return config

    async def run_worker(
        self,
        worker: worker.Worker,
        next: Callable[[worker.Worker], Awaitable[None]],  # noqa: A002 - the SDK's name
    ) -> None:
        """Note the worker."""
        self._workers.on_run(worker)
        await next(worker)

    def configure_replayer(self, config: worker.ReplayerConfig) -> worker.ReplayerConfig:
        """Required by the SDK; changes nothing."""
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
        """Required by the SDK; changes nothing."""
        return next(replayer, histories)
