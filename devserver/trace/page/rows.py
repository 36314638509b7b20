"""The rows of a trace's page: one for each run, step and repeat, with the details that it opens to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from temporalio.converter import DataConverter

from ...history.model import OPEN, NamedPayloads, Step, WorkflowRun
from ...history.previews import TruncatedPayload, preview
from .. import formatting
from ..critical_path import critical_path
from ..repeats import OmittedSteps, Repeat
from ..tree import HiddenRuns, RunBegins, RunEnds, ShownEntry, TraceItem
from .failure_details import PageDetail, failure_detail
from .scale import PageScale

MAX_VALUE = 4000
MAX_NAMED = 12


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
        waited: Percent of its bar until its last attempt started.
        behind: What is shown when the row is opened.
        bad: Whether it failed.
        retried: Whether it did not fail, but an attempt of it did.
        critical: Whether it is on the critical path.
    """

    depth: int
    kind: str
    state: str
    title: str
    about: str = ""
    left: float | None = None
    right: float | None = None
    begun: str = ""
    waited: float = 0.0
    behind: Sequence[PageDetail] = ()
    bad: bool = False
    retried: bool = False
    critical: bool = False


class PageRows:
    """Makes rows of the items of a walk."""

    def __init__(
        self, converter: DataConverter, scale: PageScale, now: datetime, *, missing: str = "its history is gone"
    ) -> None:
        self._converter = converter
        self._missing = missing
        self._scale = scale
        self._now = now
        self._critical: dict[int, frozenset[int]] = {}  # by depth

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
            return self._repeat(depth, item.entry, self._critical.get(item.depth, frozenset()))
        if isinstance(item.entry, OmittedSteps):
            return self._rest(depth, item.entry)
        return await self._step(depth, item, item.entry)

    async def _run(self, item: RunBegins) -> PageRow | None:
        run, runs = item.run, item.chain.runs
        self._critical[item.depth] = critical_path(run, self._now + run.skipped).event_ids
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
            behind=await self._behind_run(run),
            bad=run.bad,
        )

    async def _behind_run(self, run: WorkflowRun) -> list[PageDetail]:
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
        found = _details(behind)
        if run.failure is not None:
            found.insert(0, await failure_detail("failure", run.failure, self._converter, run.retry_state))
        return found

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
        found = _details(behind)
        if step.failure is not None:
            name = "failure" if step.bad else "last failure"
            place = 0 if step.bad else len(found)
            found.insert(place, await failure_detail(name, step.failure, self._converter, step.retry_state))
        end = step.closed if step.closed is not None or step.status in OPEN else step.scheduled
        return PageRow(
            depth,
            "step",
            step.status,
            formatting.title(step),
            ", ".join(_state(step, self._now + item.run.skipped)),
            self._scale.share(step.scheduled),
            self._scale.share(end),
            formatting.after(self._scale.start, step.scheduled).strip(),
            self._waited(step, end),
            found,
            step.bad,
            step.failure is not None and not step.bad,
            step.event_id in self._critical.get(item.depth, ()),
        )

    def _waited(self, step: Step, end: datetime | None) -> float:
        """Percent of a step's bar before its last attempt started: in the queue, in earlier attempts, backing off."""
        if step.kind != "activity" or step.started is None:
            return 0.0
        whole = ((end or self._now) - step.scheduled).total_seconds()
        return (
            0.0 if whole <= 0 else round(min(100.0, 100 * (step.started - step.scheduled).total_seconds() / whole), 2)
        )

    def _repeat(self, depth: int, repeat: Repeat, critical: frozenset[int]) -> PageRow:
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
            behind=_details(behind),
            bad=bool(repeat.hidden),
            critical=any(repeat.first <= event <= repeat.last for event in critical),
        )

    def _rest(self, depth: int, rest: OmittedSteps) -> PageRow:
        behind = [(formatting.kind_title(times), f"{times.count:,} times") for times in rest.figures[:MAX_NAMED]]
        failed = f"{rest.bad:,} of them failed" if rest.bad else ""
        begun = formatting.after(self._scale.start, rest.started).strip()
        return PageRow(
            depth,
            "note",
            "",
            f"{rest.count:,} more steps",
            failed,
            begun=begun,
            behind=_details(behind),
            bad=bool(rest.bad),
        )

    async def _named(self, named: NamedPayloads) -> str:
        return "\n".join([f"{name} = {await self._values(values)}" for name, values in named])

    async def _values(self, payloads: Sequence[TruncatedPayload]) -> str:
        return await preview(payloads, self._converter, MAX_VALUE) if payloads else ""


def _details(named: Sequence[tuple[str, str]]) -> list[PageDetail]:
    return [PageDetail(name, text) for name, text in named if text]


def _state(step: Step, now: datetime) -> Iterator[str]:
    """As in the tree; a step that completed after a retry says so, as it is no failure."""
    many = f"{step.attempts} attempts"
    for words in formatting.state(step, now):
        yield f"completed after {many}" if words == many and step.status == "completed" else words


def _stamp(when: datetime | None) -> str:
    return "" if when is None else f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03} UTC"
