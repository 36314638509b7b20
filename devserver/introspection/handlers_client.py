"""Signals, queries and updates a workflow: looks first whether it is the right one, and says why nothing came of it."""

from __future__ import annotations

import asyncio
import math
import shlex
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import (
    Client,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import CALL_TIMEOUT, ServiceCalls
from ..client.failures import failure_text
from ..errors import CannotAsk
from .errors import WorkflowCallRefused
from .results import WorkflowOutcome, failure_of, not_done, polls, undecoded
from .targets import CallTarget

GIVEN_UP = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


async def signal(client: Client, called: CallTarget, arguments: Sequence[Any], workflow_id: str, run_id: str) -> None:
    """Send a signal to an open workflow.

    Raises:
        WorkflowCallRefused: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, or no answer.
    """
    await _see(client, called, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    try:
        await handle.signal(str(called.name), args=arguments, rpc_timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise not_done(client, error, f"{workflow_id} does not take the signal {called.name}") from None


async def query(
    client: Client, called: CallTarget, arguments: Sequence[Any], workflow_id: str, run_id: str, limit: float
) -> RawValue:
    """What a workflow, open or closed, answers within `limit` seconds.

    Raises:
        WorkflowCallRefused: The query fails, or the workflow is of another type.
        CannotAsk: There is no such workflow, no worker, or no answer.
    """
    seen = await _see(client, called, workflow_id, run_id, closed=True)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    asked = handle.query(str(called.name), args=arguments, result_type=RawValue, rpc_timeout=timedelta(seconds=limit))
    try:
        answer: RawValue = await asyncio.wait_for(asked, limit + 1)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise WorkflowCallRefused(f"the query {called.name} of {workflow_id} fails: {error}") from None
    except (RPCError, asyncio.TimeoutError) as error:
        if isinstance(error, RPCError) and error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise WorkflowCallRefused(f"the query {called.name} of {workflow_id} fails: {error.message}") from None
        raise await _no_answer(client, called, seen, error, limit, "query") from None
    except Exception as error:
        raise undecoded(error) from error
    return answer


async def update(
    client: Client,
    called: CallTarget,
    arguments: Sequence[Any],
    workflow_id: str,
    run_id: str,
    *,
    accepted: bool,
    limit: float,
    update_id: str | None = None,
) -> tuple[str, WorkflowOutcome]:
    """Update an open workflow; its id, and what came of it. With `accepted` it is not waited for the result.

    `limit` (seconds) is what its worker has to accept it; a result is waited for as long as it takes.

    Raises:
        WorkflowCallRefused: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, no worker, or no answer.
    """
    seen = await _see(client, called, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    until = monotonic() + limit
    sending = handle.start_update(
        str(called.name),
        args=arguments,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        result_type=RawValue,
        id=update_id,
    )
    try:
        sent = await asyncio.wait_for(sending, limit)
        until = math.inf
        if accepted:
            return sent.id, await _refusal(sent, client)
        return sent.id, WorkflowOutcome(result=await sent.result())
    except WorkflowUpdateFailedError as error:
        return update_id or "", WorkflowOutcome(failure=await failure_of(error.cause, client))
    except (WorkflowUpdateRPCTimeoutOrCancelledError, asyncio.TimeoutError) as error:
        if isinstance(error.__cause__, asyncio.CancelledError) and monotonic() < until:
            raise asyncio.CancelledError from None  # Ctrl-C, which the SDK takes for a limit that is over
        raise await _no_answer(client, called, seen, error, limit, "update") from None
    except RPCError as error:
        refused = not_done(client, error, f"{workflow_id} does not take the update {called.name}")
        refused.hint = refused.hint or f"see what keeps it: devserver trace {shlex.quote(workflow_id)}"
        raise refused from None
    except Exception as error:
        raise undecoded(error) from error


async def _refusal(sent: Any, client: Client) -> WorkflowOutcome:
    """An update that its validator refuses is over at once; another one may still run."""
    known = getattr(sent, "_known_outcome", None)
    if known is None or not known.HasField("failure"):
        return WorkflowOutcome()
    return WorkflowOutcome(failure=await failure_text(known.failure, client.data_converter))


async def _see(
    client: Client, called: CallTarget, workflow_id: str, run_id: str, *, closed: bool = False
) -> WorkflowExecutionInfo:
    """See that the workflow is there, of that type, and open unless `closed` will do."""
    answer = await ServiceCalls(client).describe_workflow(workflow_id, run_id)
    if answer is None:
        run = f" with the run {run_id}" if run_id else ""
        raise CannotAsk(f"there is no workflow {workflow_id}{run} in the namespace {client.namespace}")
    info = answer.workflow_execution_info
    if called.type is not None and info.type.name != called.type:
        raise WorkflowCallRefused(
            f"{workflow_id} is of the type {info.type.name}, not {called.type}", hint="nothing was sent; see the id"
        )
    if not closed and info.HasField("close_time"):
        raise WorkflowCallRefused(f"{workflow_id} has ended: {status_of(info.status)}", hint="nothing was sent")
    return info


def status_of(status: int) -> str:
    """A status in a word: running, completed, timed out."""
    try:
        name = WorkflowExecutionStatus.Name(status)  # type: ignore[arg-type]  # an int that the server sent
    except ValueError:
        return f"status {status}"
    return name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower().replace("_", " ")


async def _no_answer(
    client: Client, called: CallTarget, seen: WorkflowExecutionInfo, error: BaseException, limit: float, kind: str
) -> CannotAsk:
    """Why there was none: the worker that would give it is not there, or is slow."""
    status = error.status if isinstance(error, RPCError) else RPCStatusCode.DEADLINE_EXCEEDED
    late = isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError) or status in GIVEN_UP
    if not late and status != RPCStatusCode.FAILED_PRECONDITION:
        return call_failed(client, error) if isinstance(error, RPCError) else CannotAsk(str(error))
    queue = seen.task_queue
    what = f"the {kind} {called.name}"
    if not await polls(ServiceCalls(client), queue):
        return CannotAsk(
            f"{what} has no answer: no worker polls the task queue {queue}",
            hint=f"start one: {shlex.join(called.worker_on(queue))}",
        )
    return CannotAsk(
        f"{what} has no answer within {limit:g} s, though a worker polls the task queue {queue}",
        hint="see what keeps it: devserver stuck; or wait longer with --timeout",
    )
