"""Starts a workflow, signals, queries and updates it; looks first whether that can go well, and says why it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from temporalio.api.enums.v1 import TaskQueueType, WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import RawValue, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from ..errors import CannotAsk
from ..history.calls import CALL_LIMIT, Calls, cannot_ask
from ..history.failure_text import FailureText, failure_text
from ..history.stuck import POLLS_WITHIN
from .called import Called
from .errors import NotDone

Conflict = Literal["fail", "use-existing", "terminate-existing"]
Reuse = Literal["allow", "failed-only", "reject"]
CONFLICTS: Mapping[str, WorkflowIDConflictPolicy] = {
    "fail": WorkflowIDConflictPolicy.FAIL,
    "use-existing": WorkflowIDConflictPolicy.USE_EXISTING,
    "terminate-existing": WorkflowIDConflictPolicy.TERMINATE_EXISTING,
}
REUSES: Mapping[str, WorkflowIDReusePolicy] = {
    "allow": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "failed-only": WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    "reject": WorkflowIDReusePolicy.REJECT_DUPLICATE,
}
WORKFLOW_TASKS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
GIVEN_UP = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


@dataclass(frozen=True)
class StartOptions:
    """How a workflow is started. `search_attributes` and `memo` have values as JSON has them."""

    workflow_id: str
    task_queue: str
    conflict: Conflict = "fail"
    reuse: Reuse = "allow"
    timeout: timedelta | None = None
    delay: timedelta | None = None
    memo: Mapping[str, Any] = field(default_factory=dict)
    search_attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A workflow that runs. `polled` tells whether a worker asks for its tasks."""

    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    polled: bool
    handle: WorkflowHandle[Any, Any] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """What came of a workflow or an update: its result, or the failure that it ended with."""

    result: RawValue | None = None
    failure: FailureText | None = None


async def start(client: Client, called: Called, arguments: Sequence[Any], options: StartOptions) -> Started:
    """Start a workflow.

    Raises:
        NotDone: The id is taken, or the server refuses.
        CannotAsk: The server gives no answer.
    """
    calls = Calls(client)
    polled = await polls(calls, options.task_queue)
    kind = str(called.type)
    try:
        handle: WorkflowHandle[Any, Any] = await client.start_workflow(
            kind,
            args=arguments,
            id=options.workflow_id,
            task_queue=options.task_queue,
            result_type=RawValue,
            execution_timeout=options.timeout,
            start_delay=options.delay,
            id_conflict_policy=CONFLICTS[options.conflict],
            id_reuse_policy=REUSES[options.reuse],
            memo=options.memo or None,
            # The typed form needs to know each type; the server knows it itself.
            search_attributes={
                name: value if isinstance(value, list) else [value] for name, value in options.search_attributes.items()
            },
            rpc_timeout=CALL_LIMIT,
        )
    except WorkflowAlreadyStartedError as error:
        raise NotDone(
            f"the workflow id {options.workflow_id} is taken, by the run {error.run_id}",
            hint="give another with --id, or say what then: --id-conflict (it runs), --id-reuse (it has ended)",
        ) from None
    except RPCError as error:
        raise _not_done(client, error, f"{kind} cannot be started") from None
    run_id = handle.result_run_id or handle.first_execution_run_id or ""
    return Started(handle.id, run_id, kind, options.task_queue, polled, handle)


async def outcome(handle: WorkflowHandle[Any, Any], client: Client) -> Outcome:
    """Wait for a workflow's end, across continue-as-new and retries.

    Raises:
        CannotAsk: The server gives no answer any more.
    """
    try:
        return Outcome(result=await handle.result())
    except WorkflowFailureError as error:
        return Outcome(failure=await _failure(error.cause, client))
    except RPCError as error:
        raise cannot_ask(client, error) from None


