"""What `start`, `signal`, `query` and `update` share: the client, and how values and failures are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ...client.target import Connection, Target
from .terminal import clean

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.common import RawValue

    from ...client.failures import FailureText
    from ...introspection.targets import CallTarget

FORM = 1
DEFAULT_LIMIT = "10s"


async def connected(connection: Connection, called: CallTarget) -> tuple[Client, Target]:
    """A client with the module's converter and plugins, which finds large payloads where `devserver run` puts them."""
    from ...client.target import find_target
    from ...introspection.converters import connect_for

    target = find_target(connection)
    return await connect_for(called.module, target), target


def value_of(raw: RawValue | None, client: Client) -> Any:
    """A result as JSON has it."""
    from ...introspection.results import shown

    return shown(raw.payload if raw is not None else None, client.data_converter)


def echo_json(value: Any) -> None:
    """Print a value; what stdout cannot show is escaped, as JSON can."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if clean(text.replace("\n", "")) == text.replace("\n", "") else json.dumps(value, indent=2))


def echo_failure(head: str, failure: FailureText) -> None:
    """Print a failure with its causes to stderr; `devserver trace` shows where they were raised."""
    click.echo(click.style(f"{head}: ", fg="red", bold=True) + clean(failure.lines[0]), err=True)
    for line in failure.lines[1:]:
        if not line.startswith("  "):
            click.echo(f"  {clean(line)}", err=True)


def note(text: str) -> None:
    """Say something besides, to stderr."""
    click.echo(click.style("note: ", fg="yellow") + clean(text), err=True)
