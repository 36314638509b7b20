"""The rows of a trace's page: one for each run, step and repeat, with the details that it opens to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from ...client.failures import failure_text
from ...history.failure_facts import failure_facts
from ...history.model import OPEN, NamedPayloads, Step, WorkflowRun
from ...history.previews import TruncatedPayload, preview
from ...history.run_chain import RunChain
from .. import formatting
from ..repeats import OmittedSteps, Repeat
from ..tree import HiddenRuns, RunBegins, RunEnds, ShownEntry, TraceItem

MAX_VALUE = 4000
MAX_NAMED = 12


@dataclass(frozen=True)
class PageScale:
    """The time that the page shows: from the first run's start to the newest run's close, or to now."""

    start: datetime
    end: datetime

    def share(self, when: datetime | None) -> float:
        """The position of a time, from 0 at the start to 100 at the end; None is the end."""
        whole = (self.end - self.start).total_seconds()
        passed = ((when or self.end) - self.start).total_seconds()
        return 0.0 if whole <= 0 else round(min(100.0, max(0.0, 100 * passed / whole)), 4)


@dataclass(frozen=True)
class PageRow:
    """One row of the page.

    Attributes:
        depth: The depth in the tree.
        kind: A class of the style sheet: `run`, `step`, `repeat`, `note`.
        state: The status of the run or step.
        title, about: A few words each.
        left, right: Start and end of its bar, 0 to 100; None for a note.
        begun: The time since the start of the page.
        behind: Names and texts that are shown when the row is opened.
        bad: Whether it, or an attempt of it, failed.
    """

    depth: int
    kind: str
    state: str
    title: str
    about: str = ""
    left: float | None = None
    right: float | None = None
    begun: str = ""
    behind: Sequence[tuple[str, str]] = ()
    bad: bool = False


def scale_of(chain: RunChain, now: datetime) -> PageScale:
    """The time from the first known run to the newest run's close."""
    starts = [link.started for link in chain.runs if link.started is not None]
    start = min(starts, default=now)
    return PageScale(start, max(chain.newest.closed or now + chain.newest.ahead, start))


