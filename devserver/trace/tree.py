"""Goes through a workflow's tree, one run at a time, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from ..history.model import Step, WorkflowRun
from ..history.reader import HistoryReader
from ..history.run_chain import RunChain, RunSummary
from .repeats import MAX_ENTRIES, DisplayEntry, Repeat, fold
from .sessions import with_sessions_folded


@dataclass(frozen=True)
class TraceOptions:
    """What is shown.

    Attributes:
        depth: Maximum depth of children; None: all.
        failures: Show only what failed at least once, and its parents.
        folds: Whether repeated steps are collapsed.
        most_runs: Maximum number of runs that are read.
        most_of_chain: Maximum number of runs of one workflow that are read: the first and the newest.
        most_entries: Maximum number of entries of one run.
    """

    depth: int | None = None
    failures: bool = False
    folds: bool = True
    most_runs: int = 2000
    most_of_chain: int = 20
    most_entries: int = MAX_ENTRIES


@dataclass(frozen=True)
class RunBegins:
    """A run, before its entries. `number` counts from 1 among the chain's runs."""

    depth: int
    chain: RunChain
    summary: RunSummary
    number: int
    run: WorkflowRun


@dataclass(frozen=True)
class ShownEntry:
    """An entry of the last run at this depth. `of` is the repeat that a notable step is part of."""

    depth: int
    run: WorkflowRun
    entry: DisplayEntry
    of: Repeat | None = None


@dataclass(frozen=True)
class HiddenRuns:
    """What is not shown below the step, or after the run, before it: `what` says what and why in a few words."""

    depth: int
    what: str
    runs: Sequence[RunSummary] = ()


@dataclass(frozen=True)
class RunEnds:
    """The end of a run's entries."""

    depth: int
    chain: RunChain
    run: WorkflowRun


TraceItem = RunBegins | ShownEntry | HiddenRuns | RunEnds


async def walk(reader: HistoryReader, chain: RunChain, options: TraceOptions) -> AsyncIterator[TraceItem]:
    """The tree below a chain, depth first: children come after the step that started them.

    At most one run for each level is in memory. Raises as the tracer does.
    """
    walker = _Walker(reader, options)
    if not options.failures:
        async for item in walker.chain(chain, 0):
            yield item
        return
    async for item in _only_failures(walker.chain(chain, 0)):
        yield item


async def _only_failures(items: AsyncIterator[TraceItem]) -> AsyncIterator[TraceItem]:
    """The items without branches that lead to no failure; the first run is always there."""
    waiting: list[TraceItem] = []
    async for item in items:
        if isinstance(item, RunEnds):
            shown = not any(isinstance(other, RunBegins) and other.depth == item.depth for other in waiting)
            waiting = [other for other in waiting if other.depth < item.depth]
            if shown or item.run.bad:
                yield item
            continue
        # A step at some depth ends the branch of the one before it.
        waiting = [other for other in waiting if other.depth < item.depth or isinstance(other, RunBegins)]
        waiting.append(item)
        if _fails(item):
            for other in waiting:
                yield other
            waiting = []


def _fails(item: TraceItem) -> bool:
    if isinstance(item, RunBegins):
        return item.run.bad or (item.depth == 0 and item.number == len(item.chain.runs))
    if isinstance(item, HiddenRuns):
        return any(summary.status in ("failed", "timed_out", "terminated") for summary in item.runs)
    return isinstance(item, ShownEntry) and isinstance(item.entry, Step) and has_failed(item.entry)


def has_failed(step: Step) -> bool:
    """Whether it failed at least once, also if a later attempt completed."""
    return step.bad or step.failure is not None


class _Walker:
    """Reads each run when the caller asks for it."""

    def __init__(self, reader: HistoryReader, options: TraceOptions) -> None:
        self._reader = reader
        self._options = options
        self._left = options.most_runs

    async def chain(self, chain: RunChain, depth: int) -> AsyncIterator[TraceItem]:
        runs = chain.runs
        most = max(1, self._options.most_of_chain)
        skipped = range(1, len(runs) - most + 1) if len(runs) > most else range(0)
        for number, summary in enumerate(runs):
            if skipped and number == skipped[0]:
                text = f"{len(skipped):,} runs are not shown"
                yield HiddenRuns(depth, text, [runs[index] for index in skipped])
            if number in skipped:
                continue
            if self._left <= 0:
                yield HiddenRuns(depth, f"more than {self._options.most_runs:,} runs: the rest is not read")
                return
            self._left -= 1
            async for item in self._run(chain, number, summary, depth):
                yield item

    async def _run(self, chain: RunChain, number: int, summary: RunSummary, depth: int) -> AsyncIterator[TraceItem]:
        run = await self._reader.run(chain.workflow_id, summary)
        yield RunBegins(depth, chain, summary, number + 1, run)
        for shown in self._entries(run, depth):
            yield shown
            if isinstance(shown.entry, Step) and shown.entry.kind in ("child", "nexus"):
                async for item in self._below(shown.entry, depth + 1):
                    yield item
        yield RunEnds(depth, chain, run)

    def _entries(self, run: WorkflowRun, depth: int) -> Iterator[ShownEntry]:
        for entry in self.entries(run):
            yield ShownEntry(depth, run, entry)
            if isinstance(entry, Repeat):
                for step in entry.notable:
                    yield ShownEntry(depth, run, step, of=entry)

    def entries(self, run: WorkflowRun) -> Sequence[DisplayEntry]:
        """The entries of the run's own steps."""
        steps = run.own_steps
        if self._options.failures:
            return [step for step in steps if has_failed(step) or step.has_tree]
        return fold(with_sessions_folded(steps), most=self._options.most_entries) if self._options.folds else steps

    async def _below(self, step: Step, depth: int) -> AsyncIterator[TraceItem]:
        if not step.has_tree or step.target is None:
            return
        if self._options.depth is not None and depth > self._options.depth:
            return
        if step.target.namespace not in ("", self._reader.namespace):
            yield HiddenRuns(depth, f"runs in the namespace {step.target.namespace}, which is not read")
            return
        if self._left <= 0:
            yield HiddenRuns(depth, f"more than {self._options.most_runs:,} runs: this one is not read")
            return
        chain = await self._reader.child(step)
        if chain is None:
            yield HiddenRuns(depth, self._reader.missing_child)
            return
        async for item in self.chain(chain, depth):
            yield item
