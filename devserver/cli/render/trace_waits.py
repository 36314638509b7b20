"""Where an open workflow waits and what it takes: lines and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .terminal import clean, wrapped

if TYPE_CHECKING:
    from ...trace.waits import WaitingPlaces

INDENT = "  "


def waiting_lines(places: WaitingPlaces) -> Iterator[str]:
    """The lines below a tree."""
    if places.stacks:
        yield click.style("waits at", bold=True)
    for number, stack in enumerate(places.stacks):
        if number:
            yield f"{INDENT}and at"
        for line in stack:
            yield INDENT * 2 + clean(line)
    if places.handlers:
        yield click.style("takes", bold=True)
    for handler in places.handlers:
        text = f": {handler.description}" if handler.description else ""
        yield from wrapped(f"{handler.kind} {handler.name}{text}", INDENT * 2, INDENT)
    if places.details:
        yield click.style("details", bold=True)
        for line in places.details.splitlines():
            yield INDENT * 2 + clean(line)
    for note in places.notes:
        yield from wrapped(f"note: {note}", hanging=INDENT)


def as_json(places: WaitingPlaces) -> dict[str, Any]:
    """The same as JSON (docs/json.md)."""
    return asdict(places)
