"""`deploy status`: one look at the deployments, or one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection, Target
from ...errors import DevServerError
from ..options.client import Asker, show_lines
from ..options.connection import words_of
from . import deployment as text
from .live import JsonLines, Screen, View, redraws
from .terminal import clean, stamp

if TYPE_CHECKING:
    from ...deployments import DeploymentStatus


@dataclass(frozen=True)
class Seen:
    """One look, and of how much of it is wanted."""

    found: Sequence[DeploymentStatus]
    target: Target
    at: datetime
    options: Sequence[str]
    everything: bool

    def lines(self) -> Iterator[str]:
        """For a person."""
        return text.screen(self.found, self.target, self.options, everything=self.everything)

    def data(self) -> dict[str, Any]:
        """The documented form (docs/json.md)."""
        return text.status_json(self.found, self.target, self.at)


class Asking:
    """Looks at the deployments of one server, or at one of them."""

    def __init__(self, connection: Connection, deployment: str | None, *, everything: bool) -> None:
        self._asker = Asker(connection)
        self._options = words_of(connection)
        self._deployment = deployment
        self._everything = everything

    async def look(self) -> Seen:
        """The deployments now."""
        from ...deployments import deployment_statuses

        found, target = await self._asker.ask(lambda client: deployment_statuses(client, self._deployment))
        return Seen(found, target, datetime.now(timezone.utc), self._options, self._everything)


def show(seen: Seen, as_json: bool) -> None:
    """Print one look."""
    if as_json:
        click.echo(json.dumps(seen.data(), indent=2))
        return
    show_lines(seen.lines())


def view(seconds: float, as_json: bool) -> View[Seen]:
    """Where looks are shown that go on."""
    if as_json:
        return JsonLines(text.FORM, Seen.data)
    if redraws():
        return Screen(seconds, Seen.lines, lambda seen: seen.at)
    return Changes()


class Changes:
    """The whole again whenever it differs from what was seen last, below the time."""

    def __init__(self) -> None:
        self._last: list[str] = []

    def show(self, seen: Seen) -> None:
        """A look."""
        self._print([*seen.lines()], seen.at)

    def failed(self, error: DevServerError) -> None:
        """No look."""
        self._print([f"! {clean(error.message)}"], datetime.now(timezone.utc))

    def _print(self, lines: list[str], at: datetime) -> None:
        if lines != self._last:
            click.echo("\n".join([stamp(at), *lines]))
        self._last = lines
