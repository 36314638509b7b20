"""Waiting with a limit, so that a cancellation is never lost.

`asyncio.wait_for` of Python 3.10 and 3.11 forgets a cancellation that comes in the moment in which what it waits for is
done: Ctrl-C would be told and nothing would end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, awaitable: Awaitable[T]) -> T:
    """What it gives; it is cancelled at the limit, and when the caller is.

    Raises:
        asyncio.TimeoutError: It took longer.
    """
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        late = not task.done()
        if late:
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # it is looked at below, or nobody's any more
    if late:
        raise asyncio.TimeoutError
    return task.result()
