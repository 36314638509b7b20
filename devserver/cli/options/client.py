"""How a command that asks a server reaches it, and prints what it has to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import click

from ...client.target import Connection, Target
from ...errors import DevServerError

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")


class Asker:
    """Asks one server, as often as is wanted; finds and connects to it anew after a question that failed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reached: tuple[Client, Target] | None = None

    async def ask(self, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
        """What `work` brings with a client of the server that is meant, and which server that was."""
        from ...client.target import connect, find_target

        if self._reached is None:
            target = find_target(self._connection)
            self._reached = await connect(target), target
        client, target = self._reached
        try:
            return await work(client), target
        except DevServerError:
            self._reached = None
            raise


def asked(connection: Connection, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
    """The same for one question, without a loop around."""
    import asyncio

    return asyncio.run(Asker(connection).ask(work))


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)
