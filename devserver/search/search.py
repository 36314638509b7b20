"""Searches a namespace: lists the runs that may match, reads those that are not in the index, and yields hits."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.api.workflow.v1 import WorkflowExecutionInfo

from ..client.calls import ServiceCalls
from ..client.timestamps import to_microseconds
from ..errors import DevServerError, OptionError
from ..history import HistoryReader, StoredHistories
from .cluster_identity import identity
from .hits import Hit, hit_of
from .index import RunFacts
from .index_store import MOST_BYTES, IndexStore
from .query import SearchQuery, matches
from .run_matcher import RunMatcher, RunMatches

if TYPE_CHECKING:
    from temporalio.client import Client

LIMIT = 100
# Histories that are read at once: each is in memory until it is in the index.
READ_AT_ONCE = 8
CHUNK = 1000
NO_END = 1 << 62
UNTIMED = (
    "the Go and Java SDKs do not record how long a local activity took: conditions on the duration leave these out"
)


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is: all runs (None: not counted), runs done, runs read from the server, and their events."""

    total: int | None = None
    done: int = 0
    read: int = 0
    events: int = 0


class Search:
    """One search. Iterate it once for the hits, in the order of the server's lists; then read its other attributes.

    Args:
        source: A client, or a reader of histories such as `StoredHistories`.
        folder: The folder of the index of closed runs; None: no index. A client with a codec has no index, so that
            decoded data is not stored in the clear.
        limit: Maximum number of hits; 0: only bring the index up to date.
        most_bytes: Maximum size of the index.
        rebuild: Rebuild the index of this namespace.
        watch: Called often with the progress; without it runs are not counted.

    Attributes:
        progress: How far it is.
        more: Whether there are more hits than `limit`.
        gone: The number of listed runs whose history was deleted.
        stored: Whether histories of files are searched.
        near: Similar names of activities, if nothing was found.
        notes: What the user should know, such as why there is no index.
    """

    def __init__(
        self,
        source: Client | HistoryReader,
        wanted: SearchQuery,
        *,
        folder: Path | None = None,
        limit: int = LIMIT,
        most_bytes: int = MOST_BYTES,
        rebuild: bool = False,
        watch: Callable[[SearchProgress], None] | None = None,
    ) -> None:
        if limit < 0:
            raise OptionError(f"there cannot be {limit} hits", hint="--limit is a number from 0")
        self._wanted = wanted
        self._limit = self._left = limit
        self._rebuild = rebuild
        self._watch = watch
        self._reader = source if isinstance(source, HistoryReader) else HistoryReader(source)
        self._calls: ServiceCalls = self._reader.calls
        self.stored = isinstance(source, StoredHistories)
        if self.stored and wanted.query is not None:
            raise OptionError("files have no list filter", hint="leave out --query, or search a server")
        plain = self._reader.converter.payload_codec is None and not self.stored
        self._shelf = IndexStore(folder if plain else None, most_bytes)
        self._answers = RunMatcher(self._reader, self._shelf, wanted, self._most, self._has_read)
        self.progress = SearchProgress()
        self.more = False
        self.gone = 0
        self.near: Sequence[str] = ()

    @property
    def notes(self) -> Sequence[str]:
        """See above."""
        notes = list(self._shelf.notes)
        if self._answers.encoded and self._wanted.about_failures:
            many = "1 failure" if self._answers.encoded == 1 else f"{self._answers.encoded:,} failures"
            notes.append(f"{many} could not be decoded, so their text was not searched: see --codec-endpoint")
        if self._limit and self._left == self._limit and self._answers.has_activity:
            notes.append(f"there are activities of the type {self._wanted.activity}; none meets the other conditions")
        if self._untimed:
            notes.append(UNTIMED)
        return tuple(notes)

    @property
    def _untimed(self) -> bool:
        return self._answers.untimed and (self._wanted.longer is not None or self._wanted.shorter is not None)

    async def __aiter__(self) -> AsyncIterator[Hit]:
        """The hits.

        Raises:
            CannotAsk: The server does not answer, or there is no such namespace.
            OptionError: The server does not understand the query.
        """
        counting = asyncio.ensure_future(self._count()) if self._watch else None
        try:
            if not self.stored:
                cluster, namespace = await identity(self._reader.calls.client)
                self._shelf.open(cluster, namespace, rebuild=self._rebuild)
            async with contextlib.aclosing(self._answered()) as answers:
                async for answer in answers:
                    self._step(done=1)
                    self.gone += answer.gone
                    for row in answer.rows:
                        if not self._left:
                            self.more = True
                            return
                        self._left -= 1
                        yield hit_of(answer.run, row, self._wanted.events, self._answers.now_of(answer.run))
            if self._left == self._limit and self._wanted.activity is not None and not self._answers.has_activity:
                none: list[str] = []
                names = self._shelf.ask(lambda index: index.words(), none)
                names = sorted({*names, *self._answers.names})
                self.near = difflib.get_close_matches(self._wanted.activity, names, n=3)
        finally:
            if counting is not None:
                counting.cancel()
            self._shelf.close()
            self._answers.close()

    async def _count(self) -> None:
        with contextlib.suppress(DevServerError):  # the list reports it too
            total = await self._calls.count_workflows(self._wanted.list_filter())
            self.progress = replace(self.progress, total=total)

    def _step(self, done: int = 0, read: int = 0, events: int = 0) -> None:
        now = self.progress
        self.progress = replace(now, done=now.done + done, read=now.read + read, events=now.events + events)
        if self._watch is not None:
            self._watch(self.progress)

    async def _answered(self) -> AsyncGenerator[RunMatches, None]:
        """The matches of each run, in the order of the list; some histories are read ahead."""
        ahead: deque[asyncio.Task[RunMatches] | RunMatches] = deque()
        try:
            async for chunk in self._chunks():
                kept = self._answers.kept(chunk)
                for run in chunk:
                    ahead.append(kept.get(run.run_id) or asyncio.create_task(self._answers.read(run)))
                    while ahead and (len(ahead) > READ_AT_ONCE or _ready(ahead[0])):
                        yield await _awaited(ahead.popleft())
            while ahead:
                yield await _awaited(ahead.popleft())
        finally:
            tasks = [item for item in ahead if isinstance(item, asyncio.Task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _chunks(self) -> AsyncIterator[list[RunFacts]]:
        chunk: list[RunFacts] = []
        async for info in self._listed():
            chunk.append(_facts(info))
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    async def _listed(self) -> AsyncIterator[WorkflowExecutionInfo]:
        try:
            async for info in self._calls.list_workflows(self._wanted.list_filter(), NO_END, page_size=CHUNK):
                if self._takes(info):
                    yield info
        except OptionError as error:
            if self._wanted.query is None:
                raise
            # Only the user's part of the query, not what was added to it.
            text = f"the server does not understand the query: {self._wanted.query}"
            raise OptionError(text, details=error.details, hint=error.hint) from None

    def _takes(self, info: WorkflowExecutionInfo) -> bool:
        """What the list filter does not say: a pattern in a name, and everything of files."""
        kind = self._wanted.workflow_type
        if self.stored:
            return self._wanted.takes_run(info)
        return kind is None or "*" not in kind or matches(kind, info.type.name)

    def _has_read(self, runs: int, events: int) -> None:
        self._step(read=runs, events=events)

    def _most(self) -> int:
        """How many hits are of use: one more than is given, to tell that there are more."""
        return self._left + 1 if self._limit else 0


def _ready(answer: asyncio.Task[RunMatches] | RunMatches) -> bool:
    return isinstance(answer, RunMatches) or answer.done()


async def _awaited(answer: asyncio.Task[RunMatches] | RunMatches) -> RunMatches:
    return answer if isinstance(answer, RunMatches) else await answer


def _facts(info: WorkflowExecutionInfo) -> RunFacts:
    closed = to_microseconds(info.close_time) if info.HasField("close_time") else 0
    return RunFacts(
        info.execution.workflow_id, info.execution.run_id, info.type.name, info.status, closed, info.history_length
    )
