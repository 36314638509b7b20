"""The hits of a search: one line each, wrapped on a terminal, and as JSON."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from ...system.json_form import FORM
from ...system.timefmt import lasted
from .terminal import clean, redraws, stamp, wrapped

if TYPE_CHECKING:
    from ...search import Hit, Search
    from .live import LiveView

INDENT = "    "
LEAST_WIDTH = 20
OPEN = ("waiting", "running")
# States in which a failure is an earlier attempt's.
WELL = ("completed", *OPEN)
KINDS = {"workflow_task": "workflow task", "nexus": "Nexus operation", "local_activity": "local activity"}


def hit_lines(hit: Hit) -> list[str]:
    """The hit: one line, or folded to the width of a terminal."""
    name = clean(hit.workflow_id)
    text = f"{stamp(hit.at)} {name} {hit.run_id} {clean(_what(hit))}"
    width = _width()
    first, *rest = [text] if width is None else _folded(text, width)
    at = len(stamp(hit.at))
    return [first[:at] + first[at:].replace(name, click.style(name, bold=True), 1), *rest]


def _folded(text: str, width: int) -> list[str]:
    """Ids stay whole, so that they can be copied."""
    return wrapped(text, hanging=INDENT, width=width)


def _what(hit: Hit) -> str:
    kind = KINDS.get(hit.kind, hit.kind)
    if hit.state == "event":
        name = f" {hit.name}" if hit.name else ""
        rest = f": {hit.last_failure}" if hit.last_failure else ""
        return f"{hit.event}{name}{rest}"
    name = " ".join(item for item in (kind, hit.name or hit.id) if item)
    attempt = f", attempt {hit.attempt}" if (hit.attempt or 0) > 1 else ""
    took = f" {hit.note!r}" if hit.note else ""
    if hit.starts is not None:
        return f"{name} starts in {lasted(hit.starts - datetime.now(timezone.utc))}"
    if hit.seconds is None and hit.kind == "local_activity":
        took += ", duration unknown"
    if hit.seconds is not None:
        took += f", {'for' if hit.state in OPEN else 'after'} {lasted(timedelta(seconds=hit.seconds))}"
    plain = hit.state in OPEN or hit.event.lower().endswith(hit.state.replace("_", ""))
    asked = "" if plain else f" ({hit.event})"
    before = "; last failure" if hit.state in WELL else ""
    failure = f"{before}: {hit.last_failure}" if hit.last_failure else ""
    return f"{name} {hit.state.replace('_', ' ')}{attempt}{took}{asked}{failure}"


def _width() -> int | None:
    """The width to wrap to; None for a pipe, where lines stay whole."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return None
    return max(LEAST_WIDTH, shutil.get_terminal_size().columns)


def as_json(hit: Hit) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    values = asdict(hit)
    for key, when in (("at", hit.at), ("starts", hit.starts)):
        values[key] = when.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if when is not None else None
    values["failure"] = list(hit.failure)
    return {"form": FORM, **values}


def summary(search: Search, found: int, next_command: Sequence[str]) -> list[str]:
    """What the search was, for who reads along: how much was found in how much, and what to do next."""
    done, read = search.progress.done, search.progress.read
    how = f"{read:,} read from the server ({search.progress.events:,} events), the others from the local index"
    how = how if read < done else f"all read from the server ({search.progress.events:,} events)"
    how = how if read else "all from the local index"
    how = f"{search.progress.events:,} events" if search.stored else how
    much = f"{found:,} hit{'s' * (found != 1)}"
    much = f"the first {much}; --limit shows more" if search.more else much
    lines = [f"{much}; {done:,} run{'s' * (done != 1)}{f', {how}' if done else ''}"]
    if search.near:
        lines.append(f"did you mean {' or '.join(search.near)}?")
    if search.gone:
        lines.append(f"{search.gone:,} of the listed runs have no history: their retention period has passed")
    if next_command:
        lines.append(f"see the whole workflow: {shlex.join(next_command)}")
    width = _width()
    shown = [clean(text) for text in lines]
    return [line for text in shown for line in _folded(text, width)] if width else shown


class SearchBar:
    """The progress of a search: one line on stderr, redrawn in place; on a terminal only."""

    def __init__(self) -> None:
        self.wanted = redraws(sys.stderr)
        self._view: LiveView | None = None
        self._next = 0.0

    def show(self, progress: Any) -> None:
        """Draw it, at most ten times a second, once there is something to wait for."""
        import time

        from .live import LiveView

        now = time.monotonic()
        if not progress.events or now < self._next:
            return
        self._next = now + 0.1
        of = f" of {progress.total:,}" if progress.total is not None else ""
        if self._view is None:
            self._view = LiveView(err=True, transient=True)
            self._view.__enter__()
        self._view.show([f"reading histories: {progress.done:,}{of} runs, {progress.events:,} events"])

    def hide(self) -> None:
        """Erase it, before other output."""
        if self._view is not None:
            self._view.stop()
            self._view = None
