"""The rows of a trace's page: one for each run, step and repeat, with what is behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.converter import DataConverter

from ...client.failures import failure_text
from ...history.model import OPEN, Step, WorkflowRun
from ...history.previews import TruncatedPayload, preview
from ...history.run_chain import RunChain
from .. import formatting
from ..fold import OmittedSteps, Repeat
from ..tree import HiddenRuns, RunBegins, RunEnds, ShownEntry, TraceItem

MOST_VALUE = 4000
NAMED = 12


@dataclass(frozen=True)
class PageScale:
    """The time that the page shows, from the first run's start to the end, or to now."""

    start: datetime
    end: datetime

    def share(self, moment: datetime | None) -> float:
        """Where a moment is: 0 at the start, 100 at the end."""
        whole = (self.end - self.start).total_seconds()
        passed = ((moment or self.end) - self.start).total_seconds()
        return 0.0 if whole <= 0 else round(min(100.0, max(0.0, 100 * passed / whole)), 4)


@dataclass(frozen=True)
class PageRow:
    """One row of the page.

    Attributes:
        depth: Of the tree: how far it is indented.
        kind: What it is, as a class of the style: `run`, `step`, `repeat`, `note`.
        state: How it went, as the model names it.
        title, about: In a few words each.
        left, right: Where its bar is, 0 to 100; none for a note.
        begun: After how much time it began.
        behind: What is shown when the row is opened: names and texts.
        bad: Whether it has failed, or an attempt of it has.
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
    """From the first run that is known to the newest's end."""
    starts = [link.started for link in chain.runs if link.started is not None]
    start = min(starts, default=now)
    return PageScale(start, max(chain.newest.closed or now + chain.newest.ahead, start))


class PageRows:
    """Makes rows of what a walk tells."""

    def __init__(self, converter: DataConverter, scale: PageScale, now: datetime) -> None:
        self._converter = converter
        self._scale = scale
        self._now = now

    async def row(self, told: TraceItem) -> PageRow | None:
        """The row of one thing told; None where it has none."""
        if isinstance(told, RunEnds):
            return None
        if isinstance(told, RunBegins):
            return await self._run(told)
        if isinstance(told, HiddenRuns):
            counted = Counter(link.status.replace("_", " ") for link in told.runs)
            counts = ", ".join(f"{count:,} {status}" for status, count in counted.most_common())
            return PageRow(told.depth, "note", "", told.what + (f": {counts}" if counts else ""))
        depth = told.depth + 1 + (told.of is not None)
        if isinstance(told.entry, Repeat):
            return self._repeat(depth, told.entry)
        if isinstance(told.entry, OmittedSteps):
            return self._rest(depth, told.entry)
        return await self._step(depth, told, told.entry)

    async def _run(self, told: RunBegins) -> PageRow | None:
        run, links = told.run, told.chain.runs
        if told.depth and len(links) == 1:
            return None  # the step that started it has said all
        number = f", run {told.number} of {len(links)}" if len(links) > 1 else ""
        if run.missing:
            return PageRow(told.depth, "note", "", f"run {run.run_id}{number}: its history is gone")
        return PageRow(
            told.depth,
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
            ("input", await self._values(run.input)),
            ("result", await self._values(run.result)),
        ]
        if run.failure is not None:
            behind.append(("failure", "\n".join((await failure_text(run.failure, self._converter)).lines)))
        return [(name, text) for name, text in behind if text]

    async def _step(self, depth: int, told: ShownEntry, step: Step) -> PageRow:
        behind = [
            ("kind", step.kind.replace("_", " ")),
            ("event", str(step.event_id)),
            ("scheduled", _stamp(step.scheduled)),
            ("started", _stamp(step.started)),
            ("closed", _stamp(step.closed)),
            ("attempts", str(step.attempts or "")),
            ("worker", step.identity),
            ("task queue", step.queue if step.queue != told.run.task_queue else ""),
            ("reason", step.reason),
            ("summary", await self._values(step.note)),
            ("input", await self._values(step.input)),
            ("result", await self._values(step.result)),
        ]
        if step.failure is not None:
            name = "failure" if step.bad else "last failure"
            behind.append((name, "\n".join((await failure_text(step.failure, self._converter)).lines)))
        end = step.closed if step.closed is not None or step.status in OPEN else step.scheduled
        return PageRow(
            depth,
            "step",
            step.status,
            formatting.title(step),
            ", ".join(formatting.state(step, self._now + told.run.skipped)),
            self._scale.share(step.scheduled),
            self._scale.share(end),
            formatting.after(self._scale.start, step.scheduled).strip(),
            [(name, text) for name, text in behind if text],
            step.bad or step.failure is not None,
        )

    def _repeat(self, depth: int, repeat: Repeat) -> PageRow:
        pattern = ", ".join(formatting.kind_title(each) for each in repeat.pattern)
        behind = [
            (formatting.kind_title(each), f"{each.count:,} times, {formatting.between(each)}".removesuffix(", "))
            for each in repeat.pattern
        ]
        if repeat.hidden:
            behind.append(("not shown", f"{repeat.hidden:,} that were retried, failed or go on"))
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
        behind = [(formatting.kind_title(each), f"{each.count:,} times") for each in rest.figures[:NAMED]]
        failed = f"{rest.bad:,} of them failed" if rest.bad else ""
        begun = formatting.after(self._scale.start, rest.started).strip()
        return PageRow(
            depth, "note", "", f"{rest.count:,} more steps", failed, begun=begun, behind=behind, bad=bool(rest.bad)
        )

    async def _values(self, kept: Sequence[TruncatedPayload]) -> str:
        return await preview(kept, self._converter, MOST_VALUE) if kept else ""


def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"
