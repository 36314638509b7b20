"""The options by which a command is told of a data converter and of plugins that the module does not have itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .module_type import ModuleType

if TYPE_CHECKING:
    from temporalio.client import Client

    from ...client.target import Target

_OPTIONS = (
    click.option(
        "--data-converter",
        type=ModuleType(),
        metavar="MODULE:NAME",
        help="Carry values with this. [the module's, or the SDK's]",
    ),
    click.option(
        "--plugin",
        "plugins",
        type=ModuleType(),
        multiple=True,
        metavar="MODULE:NAME",
        help="Use this plugin of the SDK as well. Repeatable.",
    ),
)


def given_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--data-converter` and `--plugin`: they say how values are carried, so they are the same for all commands."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


async def connect_with(target: Target, data_converter: str | None, plugins: Iterable[str]) -> Client:
    """A client that has these, and no module; large payloads stay what the history has of them."""
    from ...client.target import connect

    if data_converter is None and not plugins:
        return await connect(target)
    from ...introspection.converters import connect_for, with_given
    from ...introspection.module import Module

    nothing = Module(spec="", name="", file=None, project=Path.cwd(), task_queue="")
    return await connect_for(with_given(nothing, data_converter, plugins), target, large_payloads=False)
