"""Runbooks of days, for virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from devserver.rehearsal import ledger

ROUNDS = 20
HOURS = 6


@activity.defn
async def check(number: int) -> int:
    """Look at the monitors once."""
    ledger.effect("check", key=number)
    return number


@workflow.defn
class Rounds:
    """Looks at the monitors every six hours, for five days."""

    @workflow.run
    async def run(self) -> int:
        """How many times it looked."""
        for number in range(ROUNDS):
            await workflow.sleep(timedelta(hours=HOURS))
            await workflow.execute_activity(check, number, start_to_close_timeout=timedelta(seconds=2))
        return ROUNDS


@workflow.defn
class Patient:
    """Waits for an approval, whenever that comes."""

    def __init__(self) -> None:
        self._approved = asyncio.Event()

    @workflow.signal
    def approve(self) -> None:
        """Go on."""
        self._approved.set()

    @workflow.run
    async def run(self) -> int:
        """How many hours it waited."""
        began = workflow.now()
        await self._approved.wait()
        return round((workflow.now() - began) / timedelta(hours=1))


@workflow.defn
class Strict:
    """Waits for an approval, and takes none that is more than a day late."""

    def __init__(self) -> None:
        self._approved = asyncio.Event()

    @workflow.signal
    def approve(self) -> None:
        """Go on."""
        self._approved.set()

    @workflow.run
    async def run(self) -> None:
        """See that the approval is not stale."""
        began = workflow.now()
        await self._approved.wait()
        if workflow.now() - began > timedelta(days=1):
            raise ApplicationError("the approval is stale")


@workflow.defn
class Nap:
    """Sleeps a day."""

    @workflow.run
    async def run(self) -> None:
        """Sleep."""
        await workflow.sleep(timedelta(days=1))


@workflow.defn
class Delegates:
    """Has a child sleep a day, then sleeps two days itself."""

    @workflow.run
    async def run(self) -> str:
        """Sleep."""
        await workflow.execute_child_workflow(Nap.run)
        await workflow.sleep(timedelta(days=2))
        return "rested"
