"""Options whose default, or whose environment variable, is applied elsewhere, and shown in --help all the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ...config.option_values import variable


class DefaultOption(click.Option):
    """An option without a default of its own.

    Args:
        literal: The value that it has where it is not given; --help shows it as click shows a default.
    """

    def __init__(self, *args: Any, literal: str | None = None, **values: Any) -> None:
        if literal is not None:
            values["show_default"] = literal
        super().__init__(*args, **values)
        self._literal = literal

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option and its help, without the parentheses that click puts around text."""
        record = super().get_help_record(ctx)
        if record is None or self._literal is None:
            return record
        return record[0], record[1].replace(f"default: ({self._literal})", f"default: {self._literal}")


class EnvironmentOption(DefaultOption):
    """An option whose environment variable --help shows, and which is read in its place among the other settings."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Nothing: the settings have it."""
        return None


def setting_option(*names: str, key: str, **values: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for the setting `key` of the project and its environment variable."""
    return click.option(*names, cls=EnvironmentOption, envvar=variable(key), show_envvar=True, **values)
