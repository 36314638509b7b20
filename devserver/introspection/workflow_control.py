"""Results, cancellations and terminations of workflows whose code is not needed."""

from __future__ import annotations

import uuid

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode

from ..client.calls import CALL_TIMEOUT, ServiceCalls
from ..client.statuses import status_name
from ..errors import CannotAsk
from .errors import WorkflowCallRefused
from .results import WorkflowOutcome, refusal, wait_for_outcome


async def result(client: Client, workflow_id: str, run_id: str = "") -> WorkflowOutcome:
    """Wait until a workflow ends, across continue-as-new and retries; its result or failure.

    Raises:
        CannotAsk: There is no such workflow, or the server no longer answers.
    """
    await _existing(client, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None, result_type=RawValue)
    return await wait_for_outcome(handle, client)


async def cancel(client: Client, workflow_id: str, run_id: str = "") -> None:
    """Request the cancellation of an open workflow; its code may clean up, or ignore it.

    Raises:
        WorkflowCallRefused: The workflow is closed.
        CannotAsk: There is no such workflow, or the server does not answer.
    """
    await _open(client, workflow_id, run_id)
    try:
        await client.get_workflow_handle(workflow_id, run_id=run_id or None).cancel(rpc_timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise refusal(client, error, f"{workflow_id} cannot be canceled") from None


async def terminate(client: Client, workflow_id: str, run_id: str = "", reason: str | None = None) -> None:
    """Close an open workflow at once; its code does not notice.

    Raises:
        WorkflowCallRefused: The workflow is closed.
        CannotAsk: There is no such workflow, or the server does not answer.
    """
    await _open(client, workflow_id, run_id)
    handle = client.get_workflow_handle(workflow_id, run_id=run_id or None)
    try:
        await handle.terminate(reason=reason, rpc_timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise WorkflowCallRefused(f"{workflow_id} closed meanwhile") from None
        raise refusal(client, error, f"{workflow_id} cannot be terminated") from None


async def reset(client: Client, workflow_id: str, run_id: str, event_id: int, reason: str) -> str:
    """Start a new run with the history of a run up to a workflow task; the id of the new run.

    The run, if it is open, is terminated. Signals, updates and cancel requests after the workflow task are given to
    the new run.

    Args:
        event_id: The end of the workflow task that is repeated; see `devserver.history.ResetPoint`.

    Raises:
        WorkflowCallRefused: The server refuses.
        CannotAsk: The server does not answer.
    """
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        workflow_task_finish_event_id=event_id,
        reason=reason,
        request_id=str(uuid.uuid4()),
    )
    calls = ServiceCalls(client)
    try:
        answer = await calls.call(client.workflow_service.reset_workflow_execution, request)
    except RPCError as error:
        raise refusal(client, error, f"{workflow_id} cannot be reset to event {event_id}") from None
    return answer.run_id


async def _existing(client: Client, workflow_id: str, run_id: str) -> tuple[str, bool]:
    """The status of a workflow, and whether it is open."""
    answer = await ServiceCalls(client).describe_workflow(workflow_id, run_id)
    if answer is None:
        run = f" with the run {run_id}" if run_id else ""
        raise CannotAsk(f"there is no workflow {workflow_id}{run} in the namespace {client.namespace}")
    info = answer.workflow_execution_info
    return status_name(info.status).replace("_", " "), not info.HasField("close_time")


async def _open(client: Client, workflow_id: str, run_id: str) -> None:
    status, is_open = await _existing(client, workflow_id, run_id)
    if not is_open:
        raise WorkflowCallRefused(f"{workflow_id} is closed ({status})", hint="nothing was changed")
