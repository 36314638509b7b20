"""Calls of an exporter beside the event loop: one that hangs holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


async def close(exporter: SpanExporter, seconds: float, *, shut_down: bool) -> None:
    """Let an exporter send what it keeps, and shut it down if that is wanted, within so many seconds."""

    def closed() -> None:
        exporter.force_flush(int(seconds * 1000))
        if shut_down:
            exporter.shutdown()

    with contextlib.suppress(asyncio.TimeoutError, Exception):  # an exporter may be anybody's
        await asyncio.wait_for(beside(closed), seconds)


async def beside(call: Callable[[], None]) -> None:
    """Make a call that may hang in a thread of its own: it takes none from others, and nobody's end waits for it."""
    await asyncio.to_thread(call)
