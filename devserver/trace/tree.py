"""Goes through a workflow's tree, one run at a time: what is told of it, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from ..history.model import Step, WorkflowRun
from ..history.reader import HistoryReader
from ..history.run_chain import RunChain, RunSummary
from .fold import MOST_ENTRIES, DisplayEntry, Repeat, fold


@dataclass(frozen=True)
class TraceOptions:
    """What somebody wants to see.

    Attributes:
        depth: Levels of children; None: all.
        failures: Only what has failed at least once, and the way there.
        folds: Whether repeated steps are told once.
        most_runs: Runs that are read in all.
        most_of_chain: Runs of one workflow that are read: the first and the newest.
        most_entries: Of one run.
    """

    depth: int | None = None
    failures: bool = False
    folds: bool = True
    most_runs: int = 2000
    most_of_chain: int = 20
    most_entries: int = MOST_ENTRIES


@dataclass(frozen=True)
class RunBegins:
    """A run, before its steps. `number` counts from 1 among the `chain`'s links."""

    depth: int
    chain: RunChain
    link: RunSummary
    number: int
    run: WorkflowRun


@dataclass(frozen=True)
class ShownEntry:
    """An entry of the run that began last at this depth. `of` is the repeat that a notable step is part of."""

    depth: int
    run: WorkflowRun
    entry: DisplayEntry
    of: Repeat | None = None


@dataclass(frozen=True)
class HiddenRuns:
    """What is not shown below the step or after the run before, and why, in a few words."""

    depth: int
    what: str
    links: Sequence[RunSummary] = ()


@dataclass(frozen=True)
class RunEnds:
    """After a run's last entry."""

    depth: int
    chain: RunChain
    run: WorkflowRun


TraceItem = RunBegins | ShownEntry | HiddenRuns | RunEnds


async def walk(reader: HistoryReader, chain: RunChain, wanted: TraceOptions) -> AsyncIterator[TraceItem]:
    """The tree below a chain, depth first: children come after the step that started them.

    At most one run for each level is in memory. Raises as the tracer does.
    """
    walker = _Walker(reader, wanted)
    if not wanted.failures:
        async for told in walker.chain(chain, 0):
            yield told
        return
    async for told in _only_failures(walker.chain(chain, 0)):
        yield told


async def _only_failures(all_of_it: AsyncIterator[TraceItem]) -> AsyncIterator[TraceItem]:
    """Without the branches that lead to no failure; the first run's head is always told."""
    waiting: list[TraceItem] = []
    async for told in all_of_it:
        if isinstance(told, RunEnds):
            shown = not any(isinstance(each, RunBegins) and each.depth == told.depth for each in waiting)
            waiting = [each for each in waiting if each.depth < told.depth]
            if shown or told.run.bad:
                yield told
            continue
        # A step at some depth ends the branch of the one before it.
        waiting = [each for each in waiting if each.depth < told.depth or isinstance(each, RunBegins)]
        waiting.append(told)
        if _fails(told):
            for each in waiting:
                yield each
            waiting = []


def _fails(told: TraceItem) -> bool:
    if isinstance(told, RunBegins):
        return told.run.bad or (told.depth == 0 and told.number == len(told.chain.links))
    if isinstance(told, HiddenRuns):
        return any(link.status in ("failed", "timed_out", "terminated") for link in told.links)
    return isinstance(told, ShownEntry) and isinstance(told.entry, Step) and has_failed(told.entry)


def has_failed(step: Step) -> bool:
    """Whether it has failed at least once, whatever came of it."""
    return step.bad or step.failure is not None


class _Walker:
    """Reads what is told, when it is asked for."""

    def __init__(self, reader: HistoryReader, wanted: TraceOptions) -> None:
        self._reader = reader
        self._wanted = wanted
        self._left = wanted.most_runs

    async def chain(self, chain: RunChain, depth: int) -> AsyncIterator[TraceItem]:
        links = chain.links
        most = max(1, self._wanted.most_of_chain)
        skipped = range(1, len(links) - most + 1) if len(links) > most else range(0)
        for number, link in enumerate(links):
            if skipped and number == skipped[0]:
                text = f"{len(skipped):,} runs are not shown"
                yield HiddenRuns(depth, text, [links[each] for each in skipped])
            if number in skipped:
                continue
            if self._left <= 0:
                yield HiddenRuns(depth, f"more than {self._wanted.most_runs:,} runs: the rest is not read")
                return
            self._left -= 1
            async for told in self._run(chain, number, link, depth):
                yield told

    async def _run(self, chain: RunChain, number: int, link: RunSummary, depth: int) -> AsyncIterator[TraceItem]:
        run = await self._reader.run(chain.workflow_id, link)
        yield RunBegins(depth, chain, link, number + 1, run)
        for shown in self._entries(run, depth):
            yield shown
            if isinstance(shown.entry, Step) and shown.entry.kind in ("child", "nexus"):
                async for told in self._below(shown.entry, depth + 1):
                    yield told
        yield RunEnds(depth, chain, run)

    def _entries(self, run: WorkflowRun, depth: int) -> Iterator[ShownEntry]:
        for entry in self.entries(run):
            yield ShownEntry(depth, run, entry)
            if isinstance(entry, Repeat):
                for step in entry.notable:
                    yield ShownEntry(depth, run, step, of=entry)

    def entries(self, run: WorkflowRun) -> Sequence[DisplayEntry]:
        """What of the run's own steps is shown."""
        steps = run.own_steps
        if self._wanted.failures:
            return [step for step in steps if has_failed(step) or step.has_tree]
        return fold(steps, most=self._wanted.most_entries) if self._wanted.folds else steps

    async def _below(self, step: Step, depth: int) -> AsyncIterator[TraceItem]:
        if not step.has_tree or step.target is None:
            return
        if self._wanted.depth is not None and depth > self._wanted.depth:
            return
        if step.target.namespace not in ("", self._reader.namespace):
            yield HiddenRuns(depth, f"runs in the namespace {step.target.namespace}, which is not read")
            return
        if self._left <= 0:
            yield HiddenRuns(depth, f"more than {self._wanted.most_runs:,} runs: this one is not read")
            return
        chain = await self._reader.child(step)
        if chain is None:
            yield HiddenRuns(depth, "its history is gone")
            return
        async for told in self.chain(chain, depth):
            yield told
