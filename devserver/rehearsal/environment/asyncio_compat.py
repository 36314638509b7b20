"""`asyncio.wait_for` that never loses a cancellation.

In Python 3.10 and 3.11, `asyncio.wait_for` drops a cancellation that arrives just when the awaited task is done:
Ctrl-C would be acknowledged, and nothing would end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, awaitable: Awaitable[T]) -> T:
    """The result of an awaitable, which is cancelled after `seconds`, and when the caller is cancelled.

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
            task.exception()  # retrieved, so that asyncio does not warn
    if late:
        raise asyncio.TimeoutError
    return task.result()
