"""Runbooks that take days, for virtual time."""

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
    """Check the monitors once."""
    ledger.effect("check", key=number)
    return number


@workflow.defn
class Rounds:
    """Check the monitors every six hours, for five days."""

    @workflow.run
    async def run(self) -> int:
        """Return the number of checks."""
        for number in range(ROUNDS):
            await workflow.sleep(timedelta(hours=HOURS))
            await workflow.execute_activity(check, number, start_to_close_timeout=timedelta(seconds=2))
        return ROUNDS


@workflow.defn
class Patient:
    """Wait for an approval without a limit."""

    def __init__(self) -> None:
        self._approved = asyncio.Event()

    @workflow.signal
    def approve(self) -> None:
        """Approve."""
        self._approved.set()

    @workflow.run
    async def run(self) -> int:
        """Return the hours it waited."""
        began = workflow.now()
        await self._approved.wait()
        return round((workflow.now() - began) / timedelta(hours=1))


@workflow.defn
class Strict:
    """Wait for an approval, and refuse one that is more than a day late."""

    def __init__(self) -> None:
        self._approved = asyncio.Event()

    @workflow.signal
    def approve(self) -> None:
        """Approve."""
        self._approved.set()

    @workflow.run
    async def run(self) -> None:
        """Fail if the approval is late."""
        began = workflow.now()
        await self._approved.wait()
        if workflow.now() - began > timedelta(days=1):
            raise ApplicationError("the approval is stale")


@workflow.defn
class Nap:
    """Sleep a day."""

    @workflow.run
    async def run(self) -> None:
        """Sleep."""
        await workflow.sleep(timedelta(days=1))


@workflow.defn
class Delegates:
    """Start a child that sleeps a day, then sleep two days."""

    @workflow.run
    async def run(self) -> str:
        """Sleep."""
        await workflow.execute_child_workflow(Nap.run)
        await workflow.sleep(timedelta(days=2))
        return "rested"
