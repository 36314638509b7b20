"""A line for each workflow that starts or closes, below the banner of a server in the foreground."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from ...instances.record import Record
from ...instances.workflow_changes import WorkflowChange, WorkflowChanges, WorkflowWatcher
from .terminal import clean, stamp

MOST_LINES = 10  # a second
MOST_TEXT = 120  # of a name
FAILED = ("failed", "timed out", "terminated")
COLORS = {"completed": "green", **dict.fromkeys(FAILED, "red")}


class WorkflowLines:
    """Prints what a server's watcher finds. A reader of the output who leaves does not end the server."""

    def __init__(self) -> None:
        self._watcher: WorkflowWatcher | None = None
        self._namespace = ""

    def begin(self, record: Record) -> None:
        """Watch this server."""
        self._watcher = WorkflowWatcher(record)
        self._namespace = record.namespace

    def look(self) -> None:
        """Print what happened since the last look."""
        if self._watcher is None:
            return
        try:
            for line in lines_of(self._watcher.look(), self._namespace):
                click.echo(line)
            sys.stdout.flush()
        except OSError:
            self._watcher = None


def lines_of(found: WorkflowChanges, namespace: str) -> Iterator[str]:
    """At most `MOST_LINES` changes in the order of time, failures before others, and how many more there were."""
    by_weight = sorted(found.changes, key=lambda change: change.what not in FAILED)  # stable: the oldest first
    shown = sorted(by_weight[:MOST_LINES], key=lambda change: change.at)
    for change in shown:
        yield _line(change, namespace)
    more = len(found.changes) - len(shown) + found.more
    if more:
        yield f"... and {more:,} more"


def _line(change: WorkflowChange, namespace: str) -> str:
    where = "" if change.namespace == namespace else f" in {_short(change.namespace)}"
    took = "" if change.seconds is None else f" after {change.seconds:,.1f} s"
    color = COLORS.get(change.what)
    what = click.style(f"{change.what:<10}", fg=color) if color else f"{change.what:<10}"
    return f"{stamp(change.at)} {what} {_short(change.workflow_type)} {_short(change.workflow_id)}{where}{took}"


def _short(text: str) -> str:
    safe = clean(text)
    return safe if len(safe) <= MOST_TEXT else f"{safe[: MOST_TEXT - 3]}..."
