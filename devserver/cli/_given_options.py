"""The options by which a command is told of a data converter and of plugins that the module does not have itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ._module_type import ModuleType

_OPTIONS = (
    click.option(
        "--data-converter",
        type=ModuleType(),
        metavar="MODULE:NAME",
        help="Carry values with this. [data_converter of the module]",
    ),
    click.option(
        "--plugin",
        "plugins",
        type=ModuleType(),
        multiple=True,
        metavar="MODULE:NAME",
        help="Use this plugin of the SDK, after those of the module. Repeatable.",
    ),
)


def given_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--data-converter` and `--plugin`: they say how values are carried, so they are the same for all commands."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
