"""Values and failures in a trace's tree, as text of one line each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from ...history import failure_facts, preview
from ...system.timefmt import lasted
from ...trace import formatting
from .terminal import clean, width_now

if TYPE_CHECKING:
    from temporalio.api.failure.v1 import Failure
    from temporalio.converter import DataConverter

    from ...history import NamedPayloads, RunChain, Step, TruncatedPayload
    from ...trace import RunBegins

MOST_WIDTH, LEAST_WIDTH = 160, 40


class TraceTexts:
    """Makes texts of at most `width` characters; `arrow` stands between input and result."""

    def __init__(self, converter: DataConverter, width: int, arrow: str) -> None:
        self._converter = converter
        self._width = width
        self._arrow = arrow

    async def preview(self, kept: Sequence[TruncatedPayload]) -> str:
        """Values, decoded as far as the converter can."""
        return clean(await preview(kept, self._converter, self._width)) if kept else ""

    async def facts(self, failure: Failure, retry_state: str) -> str:
        """What a failure says in addition to its message; empty if that is nothing."""
        facts = await failure_facts(failure, self._converter, retry_state)
        text = clean(", ".join(facts.words()))
        return text if len(text) <= self._width else text[: self._width - 3] + "..."

    async def about_run(self, item: RunBegins) -> list[str]:
        """Where a run comes from, what the client said when it started it, and the versions that worked on it."""
        run, origin = item.run, item.run.origin
        started = f"{run.started:%Y-%m-%d %H:%M:%S} UTC, " if run.started is not None else ""
        texts = [f"{started}run {run.run_id}" + ("" if item.depth else f", task queue {run.task_queue}")]
        if origin.how == "reset":
            by = f" by {origin.by}" if origin.by else ""
            reason = f": {origin.reason}" if origin.reason else ""
            texts.append(f"reset{by} from run {origin.run_id} at event {origin.event_id}{reason}")
        elif origin.how == "retried":
            texts.append(f"attempt {run.attempt} of the workflow, after run {origin.run_id}")
        elif origin.how != "started":
            texts.append(f"{formatting.HOW[origin.how]}, after run {origin.run_id}")
        if origin.schedule_id:
            texts.append(f"started by the schedule {origin.schedule_id}")
        if origin.parent is not None and item.depth == 0:
            texts.append(f"child of {origin.parent.workflow_id}, run {origin.parent.run_id}")
        if origin.caller is not None and item.depth == 0:
            texts.append(f"called by a Nexus operation of {origin.caller.workflow_id}, run {origin.caller.run_id}")
        if run.skipped > timedelta(0):
            texts.append(f"time was skipped: its clock is ahead by {lasted(run.skipped)}")
        return texts + await self._said_at_start(item)

    async def _said_at_start(self, item: RunBegins) -> list[str]:
        run = item.run
        texts: list[str] = []
        if run.cron:
            texts.append(f"cron schedule {run.cron}")
        if run.versioning or any(":" in build for build in run.builds):
            texts.append(
                ", ".join([f"build {' and '.join(run.builds)}" if run.builds else "", run.versioning]).strip(", ")
            )
        if run.input and (item.depth == 0 or item.number > 1):
            texts.append(f"input {await self.preview(run.input)}")
        if item.depth == 0:
            for name, values in (("summary", run.summary), ("details", run.details)):
                texts += [f"{name} {await self.preview(values)}"] if values else []
            for name, named in (("memo", run.memo), ("search attributes", run.search_attributes)):
                texts += [f"{name} {await self._named(named)}"] if named else []
        return texts

    async def _named(self, named: NamedPayloads) -> str:
        shown = [(name, await self.preview(values)) for name, values in named]
        return ", ".join(f"{name} = {value}" for name, value in shown)

    async def of_step(self, step: Step) -> str:
        """What a step was given and gave, with its summary; the values of search attributes and memo."""
        if len(step.values) == 1:  # its name is in the title
            return f"= {await self.preview(step.values[0][1])}"
        if step.values:
            return await self._named(step.values)
        given = await self.preview(step.input)
        got = await self.preview(step.result) if step.kind != "child" else ""
        note = _unquoted(await self.preview(step.note))
        values = f"{given} {self._arrow} {got}".strip() if got and got != "null" else given
        return f"summary: {note}  {values}".strip() if note else values


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def tree_width() -> int:
    """The width of a tree."""
    return width_now(LEAST_WIDTH, MOST_WIDTH)


def heading(chain: RunChain, label: str) -> Iterator[str]:
    """Notes above a tree."""
    notes = list(chain.notes)
    if chain.others:
        many = "is another execution" if chain.others == 1 else f"are {chain.others:,} other executions"
        notes.append(f"there {many} with this workflow id at {label}; show one with --run-id")
    for note in notes:
        yield from textwrap.wrap(clean(f"note: {note}"), tree_width(), break_on_hyphens=False)
