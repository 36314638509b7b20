"""Blocking code in an event loop: run in a thread, and never abandoned halfway when the caller is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread; a cancelled caller waits until the function has returned."""
    work = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


@contextlib.asynccontextmanager
async def async_block(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and exit a blocking context manager in threads; a caller that is cancelled while entering exits it too."""
    entering = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        value = await asyncio.shield(entering)
    except asyncio.CancelledError:
        await asyncio.wait([entering])
        if entering.exception() is None:
            await in_thread(lambda: manager.__exit__(None, None, None))
        raise
    try:
        yield value
    finally:
        await in_thread(lambda: manager.__exit__(None, None, None))
