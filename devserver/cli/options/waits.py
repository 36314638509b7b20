"""The options `--waits` and `--module`: where an open workflow waits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ...client.connection import Connection
from ...errors import OptionError
from .module_type import ModuleType

if TYPE_CHECKING:
    from ...replay import ReplayPool

_OPTIONS = (
    click.option("--waits", is_flag=True, help="Ask the worker of an open workflow where it waits and what it takes."),
    click.option(
        "--module",
        type=ModuleType(),
        metavar="MODULE",
        help="With --waits: replay the workflow with this module to find the line. Needed for Python.",
    ),
)


def waits_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--waits` and `--module`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def check_waits(values: Mapping[str, Any]) -> None:
    """Refuse `--module` without `--waits`.

    Raises:
        OptionError: There is one without the other.
    """
    if values["module"] and not values["waits"]:
        raise OptionError("--module has no effect without --waits", hint="add --waits")


@contextlib.asynccontextmanager
async def replay_pool(connection: Connection, values: Mapping[str, Any]) -> AsyncIterator[ReplayPool | None]:
    """A process that replays with the module of `--module`; None without one."""
    if not values["module"]:
        yield None
        return
    from ...replay import ReplayOptions, ReplayPool

    options = ReplayOptions(values["module"], connection, values["data_converter"], values["plugins"])
    async with ReplayPool(options, 1) as pool:
        yield pool
