"""`deploy wait-drained`: waits, says what it waits for, and at its limit what is still open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import click

from ..connection import Connection, Target
from ..errors import CannotAsk
from . import _deploy_text as text
from ._stuck_text import clean, stamp

if TYPE_CHECKING:
    from temporalio.client import Client

    from ..deployments import Drain

NAMED = 10
AGAIN_SECONDS = 1.0


class Waiting:
    """One wait for a build to drain; it survives a server that is away, but not from the start."""

    def __init__(self, connection: Connection, deployment: str, build: str, *, quiet: bool) -> None:
        self._connection = connection
        self._deployment = deployment
        self._build = build
        self._quiet = quiet
        self._said = ""
        self._away: CannotAsk | None = None
        self.last: Drain | None = None

    async def look_on(self) -> None:
        """Look until the build is drained."""
        while self.last is None or not self.last.done:
            try:
                await self._look_on()
            except CannotAsk as error:
                if self.last is None:
                    raise
                self._away = error
                self._say(f"! {error.message}")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _look_on(self) -> None:
        from ..deployments import drains

        client, _ = await self.client()
        async for looked in drains(client, self._deployment, self._build):
            self.last, self._away = looked, None
            self._say(text.drain(self._deployment, looked))

    async def client(self) -> tuple[Client, Target]:
        """The server.

        Raises:
            CannotAsk: It does not answer.
        """
        from ..connection import connect, find_target

        target = find_target(self._connection)
        return await connect(target), target

    def require_answer(self) -> Drain:
        """The last look.

        Raises:
            CannotAsk: The server has not answered since.
        """
        if self._away is not None or self.last is None:
            raise self._away or CannotAsk(f"there was no answer in time about the build {self._build}")
        return self.last

    def _say(self, line: str) -> None:
        if not self._quiet and line != self._said:
            from ..moments import utc_now

            click.echo(f"{utc_now()} {clean(line)}")
        self._said = line


async def wait(connection: Connection, deployment: str, build: str, limit: float, as_json: bool) -> bool:
    """Whether the build drained within `limit` seconds; prints what there is to say.

    Raises:
        DeploymentRefused, DeploymentUnknown, BuildUnknown: It will not drain, or is not there.
        CannotAsk: The server does not answer.
    """
    from ..deployments import open_on

    waiting = Waiting(connection, deployment, build, quiet=as_json)
    looking = asyncio.ensure_future(waiting.look_on())
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(looking, limit)
    looked = waiting.require_answer()
    client, target = await waiting.client()
    still = [] if looked.done else await open_on(client, deployment, build, NAMED)
    if as_json:
        click.echo(json.dumps(text.drain_json(deployment, looked, still, target), indent=2))
        return looked.done
    if not looked.done:
        click.echo(f"not drained within {limit:g} s; open and pinned to {clean(build)}:")
        for each in still:
            started = stamp(each.start_time.ToDatetime())
            click.echo(f"  {clean(each.execution.workflow_id)} ({clean(each.type.name)}), started {started}")
        if looked.pinned > len(still):
            click.echo(f"  and {looked.pinned - len(still):,} more")
    return looked.done
