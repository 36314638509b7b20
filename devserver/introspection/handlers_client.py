"""Sends signals, queries and updates, after checking that the workflow exists, has the right type and is open."""

from __future__ import annotations

import asyncio
import math
import shlex
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
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
from ..client.statuses import status_name
from ..client.waits import ask_waits
from ..errors import CannotAsk
from .errors import WorkflowCallRefused
from .module import nearest
from .results import WorkflowOutcome, failure_of, has_poller, not_decoded, refusal
from .targets import CallTarget

TIMED_OUT = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


async def signal(client: Client, called: CallTarget, arguments: Sequence[Any], workflow_id: str, run_id: str) -> None:
    """Send a signal to an open workflow.

    Raises:
        WorkflowCallRefused: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, or the server does not answer.
    """
    await _check(client, called, workflow_id, run_id)
    if called.bare:
        await _check_signal(client, str(called.name), workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    try:
        await handle.signal(str(called.name), args=arguments, rpc_timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise refusal(client, error, f"{workflow_id} does not accept the signal {called.name}") from None


async def query(
    client: Client, called: CallTarget, arguments: Sequence[Any], workflow_id: str, run_id: str, limit: float
) -> RawValue:
    """Query a workflow, open or closed; its answer within `limit` seconds.

    Raises:
        WorkflowCallRefused: The query fails, or the workflow is of another type.
        CannotAsk: There is no such workflow, no worker polls, or nobody answers.
    """
    info = await _check(client, called, workflow_id, run_id, closed=True)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    querying = handle.query(
        str(called.name), args=arguments, result_type=RawValue, rpc_timeout=timedelta(seconds=limit)
    )
    try:
        answer: RawValue = await asyncio.wait_for(querying, limit + 1)
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise WorkflowCallRefused(f"the query {called.name} of {workflow_id} failed: {error}") from None
    except (RPCError, asyncio.TimeoutError) as error:
        if isinstance(error, RPCError) and error.status == RPCStatusCode.INVALID_ARGUMENT:
            raise WorkflowCallRefused(f"the query {called.name} of {workflow_id} failed: {error.message}") from None
        raise await _no_answer(client, called, info, error, limit, "query") from None
    except Exception as error:
        raise not_decoded(error) from error
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
    """Update an open workflow; the update's id and its outcome.

    Args:
        client: In the workflow's namespace.
        called: The update.
        arguments: Its arguments.
        workflow_id: The workflow.
        run_id: Its run; empty for the latest.
        accepted: Return once the update is accepted, without its result.
        limit: How long the worker may take to accept it, in seconds. The result may take any time.
        update_id: The update's id; a random one if None.

    Raises:
        WorkflowCallRefused: The workflow is of another type, or has ended.
        CannotAsk: There is no such workflow, no worker polls, or nobody answers.
    """
    info = await _check(client, called, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    deadline = monotonic() + limit
    sending = handle.start_update(
        str(called.name),
        args=arguments,
        wait_for_stage=WorkflowUpdateStage.ACCEPTED,
        result_type=RawValue,
        id=update_id,
    )
    try:
        sent = await asyncio.wait_for(sending, limit)
        deadline = math.inf
        if accepted:
            return sent.id, await _rejection(sent, client)
        return sent.id, WorkflowOutcome(result=await sent.result())
    except WorkflowUpdateFailedError as error:
        return update_id or "", WorkflowOutcome(failure=await failure_of(error.cause, client))
    except (WorkflowUpdateRPCTimeoutOrCancelledError, asyncio.TimeoutError) as error:
        if isinstance(error.__cause__, asyncio.CancelledError) and monotonic() < deadline:
            raise asyncio.CancelledError from None  # Ctrl-C, which the SDK reports as a timeout
        raise await _no_answer(client, called, info, error, limit, "update") from None
    except RPCError as error:
        refused = refusal(client, error, f"{workflow_id} does not accept the update {called.name}")
        refused.hint = refused.hint or f"find out why: devserver trace {shlex.quote(workflow_id)}"
        raise refused from None
    except Exception as error:
        raise not_decoded(error) from error


async def _rejection(sent: Any, client: Client) -> WorkflowOutcome:
    """The failure of an update that its validator rejected; no outcome of one that runs."""
    known = getattr(sent, "_known_outcome", None)
    if known is None or not known.HasField("failure"):
        return WorkflowOutcome()
    return WorkflowOutcome(failure=await failure_text(known.failure, client.data_converter))


async def _check(
    client: Client, called: CallTarget, workflow_id: str, run_id: str, *, closed: bool = False
) -> WorkflowExecutionInfo:
    """Check that the workflow exists, has the right type, and is open unless it may be `closed`."""
    answer = await ServiceCalls(client).describe_workflow(workflow_id, run_id)
    if answer is None:
        run = f" with the run {run_id}" if run_id else ""
        raise CannotAsk(f"there is no workflow {workflow_id}{run} in the namespace {client.namespace}")
    info = answer.workflow_execution_info
    if called.type is not None and info.type.name != called.type:
        raise WorkflowCallRefused(
            f"{workflow_id} has the type {info.type.name}, not {called.type}",
            hint="nothing was sent; check the workflow id",
        )
    if not closed and info.HasField("close_time"):
        raise WorkflowCallRefused(
            f"{workflow_id} is closed ({status_name(info.status).replace('_', ' ')})", hint="nothing was sent"
        )
    return info


async def _check_signal(client: Client, name: str, workflow_id: str, run_id: str) -> None:
    """Check that the workflow takes this signal, if its worker answers: the server accepts any."""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    asked = await ask_waits(ServiceCalls(client), execution)
    known = [handler.name for handler in asked.handlers if handler.kind == "signal"]
    if asked.handlers and name not in known and "" not in known:  # the name of a dynamic handler is empty
        raise WorkflowCallRefused(
            f"{workflow_id} takes no signal {name}",
            details=["nothing was sent"],
            hint=f"{nearest(name, known)}; to send it all the same: devserver temporal -- workflow signal "
            f"--workflow-id {shlex.quote(workflow_id)} --name {shlex.quote(name)}",
        )


async def _no_answer(
    client: Client, called: CallTarget, info: WorkflowExecutionInfo, error: BaseException, limit: float, kind: str
) -> CannotAsk:
    """The error for a call without an answer: no worker polls, or the worker is slow."""
    status = error.status if isinstance(error, RPCError) else RPCStatusCode.DEADLINE_EXCEEDED
    late = isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError) or status in TIMED_OUT
    if not late and status != RPCStatusCode.FAILED_PRECONDITION:
        return call_failed(client, error) if isinstance(error, RPCError) else CannotAsk(str(error))
    queue = info.task_queue
    call = f"the {kind} {called.name}"
    if not await has_poller(ServiceCalls(client), queue):
        return CannotAsk(
            f"{call} was not answered: no worker polls the task queue {queue}",
            hint=f"start a worker: {shlex.join(called.worker_on(queue))}",
        )
    return CannotAsk(
        f"{call} was not answered within {limit:g} s; a worker polled the task queue {queue} in the last 90 s",
        hint="check whether it was killed, is frozen or busy (devserver stuck), or wait longer with --timeout",
    )