class PageRows:
    """Makes rows of the items of a walk."""

    def __init__(
        self, converter: DataConverter, scale: PageScale, now: datetime, *, missing: str = "its history is gone"
    ) -> None:
        self._converter = converter
        self._missing = missing
        self._scale = scale
        self._now = now

    async def row(self, item: TraceItem) -> PageRow | None:
        """The row of an item; None if it has none."""
        if isinstance(item, RunEnds):
            return None
        if isinstance(item, RunBegins):
            return await self._run(item)
        if isinstance(item, HiddenRuns):
            counted = Counter(link.status.replace("_", " ") for link in item.runs)
            counts = ", ".join(f"{count:,} {status}" for status, count in counted.most_common())
            return PageRow(item.depth, "note", "", item.what + (f": {counts}" if counts else ""))
        depth = item.depth + 1 + (item.of is not None)
        if isinstance(item.entry, Repeat):
            return self._repeat(depth, item.entry)
        if isinstance(item.entry, OmittedSteps):
            return self._rest(depth, item.entry)
        return await self._step(depth, item, item.entry)

    async def _run(self, item: RunBegins) -> PageRow | None:
        run, runs = item.run, item.chain.runs
        if item.depth and len(runs) == 1:
            return None  # the step that started it shows the same
        number = f", run {item.number} of {len(runs)}" if len(runs) > 1 else ""
        if run.missing:
            return PageRow(item.depth, "note", "", f"run {run.run_id}{number}: {self._missing}")
        return PageRow(
            item.depth,
            "run",
            run.status,
            f"{run.type} {run.workflow_id}{number}",
            formatting.run_state(run, self._now + run.skipped),
            self._scale.share(run.started),
            self._scale.share(run.closed),
            formatting.after(self._scale.start, run.started).strip(),
            await self._behind_run(run),
            run.bad,
        )

    async def _behind_run(self, run: WorkflowRun) -> list[tuple[str, str]]:
        behind = [("run id", run.run_id), ("task queue", run.task_queue), ("how", formatting.HOW[run.origin.how])]
        behind += [
            ("started", _stamp(run.started)),
            ("closed", _stamp(run.closed)),
            ("events", f"{run.events:,}"),
            ("workers", ", ".join(run.identities)),
            ("builds", ", ".join(run.builds)),
            ("reason", run.reason),
            ("versioning", run.versioning),
            ("cron schedule", run.cron),
            ("summary", await self._values(run.summary)),
            ("details", await self._values(run.details)),
            ("memo", await self._named(run.memo)),
            ("search attributes", await self._named(run.search_attributes)),
            ("input", await self._values(run.input)),
            ("result", await self._values(run.result)),
        ]
        if run.failure is not None:
            behind.append(("failure", await self._failure(run.failure, run.retry_state)))
        return [(name, text) for name, text in behind if text]

    async def _step(self, depth: int, item: ShownEntry, step: Step) -> PageRow:
        behind = [
            ("kind", step.kind.replace("_", " ")),
            ("event", str(step.event_id)),
            ("scheduled", _stamp(step.scheduled)),
            ("started", _stamp(step.started)),
            ("closed", _stamp(step.closed)),
            ("attempts", str(step.attempts or "")),
            ("worker", step.identity),
            ("task queue", step.queue if step.queue != item.run.task_queue else ""),
            ("reason", step.reason),
            ("summary", await self._values(step.note)),
            ("values", await self._named(step.values)),
            ("heartbeat", await self._values(step.heartbeat)),
            ("input", await self._values(step.input)),
            ("result", await self._values(step.result)),
        ]
        if step.failure is not None:
            name = "failure" if step.bad else "last failure"
            behind.append((name, await self._failure(step.failure, step.retry_state)))
        end = step.closed if step.closed is not None or step.status in OPEN else step.scheduled
        return PageRow(
            depth,
            "step",
            step.status,
            formatting.title(step),
            ", ".join(formatting.state(step, self._now + item.run.skipped)),
            self._scale.share(step.scheduled),
            self._scale.share(end),
            formatting.after(self._scale.start, step.scheduled).strip(),
            [(name, text) for name, text in behind if text],
            step.bad or step.failure is not None,
        )

    def _repeat(self, depth: int, repeat: Repeat) -> PageRow:
        pattern = ", ".join(formatting.kind_title(times) for times in repeat.pattern)
        behind = [
            (formatting.kind_title(times), f"{times.count:,} times, {formatting.between(times)}".removesuffix(", "))
            for times in repeat.pattern
        ]
        if repeat.hidden:
            behind.append(("not shown", f"{repeat.hidden:,} that were retried, failed or are open"))
        return PageRow(
            depth,
            "repeat",
            repeat.status,
            f"{repeat.count:,} × {pattern}",  # noqa: RUF001 - it is meant
            ", ".join(formatting.repeat_state(repeat)),
            self._scale.share(repeat.started),
            self._scale.share(repeat.closed),
            formatting.after(self._scale.start, repeat.started).strip(),
            behind,
            bool(repeat.hidden),
        )

    def _rest(self, depth: int, rest: OmittedSteps) -> PageRow:
        behind = [(formatting.kind_title(times), f"{times.count:,} times") for times in rest.figures[:MAX_NAMED]]
        failed = f"{rest.bad:,} of them failed" if rest.bad else ""
        begun = formatting.after(self._scale.start, rest.started).strip()
        return PageRow(
            depth, "note", "", f"{rest.count:,} more steps", failed, begun=begun, behind=behind, bad=bool(rest.bad)
        )

    async def _failure(self, failure: Failure, retry_state: str) -> str:
        text = await failure_text(failure, self._converter)
        facts = await failure_facts(failure, self._converter, retry_state)
        return "\n".join([*facts.words(), *text.lines])

    async def _named(self, named: NamedPayloads) -> str:
        return "\n".join([f"{name} = {await self._values(values)}" for name, values in named])

    async def _values(self, payloads: Sequence[TruncatedPayload]) -> str:
        return await preview(payloads, self._converter, MAX_VALUE) if payloads else ""


def _stamp(when: datetime | None) -> str:
    return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03} UTC"
