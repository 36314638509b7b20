"""Follows a run from outside, across outages: the runbook's history, and the server's log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from ...client import NEVER, ServiceCalls
from ...errors import CannotAsk
from ...history import close_status, next_run_id

AGAIN_SECONDS = 0.02
RESET_SECONDS = 0.5
LOG_SECONDS = 0.02


class HistoryWatcher:
    """Follows a workflow through all its runs: reports each event once, in order, and the final status.

    A server that comes back with an older database has undone events: the events that replace them are reported too.
    `hopeless` says whether nothing will restore a workflow that the server no longer knows. An `endless` watcher waits
    for a reset after the end, until it is cancelled.
    """

    def __init__(
        self,
        client: Client,
        workflow_id: str,
        run_id: str,
        hopeless: Callable[[], bool] = lambda: True,
        *,
        endless: bool = False,
    ) -> None:
        self._calls = ServiceCalls(client, retries=NEVER)
        self._id = workflow_id
        self._hopeless = hopeless
        self._endless = endless
        self.run_ids = [run_id]
        self.status = "running"

    async def follow(self, on_event: Callable[[HistoryEvent], Awaitable[None]]) -> None:
        """Follow until the last run has ended; `on_event` is awaited with each event."""
        while True:
            last = await self._follow_run(self.run_ids[-1], on_event)
            if last is None:
                again = await self._newest()
                if again is None:
                    self.status = "lost"
                    return
                self.run_ids.append(again)
                continue
            self.status = (close_status(last) or "").replace("_", " ")
            following = next_run_id(last) or (await self._reset() if self._endless else "")
            if not following:
                return
            self.status = "running"
            self.run_ids.append(following)

    async def _follow_run(
        self, run_id: str, on_event: Callable[[HistoryEvent], Awaitable[None]]
    ) -> HistoryEvent | None:
        """The run's last event; None if the run is lost: started again, or never restored."""
        seen: list[tuple[int, int]] = []
        while True:
            try:
                async for event in self._events(run_id):
                    if not _is_news(event, seen):
                        continue
                    await on_event(event)
                    if close_status(event) is not None:
                        return event
            except _Unknown:
                if await self._newest() is not None or self._hopeless():
                    return None
            await asyncio.sleep(AGAIN_SECONDS)

    async def _reset(self) -> str:
        """Wait for a run that follows the end of the last one, as after a reset."""
        while True:
            newest = await self._newest()
            if newest is not None:
                return newest
            await asyncio.sleep(RESET_SECONDS)

    async def _newest(self) -> str | None:
        """The workflow's latest run, if it is a new one."""
        try:
            description = await self._calls.describe_workflow(self._id)
        except CannotAsk:
            return None
        if description is None:
            return None
        run_id = description.workflow_execution_info.execution.run_id
        return run_id if run_id not in self.run_ids else None

    async def _events(self, run_id: str) -> AsyncIterator[HistoryEvent]:
        """All events of a run, until it has ended or the server does not answer.

        Raises:
            _Unknown: The server does not know the run.
        """
        execution = WorkflowExecution(workflow_id=self._id, run_id=run_id)
        token = b""
        while True:
            try:
                page = await self._calls.history_page(execution, token=token, wait=True)
            except CannotAsk:
                return
            if page is None:
                raise _Unknown
            for event in page.history.events:
                yield event
            token = page.next_page_token
            if not token:
                return


class _Unknown(Exception):
    """The server does not know a run."""


def _is_news(event: HistoryEvent, seen: list[tuple[int, int]]) -> bool:
    """Whether an event is new. A new event in the place of an old one undoes that one and all later ones."""
    mark = (event.event_type, event.event_time.ToNanoseconds())
    if event.event_id <= len(seen) and seen[event.event_id - 1] == mark:
        return False
    seen[event.event_id - 1 :] = [mark]
    return True


async def log_lines(log: Path) -> AsyncIterator[str]:
    """The lines that are written to a log from now on."""
    with log.open(errors="replace") as file:
        file.seek(0, 2)
        half = ""
        while True:
            line = half + file.readline()
            if line.endswith("\n"):
                half = ""
                yield line.rstrip("\n")
            else:
                half = line
                await asyncio.sleep(LOG_SECONDS)
