"""Waiting for what `find_stuck` finds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from devserver.stuck import Finding, StuckReport, find_stuck

LIMIT = 120.0
POLL_SECONDS = 0.05


async def looks(client: Any, **how: Any) -> AsyncIterator[StuckReport]:
    """Yield one report after another, until the limit."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        yield await find_stuck(client, **how)
        await asyncio.sleep(POLL_SECONDS)


async def found(client: Any, kind: str, *, fits: Callable[[Finding], bool] = lambda _: True, **how: Any) -> Finding:
    """Return the first finding of this kind that matches, once there is one."""
    report = None
    async for report in looks(client, **how):
        for finding in report.findings:
            if finding.kind == kind and fits(finding):
                return finding
    raise AssertionError(f"no {kind} within {LIMIT:g} s: {report}")


async def clear(client: Any, **how: Any) -> StuckReport:
    """Return the first report without findings."""
    report = None
    async for report in looks(client, **how):
        if not report.stuck:
            return report
    raise AssertionError(f"still stuck after {LIMIT:g} s: {report}")
