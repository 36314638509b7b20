"""`deployment wait-drained`: waits, reports progress, and at the timeout the workflows that are still open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import click

from ...client.connection import Connection
from ...client.target import Target
from ...errors import CannotAsk
from . import deployment as text
from .output import echo_json
from .terminal import clean, stamp

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...deployments import Drainage

NAMED = 10
AGAIN_SECONDS = 1.0


class DrainWait:
    """Waits for a build to drain. The first look must succeed; later ones survive a server that does not answer."""

    def __init__(self, connection: Connection, deployment: str, build: str, *, quiet: bool) -> None:
        self._connection = connection
        self._deployment = deployment
        self._build = build
        self._quiet = quiet
        self._said = ""
        self._away: CannotAsk | None = None
        self._last: Drainage | None = None

    async def look(self) -> Drainage:
        """Look once."""
        return await anext(self._looks())

    async def look_on(self) -> None:
        """Look until the build is drained."""
        while True:
            try:
                async for _ in self._looks():
                    pass
            except CannotAsk as error:
                self._away = error
                self._say(f"! {error.message}")
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _looks(self) -> AsyncIterator[Drainage]:
        from ...deployments import watch_drainage

        client, _ = await self.client()
        async for looked in watch_drainage(client, self._deployment, self._build):
            self._last, self._away = looked, None
            self._say(text.drain(self._deployment, looked))
            yield looked

    async def client(self) -> tuple[Client, Target]:
        """The server.

        Raises:
            CannotAsk: It does not answer.
        """
        from ...client.target import connect, find_target

        target = find_target(self._connection)
        return await connect(target), target

    def require_answer(self) -> Drainage | None:
        """The last look.

        Raises:
            CannotAsk: The server has not answered since.
        """
        if self._away is not None:
            raise self._away
        return self._last

    def _say(self, line: str) -> None:
        if not self._quiet and line != self._said:
            from ...system.timefmt import utc_now

            click.echo(f"{utc_now()} {clean(line)}")
        self._said = line


async def wait(connection: Connection, deployment: str, build: str, limit: float, as_json: bool) -> bool:
    """Whether the build drained within `limit` seconds; prints progress and the result.

    Raises:
        DeploymentRefused, DeploymentUnknown, BuildUnknown: It will not drain, or does not exist.
        CannotAsk: The server does not answer.
    """
    from ...deployments import pinned_workflows

    waiting = DrainWait(connection, deployment, build, quiet=as_json)
    looked = await waiting.look()
    if not looked.done:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(waiting.look_on(), limit)
        looked = waiting.require_answer() or looked
    client, target = await waiting.client()
    still = [] if looked.done else await pinned_workflows(client, deployment, build, NAMED)
    if as_json:
        echo_json(text.drain_json(deployment, looked, still, target))
        return looked.done
    if not looked.done:
        click.echo(f"not drained within {limit:g} s; open and pinned to {clean(build)}:")
        for execution in still:
            started = stamp(execution.start_time.ToDatetime())
            click.echo(f"  {clean(execution.execution.workflow_id)} ({clean(execution.type.name)}), started {started}")
        if looked.pinned > len(still):
            click.echo(f"  and {looked.pinned - len(still):,} more")
    return looked.done
