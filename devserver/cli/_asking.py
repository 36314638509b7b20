"""How a command that asks a server for one thing reaches it, and prints what it has to say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import click

from ..connection import Connection, Target

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")


def asked(connection: Connection, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
    """What `work` brings with a client of the server that is meant, and which server that was."""
    import asyncio

    from ..connection import connect, find_target

    target = find_target(connection)

    async def run() -> T:
        return await work(await connect(target))

    return asyncio.run(run()), target


def show_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)
