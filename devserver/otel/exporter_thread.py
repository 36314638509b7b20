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
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def answer(error: Exception | None) -> None:
        if not future.done():
            future.set_result(None) if error is None else future.set_exception(error)

    def run() -> None:
        error: Exception | None = None
        try:
            call()
        except Exception as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(answer, error)

    threading.Thread(target=run, name="devserver.otel", daemon=True).start()
    await future
