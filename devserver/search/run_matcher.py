"""Matches runs against a query: from the index, or from their histories, which are then added to the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ..client.failures import ENCODED
from ..history import HistoryReader, StoredHistories
from . import schema
from .index import Index, Row, RunFacts
from .index_store import IndexStore
from .indexed_step import IndexedStep
from .indexed_steps import IndexedSteps
from .query import SearchQuery, matches
from .sql import micro

MOST_NOTED = 10_000
MOST_NAMES = 10_000
ACTIVITIES = (schema.ACTIVITY, schema.LOCAL)
UNDECODED = SearchQuery(failure=ENCODED)


@dataclass(frozen=True)
class RunMatches:
    """The rows of a run that match; `gone`: its history was deleted."""

    run: RunFacts
    rows: Sequence[Row] = ()
    gone: bool = False


class RunMatcher:
    """Matches one query against runs, one after the other.

    Attributes:
        encoded: How many failures could not be decoded.
        untimed: Whether there is a step whose duration is not known.
        names: Types of activities that were read.
        has_activity: Whether there is an activity of the wanted type, whatever the other conditions are.

    Args:
        most: The number of rows that are still needed.
        read: Called for each page that was read: with the number of runs that it completes (0 or 1), and of its events.
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
        self.encoded = 0
        self.untimed = False
        self.has_activity = False
        self.names: set[str] = set()

    def close(self) -> None:
        """Close the index in memory."""
        self._scratch.close()

    def kept(self, runs: Sequence[RunFacts]) -> dict[str, RunMatches]:
        """The matches of those runs that are in the index: run id -> matches."""
        closed = [run for run in runs if run.closed_at]
        numbers = self._shelf.known(closed)
        rows = self._from_index([*numbers.values()])
        if rows is None:
            return {}
        self._note(tuple(numbers.values()))
        answers: dict[str, list[Row]] = {run_id: [] for run_id in numbers}
        names = list(numbers)
        for row in rows:
            answers[names[int(str(row[0]))]].append(row)
        return {run.run_id: RunMatches(run, answers[run.run_id]) for run in closed if run.run_id in answers}

    def now_of(self, run: RunFacts) -> datetime:
        """Until when open steps of a run last: until now, or until the last event of a workflow in files."""
        if isinstance(self._reader, StoredHistories):
            return self._reader.stored.last_event(run.workflow_id)
        return datetime.now(timezone.utc)

    def _in(self, steps: Sequence[IndexedStep]) -> bool:
        wanted = self._wanted.activity
        return wanted is not None and any(step.kind in ACTIVITIES and matches(wanted, step.name) for step in steps)

    def _note(self, numbers: Sequence[int]) -> None:
        """What cannot be looked into, of runs in the index."""
        none: list[Row] = []
        if self._wanted.about_failures:
            self.encoded += len(self._shelf.ask(lambda index: index.find(UNDECODED, numbers, MOST_NOTED), none))
        self.untimed = self.untimed or self._shelf.ask(lambda index: index.has_untimed(numbers), False)
        if self._wanted.activity is not None and not self.has_activity:
            alone = SearchQuery(activity=self._wanted.activity)
            self.has_activity = bool(self._shelf.ask(lambda index: index.find(alone, numbers, 1), none))

    async def read(self, run: RunFacts) -> RunMatches:
        """The matches of a run whose history is read from the server; a closed run is added to the index."""
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
        self.encoded += steps.encoded
        self.untimed = self.untimed or not all(step.timed for step in made)
        self.has_activity = self.has_activity or self._in(made)
        if self._wanted.activity is not None and len(self.names) < MOST_NAMES:
            self.names.update(step.name for step in made if step.kind in ACTIVITIES)
        self._told(1, 0)
        number = self._shelf.add(run, made) if run.closed_at and steps.ended else None
        rows = self._from_index([number]) if number is not None else None
        return RunMatches(run, self._unkept(run, made) if rows is None else rows)

    def _from_index(self, numbers: Sequence[int]) -> list[Row] | None:
        return self._shelf.ask(lambda index: index.find(self._wanted, numbers, self._most()), None)

    def _unkept(self, run: RunFacts, made: Sequence[IndexedStep]) -> Sequence[Row]:
        """The matches in a run that the index does not have: the same query, in memory."""
        number = self._scratch.add(0, run, made) or 0
        try:
            now = micro(self.now_of(run)) if isinstance(self._reader, StoredHistories) else None
            return self._scratch.find(self._wanted, [number], self._most(), now)
        finally:
            self._scratch.remove(number)
