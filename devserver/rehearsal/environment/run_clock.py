"""The virtual clock of a run: it skips time, stops at planned moments, and can be advanced."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from temporalio.client import Client
from temporalio.service import RPCError

from ...client import NEVER, VirtualClock, clock_state, manual_client, to_datetime
from ...errors import CannotAsk, ClockMoveReplaced

AGAIN_SECONDS = 0.05


@dataclass(eq=False)
class ClockStop:
    """A virtual time, `offset` after the start, at which the clock stands still until all `holders` release it."""

    offset: timedelta
    holders: int
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """One holder is done."""
        self.holders -= 1
        if self.holders <= 0:
            self.gone.set()


class RunClock:
    """Drives the virtual clock of one workflow through all its runs and the server's outages, until `close`."""

    def __init__(self, client: Client, workflow_id: str, offsets: Sequence[timedelta]) -> None:
        self._clock = VirtualClock(client, workflow_id, retries=NEVER)  # the driver itself tries again
        self._stops = [ClockStop(offset, offsets.count(offset)) for offset in sorted(set(offsets))]
        self._begun: datetime | None = None
        self._changed = asyncio.Event()
        self._driving: asyncio.Task[None] | None = None
        self.client = manual_client(client)

    def started(self) -> None:
        """The workflow was started, or the server was restarted: the clock continues from here."""
        self._changed.set()
        if self._driving is None:
            self._driving = asyncio.create_task(self._drive())

    def close(self) -> None:
        """Stop driving the clock."""
        if self._driving is not None:
            self._driving.cancel()

    def stop(self, offset: timedelta) -> ClockStop:
        """The stop at a planned moment."""
        return next(stop for stop in self._stops if stop.offset == offset)

    async def ahead(self, by: timedelta) -> ClockStop:
        """Advance the clock by this much, as soon as no activity runs; it does not stand still there."""
        stop = ClockStop(await self._now() + by, 0)
        stop.gone.set()
        self._stops.append(stop)
        self._changed.set()
        return stop

    # Driving

    async def _drive(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._turn()
            except (RPCError, CannotAsk):  # the workflow has ended, or the server is down
                await asyncio.sleep(AGAIN_SECONDS)

    async def _turn(self) -> None:
        """Move the clock to the next stop and wait until that is released; without a stop, let it run."""
        if not self._stops:
            await self._clock.release()
            await self._changed.wait()
            return
        stop = min(self._stops, key=lambda each: each.offset)
        left = stop.offset - await self._now()
        if left > timedelta(0) and not await self._moved(left):
            return
        stop.arrived.set()
        await stop.gone.wait()
        self._stops.remove(stop)

    async def _moved(self, by: timedelta) -> bool:
        """Move the clock; False if something else came first."""
        move = await self._clock.begin_move(by)
        await self._clock.release_children()
        tasks = [asyncio.create_task(self._arrived(move)), asyncio.create_task(self._changed.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return tasks[0].done() and tasks[0].result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _arrived(self, move: str) -> bool:
        """Wait until the clock has moved; False where the workflow ended before, or another move took its place."""
        try:
            arrived = await self._clock.wait_moved(move)
        except ClockMoveReplaced:
            arrived = False
        if not arrived:
            await asyncio.sleep(AGAIN_SECONDS)
        return arrived

    async def _now(self) -> timedelta:
        """The virtual time since the start."""
        description = await self._clock.describe()
        if self._begun is None:
            self._begun = to_datetime(description.workflow_execution_info.start_time)
        state = clock_state(description)
        return (datetime.now(timezone.utc) if state is None else state.now) - self._begun