async def signal(client: Client, called: Called, arguments: Sequence[Any], workflow_id: str, run_id: str) -> None:
    """Send a signal to an open workflow.

    Raises:
        NotDone: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, or no answer.
    """
    await _see(client, called, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    try:
        await handle.signal(str(called.name), args=arguments, rpc_timeout=CALL_LIMIT)
    except RPCError as error:
        raise _not_done(client, error, f"{workflow_id} does not take the signal {called.name}") from None


async def query(
    client: Client, called: Called, arguments: Sequence[Any], workflow_id: str, run_id: str, limit: float
) -> RawValue:
    """What a workflow, open or closed, answers within `limit` seconds.

    Raises:
        NotDone: The query fails, or the workflow is of another type.
        CannotAsk: There is no such workflow, no worker, or no answer.
    """
    seen = await _see(client, called, workflow_id, run_id, closed=True)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    asked = handle.query(str(called.name), args=arguments, result_type=RawValue, rpc_timeout=timedelta(seconds=limit))
    try:
        answer: RawValue = await asyncio.wait_for(asked, limit + 1)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise NotDone(f"the query {called.name} of {workflow_id} fails: {error}") from None
    except (RPCError, asyncio.TimeoutError) as error:
        if isinstance(error, RPCError) and error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise NotDone(f"the query {called.name} of {workflow_id} fails: {error.message}") from None
        raise await _no_answer(client, seen, error, limit, f"the query {called.name}") from None
    return answer


async def update(
    client: Client,
    called: Called,
    arguments: Sequence[Any],
    workflow_id: str,
    run_id: str,
    *,
    accepted: bool,
    limit: float,
    update_id: str | None = None,
) -> tuple[str, Outcome]:
    """Update an open workflow; its id, and what came of it. With `accepted` it is not waited for the result.

    `limit` (seconds) is what its worker has to accept it; a result is waited for as long as it takes.

    Raises:
        NotDone: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, no worker, or no answer.
    """
    seen = await _see(client, called, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    sending = handle.start_update(
        str(called.name),
        args=arguments,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        result_type=RawValue,
        id=update_id,
    )
    try:
        sent = await asyncio.wait_for(sending, limit)
        if accepted:
            return sent.id, await _refusal(sent, client)
        return sent.id, Outcome(result=await sent.result())
    except WorkflowUpdateFailedError as error:
        return update_id or "", Outcome(failure=await _failure(error.cause, client))
    except (WorkflowUpdateRPCTimeoutOrCancelledError, asyncio.TimeoutError) as error:
        raise await _no_answer(client, seen, error, limit, f"the update {called.name}") from None
    except RPCError as error:
        raise _not_done(client, error, f"{workflow_id} does not take the update {called.name}") from None


async def polls(calls: Calls, queue: str) -> bool:
    """Whether a worker has asked for workflow tasks of that queue lately."""
    now = datetime.now(timezone.utc)
    found = await calls.pollers(queue, WORKFLOW_TASKS)
    return any(now - each.last_access_time.ToDatetime(timezone.utc) < POLLS_WITHIN for each in found)


async def _refusal(sent: Any, client: Client) -> Outcome:
    """An update that its validator refuses is over at once; another one may still run."""
    known = getattr(sent, "_known_outcome", None)
    if known is None or not known.HasField("failure"):
        return Outcome()
    return Outcome(failure=await failure_text(known.failure, client.data_converter))


async def _see(
    client: Client, called: Called, workflow_id: str, run_id: str, *, closed: bool = False
) -> WorkflowExecutionInfo:
    """See that the workflow is there, of that type, and open unless `closed` will do."""
    answer = await Calls(client).described(workflow_id, run_id)
    if answer is None:
        run = f" with the run {run_id}" if run_id else ""
        raise CannotAsk(f"there is no workflow {workflow_id}{run} in the namespace {client.namespace}")
    info = answer.workflow_execution_info
    if called.type is not None and info.type.name != called.type:
        raise NotDone(
            f"{workflow_id} is of the type {info.type.name}, not {called.type}", hint="nothing was sent; see the id"
        )
    if not closed and info.HasField("close_time"):
        raise NotDone(f"{workflow_id} has ended: {status_of(info.status)}", hint="nothing was sent")
    return info


def status_of(status: int) -> str:
    """A status in a word: running, completed, timed out."""
    try:
        name = WorkflowExecutionStatus.Name(status)  # type: ignore[arg-type]  # an int that the server sent
    except ValueError:
        return f"status {status}"
    return name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower().replace("_", " ")


async def _failure(cause: BaseException, client: Client) -> FailureText:
    failure = getattr(cause, "failure", None)
    if failure is not None:
        return await failure_text(failure, client.data_converter)
    name = type(cause).__name__.removesuffix("Error")
    line = f"{name}: {cause}"
    return FailureText(line, (line,))


def _not_done(client: Client, error: RPCError, what: str) -> Exception:
    if error.status in (
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.ALREADY_EXISTS,
    ):
        missing = cannot_ask(client, error)
        if missing.message.startswith("there is no namespace"):
            return missing
        return NotDone(f"{what}: {error.message}")
    return cannot_ask(client, error)


async def _no_answer(
    client: Client, seen: WorkflowExecutionInfo, error: BaseException, limit: float, what: str
) -> CannotAsk:
    """Why there was none: the worker that would give it is not there, or is slow."""
    status = error.status if isinstance(error, RPCError) else RPCStatusCode.DEADLINE_EXCEEDED
    late = isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError) or status in GIVEN_UP
    if not late and status != RPCStatusCode.FAILED_PRECONDITION:
        return cannot_ask(client, error) if isinstance(error, RPCError) else CannotAsk(str(error))
    queue = seen.task_queue
    if not await polls(Calls(client), queue):
        return CannotAsk(
            f"{what} has no answer: no worker polls the task queue {queue}", hint="start one: devserver run MODULE"
        )
    return CannotAsk(
        f"{what} has no answer within {limit:g} s, though a worker polls the task queue {queue}",
        hint="see what keeps it: devserver stuck; or wait longer with --timeout",
    )
