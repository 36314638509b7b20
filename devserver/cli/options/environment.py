"""Options whose environment variables are read elsewhere, among the other settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ...config.settings import variable


class EnvironmentOption(click.Option):
    """An option whose environment variable --help shows, and which is read in its place among the other settings."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Nothing: the settings have it."""
        return None


def setting_option(*names: str, key: str, **values: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option for the setting `key` of the project's table (`[tool.devserver]`) and its environment variable."""
    return click.option(*names, cls=EnvironmentOption, envvar=variable(key), show_envvar=True, **values)
