"""The answer of each run: from what is kept of it, or from its history, which is kept then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..history import HistoryReader
from .index import Index, Row, RunFacts
from .index_store import IndexStore
from .indexed_steps import IndexedStep, IndexedSteps
from .query import SearchQuery


@dataclass(frozen=True)
class RunMatches:
    """The rows of a run that fit; `gone`: its history is not there any more."""

    run: RunFacts
    rows: Sequence[Row] = ()
    gone: bool = False


class RunMatcher:
    """Answers one question for one run after the other.

    Args:
        most: How many rows are of use now.
        read: Told of each page that the server has given: runs that are read with it (0 or 1), and its events.
    """

    def __init__(
        self,
        reader: HistoryReader,
        shelf: IndexStore,
        wanted: SearchQuery,
        most: Callable[[], int],
        read: Callable[[int, int], None],
    ) -> None:
        self._reader = reader
        self._shelf = shelf
        self._wanted = wanted
        self._most = most
        self._told = read
        self._scratch = Index.in_memory()

    def close(self) -> None:
        """Nothing is asked any more."""
        self._scratch.close()

    def kept(self, runs: Sequence[RunFacts]) -> dict[str, RunMatches]:
        """The answers of those runs that are in the index: run id -> answer."""
        closed = [run for run in runs if run.closed_at]
        numbers = self._shelf.known(closed)
        rows = self._from_index([*numbers.values()])
        if rows is None:
            return {}
        answers: dict[str, list[Row]] = {run_id: [] for run_id in numbers}
        names = list(numbers)
        for row in rows:
            answers[names[int(str(row[0]))]].append(row)
        return {run.run_id: RunMatches(run, answers[run.run_id]) for run in closed if run.run_id in answers}

    async def read(self, run: RunFacts) -> RunMatches:
        """The answer of a run whose history is asked of the server; a closed one is kept."""
        steps = IndexedSteps(self._reader.converter)
        async for page in self._reader.pages(run.workflow_id, run.run_id):
            for event in page.history.events:
                steps.add(event)
            await steps.read_failures()
            self._told(0, len(page.history.events))
        if not steps.events:
            return RunMatches(run, gone=True)
        described = None if run.closed_at else await self._reader.calls.describe_workflow(run.workflow_id, run.run_id)
        made = await steps.done(described)
        self._told(1, 0)
        number = self._shelf.add(run, made) if run.closed_at and steps.ended else None
        rows = self._from_index([number]) if number is not None else None
        return RunMatches(run, self._unkept(run, made) if rows is None else rows)

    def _from_index(self, numbers: Sequence[int]) -> list[Row] | None:
        return self._shelf.ask(lambda index: index.find(self._wanted, numbers, self._most()), None)

    def _unkept(self, run: RunFacts, made: Sequence[IndexedStep]) -> Sequence[Row]:
        """What fits in a run that the index does not have: the same question, in memory."""
        number = self._scratch.add(0, run, made) or 0
        try:
            return self._scratch.find(self._wanted, [number], self._most())
        finally:
            self._scratch.remove(number)
