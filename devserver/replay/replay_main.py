"""The process that replays: imports the module, then reads and replays the histories that its parent names.

`python -m devserver.replay.replay_main SOCKET PARENT`, started by `replay_process.py`. It reads the next histories
while it replays one.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from temporalio.client import Client, WorkflowHistory

from ..client import Connection, ServiceCalls
from ..errors import DevServerError
from ..system.channel import ParentChannel, exit_now
from .errors import ReplayError
from .module_code import connect_module, find_workflows, histories_client, workflow_code
from .outcomes import Candidate, HistoryOutcome, Outcome, ReplayFailure
from .records import HistoryRecorder
from .replayer import ReplayResult, WorkflowCode, replay_each

if TYPE_CHECKING:
    from .nondeterminism import Divergence

AHEAD = 4  # histories that are read while one is replayed
Read = tuple[Candidate, "WorkflowHistory | HistoryOutcome"]


def main(descriptor: int, parent: int) -> NoReturn:
    """The whole life of the process."""
    channel = ParentChannel(descriptor, parent)
    options = channel.receive()["options"]
    try:
        asyncio.run(_serve(channel, options))
    except BaseException as error:  # noqa: BLE001 - reported to the parent
        if not isinstance(error, DevServerError):
            details = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
            error = ReplayError(f"the replay failed: {type(error).__name__}: {error}", details=details)
        channel.send("failed", error=error.to_json())
    exit_now(1)


async def _serve(channel: ParentChannel, options: Mapping[str, Any]) -> None:
    module = find_workflows(options["spec"], options["data_converter"], options["plugins"])
    client = source = None
    if options["connection"] is not None:
        connection = Connection(**options["connection"])
        client = await connect_module(module, connection)
        source = await histories_client(module, connection, client)
    code = await workflow_code(module, client)
    recorder = HistoryRecorder(Path(options["record"]), scrub=options["scrub"]) if options["record"] else None
    channel.send("ready", types=[workflow.name for workflow in module.workflows])
    waiting: asyncio.Queue[Read] = asyncio.Queue(AHEAD)
    reading = asyncio.create_task(_read_all(channel, source, code, waiting))
    await asyncio.wait((reading, asyncio.create_task(_replay_all(channel, code, waiting, recorder))))


async def _read_all(
    channel: ParentChannel, client: Client | None, code: WorkflowCode, waiting: asyncio.Queue[Read]
) -> None:
    calls = ServiceCalls(client) if client is not None else None
    while True:
        message = await channel.receive_async()
        for fields in message["candidates"]:
            candidate = Candidate(**fields)
            await waiting.put((candidate, await _read(candidate, calls, code)))


async def _read(
    candidate: Candidate, calls: ServiceCalls | None, code: WorkflowCode
) -> WorkflowHistory | HistoryOutcome:
    try:
        if candidate.file is not None:
            from ..history import read_history

            found = read_history(Path(candidate.file))
            candidate = Candidate(found.workflow_id, found.run_id, found.workflow_type, candidate.file)
            events = found.events
        else:
            assert calls is not None  # noqa: S101 - a run on a server comes with a connection
            listed = await calls.history(candidate.workflow_id, candidate.run_id)
            if listed is None:
                return HistoryOutcome(candidate, Outcome.GONE)
            events = listed
    except DevServerError as error:
        return HistoryOutcome(candidate, Outcome.FAILED, failure=ReplayFailure(error.message))
    if not code.has(candidate.workflow_type):
        reason = f"no workflow of the type {candidate.workflow_type} in the module"
        return HistoryOutcome(candidate, Outcome.NO_CODE, len(events), ReplayFailure(reason))
    return WorkflowHistory(candidate.workflow_id, list(events))


async def _replay_all(
    channel: ParentChannel, code: WorkflowCode, waiting: asyncio.Queue[Read], recorder: HistoryRecorder | None
) -> None:
    current: deque[Candidate] = deque()

    async def histories() -> AsyncIterator[WorkflowHistory]:
        while True:
            candidate, read = await waiting.get()
            if isinstance(read, HistoryOutcome):
                channel.send("outcome", **_plain(read))
                continue
            current.append(candidate)
            yield read

    async for result in replay_each(histories(), code):
        candidate = current.popleft()
        failure = None if result.divergence is None else _failure(result.divergence, result)
        outcome = Outcome.REPLAYS if failure is None else Outcome.DIVERGES
        known = Candidate(
            candidate.workflow_id or result.history.workflow_id, candidate.run_id, _type_of(result), candidate.file
        )
        if recorder is not None:
            await recorder.write(known, result.history, code)
        stacks = [[str(line) for line in stack] for stack in result.stacks]
        done = HistoryOutcome(known, outcome, len(result.history.events), failure, stacks)
        channel.send("outcome", **_plain(done))


def _failure(divergence: Divergence, result: ReplayResult) -> ReplayFailure:
    from .nondeterminism import event_text

    event = divergence.event
    lines = [stack[-1] for stack in result.stacks if stack]
    return ReplayFailure(
        reason=divergence.reason,
        event_id=event.event_id if event is not None else 0,
        event=event_text(event) if event is not None else "",
        where=list(divergence.where),
        place=f"{lines[0].file}:{lines[0].line}" if lines else "",
    )


def _type_of(result: ReplayResult) -> str:
    return result.history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def _plain(outcome: HistoryOutcome) -> dict[str, Any]:
    return {
        "candidate": asdict(outcome.candidate),
        "outcome": outcome.outcome.value,
        "events": outcome.events,
        "failure": None if outcome.failure is None else asdict(outcome.failure),
        "stacks": outcome.stacks,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
