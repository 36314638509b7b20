"""`deployment status`: the deployments once, or again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...client.target import Target
from ...errors import DevServerError
from ..options.client import ServerSession
from ..options.connection import words_of
from . import deployment as text
from .live import watch
from .output import echo_json, echo_lines
from .terminal import clean, stamp

if TYPE_CHECKING:
    from ...deployments import DeploymentStatus


@dataclass(frozen=True)
class DeploymentsStatus:
    """The deployments at one moment.

    Attributes:
        options: The options that choose the server, for commands that are suggested.
        everything: Whether idle builds are shown too.
    """

    found: Sequence[DeploymentStatus]
    target: Target
    at: datetime
    options: Sequence[str]
    everything: bool

    def lines(self) -> Iterator[str]:
        """The lines for a terminal."""
        return text.screen(self.found, self.target, self.options, everything=self.everything)

    def data(self) -> dict[str, Any]:
        """The documented form (docs/json.md)."""
        return text.status_json(self.found, self.target, self.at)


class StatusQuery:
    """Reads the deployments of one server, or one of them."""

    def __init__(self, connection: Connection, deployment: str | None, *, everything: bool) -> None:
        self._session = ServerSession(connection)
        self._options = words_of(connection)
        self._deployment = deployment
        self._everything = everything

    async def look(self) -> DeploymentsStatus:
        """The deployments now."""
        from ...deployments import deployment_statuses

        found, target = await self._session.call(lambda client: deployment_statuses(client, self._deployment))
        return DeploymentsStatus(found, target, datetime.now(timezone.utc), self._options, self._everything)


def show(seen: DeploymentsStatus, as_json: bool) -> None:
    """Print the deployments."""
    if as_json:
        echo_json(seen.data())
        return
    echo_lines(seen.lines())


async def watch_deployments(query: StatusQuery, seconds: float, as_json: bool) -> None:
    """Show the deployments again and again until Ctrl-C."""
    await watch(
        query.look,
        seconds,
        as_json=as_json,
        data=DeploymentsStatus.data,
        lines=DeploymentsStatus.lines,
        at=lambda seen: seen.at,
        changes=DeploymentChanges(),
    )


class DeploymentChanges:
    """Prints all deployments below the time whenever something has changed."""

    def __init__(self) -> None:
        self._last: list[str] = []

    def show(self, seen: DeploymentsStatus) -> None:
        """Print them if they have changed."""
        self._print([*seen.lines()], seen.at)

    def failed(self, error: DevServerError) -> None:
        """Print why they cannot be read."""
        self._print([f"! {clean(error.message)}"], datetime.now(timezone.utc))

    def stop(self) -> None:
        """Nothing to end."""

    def _print(self, lines: list[str], at: datetime) -> None:
        if lines != self._last:
            click.echo("\n".join([stamp(at), *lines]))
        self._last = lines
