"""The world of a run: what its runbook works on, made before the run and gone after it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ..errors import WorldFailed
from ..scenario.scenario import Scenario


@contextlib.asynccontextmanager
async def world_of(scenario: Scenario, folder: Path) -> AsyncIterator[Any]:
    """Make the scenario's world for a run in that folder, and take it down at the end; what it gives.

    It is made and taken down in a thread, so it may block; a cancellation waits for that.

    Raises:
        WorldFailed: It cannot be made or taken down; says why.
    """
    if scenario.world is None:
        yield None
        return
    try:
        manager = scenario.world(folder)
        making = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
        try:
            value = await asyncio.shield(making)
        except asyncio.CancelledError:
            await asyncio.wait([making])
            if making.exception() is None:
                await _taken_down(manager)
            raise
    except Exception as error:
        raise WorldFailed(f"the scenario's world cannot be made: {type(error).__name__}: {error}") from error
    try:
        yield value
    finally:
        await _taken_down(manager)


async def _taken_down(manager: contextlib.AbstractContextManager[Any]) -> None:
    work = asyncio.ensure_future(asyncio.to_thread(manager.__exit__, None, None, None))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
    except Exception as error:
        raise WorldFailed(f"the scenario's world cannot be taken down: {type(error).__name__}: {error}") from error
