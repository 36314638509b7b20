"""How a command reaches its server: the options for values on the way, and the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ...client.connection import Connection
from ...client.target import Target
from ...errors import DevServerError
from .module_type import ModuleType

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

    from ...introspection.targets import CallTarget

T = TypeVar("T")

_OPTIONS = (
    click.option(
        "--data-converter",
        type=ModuleType(),
        metavar="MODULE:NAME",
        show_default="the module's, or the SDK's",
        help="Data converter to use.",
    ),
    click.option(
        "--plugin",
        "plugins",
        type=ModuleType(),
        multiple=True,
        metavar="MODULE:NAME",
        help="SDK plugin to add. Repeatable.",
    ),
)


def converter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--data-converter` and `--plugin`: they say how values are encoded, so they are the same for all commands."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def defer_sdk() -> None:
    """Let a command that reads import only the parts of the SDK that it uses. Call it before any import of the SDK."""
    from ...client.deferred_sdk import defer_sdk

    defer_sdk()


async def connect_with(
    target: Target, data_converter: str | None, plugins: Iterable[str], *, reading: bool = False
) -> Client:
    """A client with this data converter and these plugins, without a module; large payloads stay references."""
    from ...client.target import connect

    if data_converter is None and not plugins:
        return await connect(target, reading=reading)
    from ...introspection.converters import connect_for, with_options
    from ...introspection.module import Module

    nothing = Module(spec="", name="", file=None, project=Path.cwd(), task_queue="")
    return await connect_for(with_options(nothing, data_converter, plugins), target, large_payloads=False)


async def converter_for(
    connection: Connection, data_converter: str | None, plugins: Iterable[str]
) -> DataConverter | None:
    """The data converter that a client of `connect_with` would have, without a server; None is the SDK's default."""
    from ...client.target import DEFAULT_NAMESPACE, codec_of

    found = await _named_converter(data_converter, plugins)
    codec = codec_of(connection)
    if codec is None:
        return found
    from ...client.remote_codec import with_codec

    return with_codec(found, codec, connection.namespace or DEFAULT_NAMESPACE)


async def _named_converter(data_converter: str | None, plugins: Iterable[str]) -> DataConverter | None:
    if data_converter is None and not plugins:
        return None
    from ...introspection.converters import converter_in_use, with_options
    from ...introspection.module import Module

    nothing = Module(spec="", name="", file=None, project=Path.cwd(), task_queue="")
    return await converter_in_use(with_options(nothing, data_converter, plugins))


async def connect_as(called: CallTarget, connection: Connection) -> tuple[Client, Target]:
    """A client with a module's converter and plugins, which finds large payloads where `devserver run` puts them."""
    from ...client.target import find_target
    from ...introspection.converters import connect_for

    target = find_target(connection)
    return await connect_for(called.module, target), target


class ServerSession:
    """Calls one server any number of times; after a call that failed it finds the server and connects again."""

    def __init__(
        self,
        connection: Connection,
        data_converter: str | None = None,
        plugins: Sequence[str] = (),
        *,
        reading: bool = False,
    ) -> None:
        self._connection = connection
        self._reading = reading
        self._converter = (data_converter, plugins)
        self._reached: tuple[Client, Target] | None = None

    async def call(self, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
        """The result of `work` with a client, and the server."""
        from ...client.target import find_target

        if self._reached is None:
            target = find_target(self._connection)
            self._reached = await connect_with(target, *self._converter, reading=self._reading), target
        client, target = self._reached
        try:
            return await work(client), target
        except DevServerError:
            self._reached = None
            raise


def call_server(connection: Connection, work: Callable[[Client], Awaitable[T]]) -> tuple[T, Target]:
    """The result of `work` with a client, and the server, for a command without an event loop."""
    import asyncio

    return asyncio.run(ServerSession(connection).call(work))
