"""What commands print: JSON with its form, lines, failures, notes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ...system.json_form import FORM
from .terminal import clean

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.common import RawValue

    from ...client.failures import FailureText


def form(**values: Any) -> dict[str, Any]:
    """A document of JSON: its form, then `values`."""
    return {"form": FORM, **values}


def echo_form(**values: Any) -> None:
    """Print a document of JSON."""
    echo_json(form(**values))


def echo_json(value: Any) -> None:
    """Print a value as JSON; what stdout cannot show is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if clean(text.replace("\n", "")) == text.replace("\n", "") else json.dumps(value, indent=2))


def echo_json_line(**values: Any) -> None:
    """Print a document of JSON on one line."""
    click.echo(json.dumps(form(**values)))


def echo_lines(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)


def echo_failure(head: str, failure: FailureText) -> None:
    """Print a failure to stderr: its root cause, then the failures around it, without stack traces."""
    click.echo(click.style(f"{head}: ", fg="red", bold=True) + clean(failure.line), err=True)
    shown = failure.line.partition("... (")[0]  # a long one is cut
    for line in failure.lines:
        if not line.startswith("  ") and line.removeprefix("caused by ") != failure.line and shown not in line:
            click.echo(f"  {clean(line)}", err=True)


def echo_note(text: str) -> None:
    """Print a note to stderr."""
    click.echo(click.style("note: ", fg="yellow") + clean(text), err=True)


def value_of(raw: RawValue | None, client: Client) -> Any:
    """A result as JSON has it."""
    from ...introspection.results import payload_json

    return payload_json(raw.payload if raw is not None else None, client.data_converter)
