"""Replays histories in several processes: the module of the user is imported there, and never here."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..client import Connection
from ..errors import DevServerError
from ..system.child_process import ChildProcess, wait_any
from .errors import ReplayError
from .outcomes import Candidate, HistoryOutcome, Outcome, ReplayFailure

BATCH = 8  # histories that are given to a process at once; it reads some of them ahead
END_SECONDS = 2.0


@dataclass(frozen=True)
class ReplayOptions:
    """What histories are replayed against, and what is done with them.

    Attributes:
        spec: The module, as `MODULE[:NAME]`.
        connection: The server that has them; None if all are files.
        data_converter: Named as `MODULE:NAME`; in place of the module's own.
        plugins: Plugins of the SDK, each named as `MODULE:NAME`; in addition to the module's own.
        record: The folder that each history is written to.
        scrub: Whether they are scrubbed there.
    """

    spec: str
    connection: Connection | None = None
    data_converter: str | None = None
    plugins: Sequence[str] = ()
    record: Path | None = None
    scrub: bool = False


class ReplayPool:
    """Processes that replay. Use it in `async with`; they end with the block, and with this process.

    Attributes:
        spec: The module.
        types: The workflow types of the module; None among them stands for a dynamic workflow.
    """

    def __init__(self, options: ReplayOptions, processes: int | None = None) -> None:
        self._options = options
        self.spec = options.spec
        self._count = processes or os.cpu_count() or 1
        self._processes: list[_ReplayProcess] = []
        self.types: Sequence[str | None] = ()

    async def __aenter__(self) -> ReplayPool:
        """Import the module in a first process.

        Raises:
            IntrospectionError: The module cannot be used.
            NothingToReplay: It has no workflow.
            CannotAsk: The server cannot be reached.
        """
        try:
            first = await self._start()
        except BaseException:
            await self._end()
            raise
        self.types = first.types
        return self

    async def __aexit__(self, *exception: object) -> None:
        """End the processes."""
        await self._end()

    async def replay(self, candidates: Sequence[Candidate]) -> AsyncIterator[HistoryOutcome]:
        """The outcome of each history, in the order in which they are done.

        Raises:
            ReplayError: A history cannot be recorded.
        """
        outcomes: asyncio.Queue[HistoryOutcome | None] = asyncio.Queue()
        left = iter(candidates)
        count = max(1, min(self._count, -(-len(candidates) // BATCH)))
        lanes = [asyncio.create_task(self._lane(number, left, outcomes)) for number in range(count)]
        ended = asyncio.gather(*lanes)
        ended.add_done_callback(lambda _: outcomes.put_nowait(None))
        try:
            while (outcome := await outcomes.get()) is not None:
                yield outcome
            await ended
        finally:
            for lane in lanes:
                lane.cancel()

    async def _lane(self, number: int, left: Iterator[Candidate], outcomes: asyncio.Queue[Any]) -> None:
        """Replay with one process, and with another one after it was killed."""
        process = self._processes[number] if number < len(self._processes) else await self._start()
        given: deque[Candidate] = deque()
        while True:
            if len(given) < BATCH:
                batch = list(itertools.islice(left, BATCH))
                given += batch
                process.give(batch)
            if not given:
                return
            outcome = await process.outcome()
            if outcome is None:  # it has ended, with what it replayed then
                outcome = HistoryOutcome(given[0], Outcome.FAILED, failure=ReplayFailure(process.end_reason))
                await outcomes.put(outcome)
                given.popleft()
                process = await self._start()
                process.give(given)
                continue
            given.popleft()
            await outcomes.put(outcome)

    async def _start(self) -> _ReplayProcess:
        process = _ReplayProcess()
        self._processes.append(process)
        await process.start(self._options)
        return process

    async def _end(self) -> None:
        await asyncio.gather(*(process.end() for process in self._processes), return_exceptions=True)


class _ReplayProcess:
    """One process."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._outcomes: asyncio.Queue[HistoryOutcome | None] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._failure: DevServerError | None = None
        self.types: Sequence[str | None] = ()

    @property
    def end_reason(self) -> str:
        """How it ended while it replayed a history."""
        code = self._child.returncode if self._child is not None else None
        if code is not None and code < 0:
            return f"the process was killed by {signal.Signals(-code).name} during the replay"
        return f"the process exited with {code} during the replay"

    async def start(self, options: ReplayOptions) -> None:
        """Start it, and wait until it has imported the module; its output goes to stderr."""
        self._child = await ChildProcess.start(
            f"{__package__}.replay_main", on_message=self._handle, on_exit=self._handle_exit, stdout=2
        )
        data = asdict(options)
        self._child.send("options", options={**data, "record": str(options.record) if options.record else None})
        await wait_any(self._ready.wait(), self._child.exited.wait())
        if self._failure is not None:
            raise self._failure
        if not self._ready.is_set():
            raise ReplayError(f"the module {options.spec} cannot be imported: {self.end_reason}")

    def give(self, candidates: Iterable[Candidate]) -> None:
        """Have it replay these too."""
        fields = [asdict(candidate) for candidate in candidates]
        if fields and self._child is not None:
            self._child.send("candidates", candidates=fields)

    async def outcome(self) -> HistoryOutcome | None:
        """The next outcome, in the order of the histories given; None if it has ended.

        Raises:
            DevServerError: It cannot continue.
        """
        outcome = await self._outcomes.get()
        if outcome is None and self._failure is not None:
            raise self._failure
        return outcome

    async def end(self) -> None:
        """Kill it, if it is still there: it has nothing to save."""
        if self._child is not None:
            with contextlib.suppress(OSError):
                await self._child.kill()

    def _handle(self, message: dict[str, Any]) -> None:
        kind = message.pop("kind")
        if kind == "ready":
            self.types = message["types"]
            self._ready.set()
        elif kind == "failed":
            self._failure = DevServerError.from_json(message["error"])
        elif kind == "outcome":
            failure = message["failure"]
            self._outcomes.put_nowait(
                HistoryOutcome(
                    candidate=Candidate(**message["candidate"]),
                    outcome=Outcome(message["outcome"]),
                    events=message["events"],
                    failure=None if failure is None else ReplayFailure(**failure),
                    stacks=message["stacks"],
                )
            )

    def _handle_exit(self) -> None:
        self._outcomes.put_nowait(None)
