"""Waiting until a server answers that no instance of ours is: one in a container, of a cluster, in the cloud."""

from __future__ import annotations

import asyncio
import time

from ..errors import CannotAsk
from .calls import ServiceCalls
from .target import CONNECT_SECONDS, Target, connect

POLL_SECONDS = 0.2
PROBE = "devserver-readiness-probe"


async def wait_until_ready(target: Target, limit: float) -> None:
    """Wait until a server is ready for a first workflow in the target's namespace.

    Args:
        target: The server.
        limit: Seconds to wait; with 0 the server is asked once.

    Raises:
        OptionError: The address or the certificates cannot be used.
        CannotAsk: It was not ready within the limit: it does not answer, or has no such namespace.
    """
    end = time.monotonic() + limit
    while True:
        left = end - time.monotonic()
        try:
            await _ask(target, min(CONNECT_SECONDS, left) if left > 0 else CONNECT_SECONDS)
        except CannotAsk:
            if time.monotonic() >= end:
                raise
        else:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _ask(target: Target, seconds: float) -> None:
    """Look up a workflow, which needs the history service, and count workflows, which needs visibility."""
    client = await connect(target, timeout=seconds)
    calls = ServiceCalls(client)
    await calls.describe_workflow(PROBE)
    await calls.count_workflows()
