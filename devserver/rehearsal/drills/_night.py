"""A pause of hours on a virtual clock: the server moves no clock of a paused workflow, so it moves at the resume."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ..environment.run_context import RunContext
from ..environment.virtual_clock import Clock, Stop
from ._operator import Operator

HELD_SECONDS = 0.5  # of the wall clock, in which nothing may start
PLANNED_SECONDS = 2.0
LOOK_SECONDS = 0.02


async def falls(context: RunContext, clock: Clock, length: timedelta) -> Stop:
    """Have the clock move that far as soon as the runbook is resumed; returns when the server knows."""
    stop = await clock.ahead(length)
    operator = Operator(context)
    until = context.timeline.now() + PLANNED_SECONDS
    while context.timeline.now() < until:
        config = (await operator.describe()).workflow_extended_info.time_skipping_info.effective_config
        if config.enabled and config.HasField("fast_forward_config"):
            break
        await asyncio.sleep(LOOK_SECONDS)
    return stop


async def passes(context: RunContext, stop: Stop) -> str:
    """Wait until it is over; what to say of it."""
    ways = [asyncio.create_task(each.wait()) for each in (stop.arrived, context.over)]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
    if stop.arrived.is_set():
        return "; its clock, which the server does not move during a pause, moved on right after it"
    return "; it ended before its clock had moved on by that much, which the server does after a pause only"
